"""The forge of a Repository, by what its spec says."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from reconciler.adapters.forge.api import Api, Remembered
from reconciler.adapters.forge.gitea import GiteaForge
from reconciler.adapters.forge.gitea_hooks import GiteaWords
from reconciler.adapters.forge.gitea_statuses import GiteaStatuses
from reconciler.adapters.forge.github import GitHubForge
from reconciler.adapters.forge.github_hooks import GitHubWords
from reconciler.adapters.forge.github_statuses import GitHubStatuses
from reconciler.adapters.forge.gitlab import GitLabForge
from reconciler.adapters.forge.gitlab_hooks import GitLabWords
from reconciler.adapters.forge.gitlab_statuses import GitLabStatuses
from reconciler.adapters.forge.hooks import ForgeWebhooks, Words
from reconciler.adapters.forge.tokens import AppToken, FixedToken, Installations, Token
from reconciler.adapters.http import Http
from reconciler.core.place import Place, place_of
from reconciler.model.outcome import Reason, Terminal
from reconciler.model.permit import Permit, always
from reconciler.model.repository import RepositorySpec
from reconciler.ports import CommitStatuses, Forge, GitCredentials, Webhooks

_VERSION = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_HOOKS: dict[str, Words] = {"gitea": GiteaWords(), "github": GitHubWords(), "gitlab": GitLabWords()}
_KEPT = 64


class Forges:
    """The forges of all Repositories. Connections, what was answered, and the tokens of GitHub Apps are kept; all of it
    may be lost. Safe for many threads. `allow_http`: plain http also beyond loopback; `permit` is asked before each
    write.
    """

    def __init__(
        self,
        installations: Installations | None = None,
        *,
        allow_http: bool = False,
        permit: Permit = always,
    ) -> None:
        self._installations = installations or Installations()
        self._permit = permit
        self._allow_http = allow_http
        self._guard = Lock()
        self._kept: OrderedDict[tuple[object, ...], Api] = OrderedDict()

    def forge(self, spec: RepositorySpec, credentials: GitCredentials | None) -> Forge | None:
        """Pull requests; None where the spec names no forge. Nothing is asked yet.

        Raises Terminal(INVALID_SPEC) for a URL that names no repository of a forge, Terminal(FORGE_DENIED) without a
        token.
        """
        api = self._api(spec, credentials)
        if api is None or spec.forge is None:
            return None
        if spec.forge.kind == "github":
            return GitHubForge(api, api.token.app.id if isinstance(api.token, AppToken) else "")
        return GitLabForge(api) if spec.forge.kind == "gitlab" else GiteaForge(api)

    def statuses(self, spec: RepositorySpec, credentials: GitCredentials | None) -> CommitStatuses | None:
        """What is said of commits; as `forge` else."""
        api = self._api(spec, credentials)
        if api is None or spec.forge is None:
            return None
        if spec.forge.kind == "github":
            return GitHubStatuses(api)
        return GitLabStatuses(api) if spec.forge.kind == "gitlab" else GiteaStatuses(api)

    def webhooks(self, spec: RepositorySpec, credentials: GitCredentials | None) -> Webhooks | None:
        """The hooks; as `forge` else."""
        api = self._api(spec, credentials)
        return None if api is None or spec.forge is None else ForgeWebhooks(api, _HOOKS[spec.forge.kind])

    def _api(self, spec: RepositorySpec, credentials: GitCredentials | None) -> Api | None:
        """The same for the same Repository and credentials, so that connections and answers are used again."""
        if spec.forge is None:
            return None
        given = credentials or GitCredentials()
        place = place_of(spec.forge.kind, spec.url, spec.forge.api_url, allow_http=self._allow_http)
        key = (spec.forge.kind, place, given, spec.timeout)
        with self._guard:
            if (found := self._kept.get(key)) is None:
                found = self._kept[key] = self._made(spec.forge.kind, place, given, spec.timeout)
            self._kept.move_to_end(key)
            if len(self._kept) > _KEPT:
                # Whoever still holds it may go on: its connections are closed when nobody does.
                self._kept.popitem(last=False)
        return found

    def _made(self, kind: str, place: Place, given: GitCredentials, timeout: float) -> Api:
        token = self._token(kind, place, given, timeout)
        try:
            http = Http(given.ca)
        except ValueError as error:
            raise Terminal(Reason.INVALID_SPEC, f"ca.crt of the Secret that credentialsRef names: {error}.") from None
        if kind == "gitea":
            return Api(http, place, token, "token", "limit", timeout, permit=self._permit)
        # GitHub does not count an answer 304 against the limit of requests.
        if kind == "github":
            return Api(http, place, token, "Bearer", "per_page", timeout, _VERSION, Remembered(), self._permit)
        return Api(http, place, token, "Bearer", "per_page", timeout, permit=self._permit)

    def _token(self, kind: str, place: Place, given: GitCredentials, timeout: float) -> Token:
        if given.app is not None and kind == "github":
            return AppToken(self._installations, given.app, given.ca, timeout)
        text = given.password.strip()
        if not text or not text.isascii() or not text.isprintable():
            raise Terminal(
                Reason.FORGE_DENIED,
                f"there is no token for {place.shown}: put one that may write to the repository and its pull requests "
                "into the password of the Secret that credentialsRef names.",
            )
        return FixedToken(text)


def open_forge(spec: RepositorySpec, credentials: GitCredentials | None, *, allow_http: bool = False) -> Forge | None:
    """One forge for itself, as `Forges.forge`."""
    return Forges(allow_http=allow_http).forge(spec, credentials)
