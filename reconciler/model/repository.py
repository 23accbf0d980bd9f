"""The kind `Repository`: a Git repository that Dispatch reads, and writes to where a policy asks for it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from reconciler.model.resource import (
    API_VERSION,
    AT_LEAST_A_SECOND,
    Conditions,
    Duration,
    GitRef,
    Metadata,
    Name,
    Record,
    Section,
)
from reconciler.model.rule import VALIDATIONS, matching, obeying, validations

_PATH = r"[^?#\x00-\x20\x7f]"
_HOST = r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_][A-Za-z0-9._-]*)"
_USER = r"[A-Za-z0-9_][A-Za-z0-9._-]*@"
URL_PATTERN = "|".join(
    (
        rf"^https?://{_HOST}(:[0-9]+)?(/{_PATH}*)?$",
        rf"^ssh://({_USER})?{_HOST}(:[0-9]+)?/{_PATH}+$",
        rf"^{_USER}{_HOST}:[^:?#\x00-\x20\x7f-]{_PATH}*$",
        r"^file:///[^\x00-\x1f\x7f]+$",
    )
)
"""https, http, ssh, git's short form `user@host:path`, and file.

No place for a password, nor for a user name in an http URL (it is the token there), nor for a query: what is secret
belongs in a Secret. No host or user that begins with `-`: ssh would read it as an option.
"""


_FORGES = frozenset({"gitea", "github", "gitlab"})


class SecretName(Section):
    """The name of a Secret in the namespace of the document that names it."""

    name: Annotated[Name, Field(description="The Secret's name.")]


class RepositoryForge(Section):
    """What serves the repository: Dispatch opens pull requests there, with the password of `credentialsRef` as its
    token, or as the GitHub App that is told there.
    """

    kind: Annotated[
        str,
        Field(max_length=32, description="`gitea` (also for Forgejo), `github` or `gitlab`."),
        obeying("self in ['gitea', 'github', 'gitlab']", "must be gitea, github or gitlab", _FORGES.__contains__),
    ]
    api_url: Annotated[
        str | None,
        Field(
            max_length=2048,
            description="Where its API is. From spec.url when not given: `https://HOST/api/v1` (gitea), `/api/v3` "
            "(github; `https://api.github.com` for github.com), `/api/v4` (gitlab).",
        ),
        matching(
            rf"^https?://{_HOST}(:[0-9]+)?(/{_PATH}*)?$",
            "must be https://host/path, without a user name, a password or a query",
        ),
    ] = None


class RepositoryWebhook(Section):
    """The forge tells Dispatch of what happens, so that it need not wait for the next interval. What an event says is
    not believed: it only makes Dispatch look.
    """

    managed: Annotated[
        bool,
        Field(
            description="Let Dispatch make the hook at the forge, keep it right and take it away again. It asks for "
            "`dispatch run --hooks-url`."
        ),
    ] = False
    secret_ref: Annotated[
        SecretName | None,
        Field(
            description="A Secret with a `token`: what the secret of a managed hook is made of; of a hook "
            "that is made by hand it is the hook's secret (at GitLab also a signing token, `whsec_...`). With a "
            "`password`: the forge's token for managing hooks. Without it, both are those of credentialsRef."
        ),
    ] = None


_NO_TOKEN = "`forge` needs `credentialsRef`: that Secret holds the token that the forge asks for"  # noqa: S105
_NO_HOST = "`forge` needs a repository at a host: a folder (file://) has no pull requests"
_NO_FORGE = "`webhook` needs `forge`: its kind says how events are signed"
_NO_SECRET = "`webhook` needs `managed: true`, or `secretRef` for a hook that is made by hand"  # noqa: S105


class Signing(Section):
    """Whoever has the public key can tell that a commit is of Dispatch: `git verify-commit`, or the forge."""

    secret_ref: Annotated[
        SecretName,
        Field(description="A Secret with ssh-privatekey: an ed25519 key of OpenSSH, without a passphrase."),
    ]


class RepositorySpec(Section):
    """Where to read and how often to look."""

    model_config = ConfigDict(
        json_schema_extra={
            VALIDATIONS: [
                *validations("!has(self.forge) || has(self.credentialsRef)", _NO_TOKEN)[VALIDATIONS],
                *validations("!has(self.forge) || !self.url.startsWith('file:')", _NO_HOST)[VALIDATIONS],
                *validations("!has(self.webhook) || has(self.forge)", _NO_FORGE)[VALIDATIONS],
                *validations("!has(self.webhook) || self.webhook.managed || has(self.webhook.secretRef)", _NO_SECRET)[
                    VALIDATIONS
                ],
            ]
        }
    )

    url: Annotated[
        str,
        Field(
            min_length=1,
            max_length=2048,
            description="https://, ssh:// or git@host:path; file:// where the operator allows it. No password in it.",
        ),
        matching(
            URL_PATTERN,
            "must be https://host/path, ssh://git@host/path or git@host:path, without a user name or password "
            "in an https one: those belong in the Secret that credentialsRef names",
        ),
    ]
    branch: Annotated[GitRef, Field(description="The branch that Applications follow when they name no revision.")] = (
        "main"
    )
    interval: Annotated[
        Duration, AT_LEAST_A_SECOND, Field(description="How often the remote is asked for its refs.")
    ] = 60.0
    timeout: Annotated[Duration, AT_LEAST_A_SECOND, Field(description="How long one git command may take.")] = 60.0
    credentials_ref: Annotated[
        SecretName | None,
        Field(
            description="A Secret with username and password (or only password: a token), ssh-privatekey and "
            "known_hosts, or githubAppID, githubAppInstallationID and githubAppPrivateKey; ca.crt for a private "
            "authority."
        ),
    ] = None
    signing: Annotated[
        Signing | None, Field(description="Sign the commits that Dispatch writes. Not signed when not given.")
    ] = None
    forge: Annotated[
        RepositoryForge | None,
        Field(description="Where pull requests are opened. Without it Dispatch pushes to the branch itself."),
    ] = None

    webhook: Annotated[
        RepositoryWebhook | None, Field(description="How the forge tells of what happens. Without it Dispatch polls.")
    ] = None

    @model_validator(mode="after")
    def _forge_can_be_asked(self) -> RepositorySpec:
        if self.forge is not None and self.credentials_ref is None:
            raise ValueError(_NO_TOKEN)
        if self.forge is not None and self.url.startswith("file:"):
            raise ValueError(_NO_HOST)
        if self.webhook is not None and self.forge is None:
            raise ValueError(_NO_FORGE)
        if self.webhook is not None and not self.webhook.managed and self.webhook.secret_ref is None:
            raise ValueError(_NO_SECRET)
        return self


class WebhookState(StrEnum):
    """How the hook stands."""

    MANAGED = "Managed"
    BY_HAND = "ByHand"
    FAILED = "Failed"


class WebhookStatus(Record):
    """The hook at the forge, and the events that did not come."""

    state: Annotated[
        WebhookState,
        Field(
            description="`Managed`: it is at the forge as it should be. `ByHand`: events are taken, whoever made the "
            "hook keeps it. `Failed`: `message` says what to do; the interval goes on."
        ),
    ]
    url: Annotated[str, Field(description="Where the hook that Dispatch made leads.")] = ""
    message: Annotated[str, Field(description="What is wrong, and the way out.")] = ""
    last_event: Annotated[
        datetime | None, Field(description="When the last event came, as of the last other news in this status.")
    ] = None
    missed: Annotated[int, Field(description="Changes that the interval found, and of which no event had come.")] = 0
    last_missed: Annotated[datetime | None, Field(description="When the last of those was found.")] = None


class RepositoryStatus(Record):
    """What was last seen there."""

    observed_generation: Annotated[int, Field(description="The generation of the spec that this is about.")] = 0
    revision: Annotated[str, Field(description="The branch and its commit: `main@sha1:0123...`.")] = ""
    handled_sync: Annotated[str, Field(description="The last request of `dispatch sync` that was carried out.")] = ""
    webhook: Annotated[WebhookStatus | None, Field(description="The hook, where there is one.")] = None
    conditions: Conditions = ()


class Repository(Section):
    """A Git repository that Dispatch reads, with its credentials and its poll interval."""

    api_version: Literal["dispatch.dev/v1alpha1"] = API_VERSION  # type: ignore[assignment]
    kind: Literal["Repository"] = "Repository"
    metadata: Metadata
    spec: RepositorySpec
    status: RepositoryStatus = RepositoryStatus()
