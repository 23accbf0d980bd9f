"""The kind `ImageFeed`: new images of a registry become commits, or pull requests, in config repositories."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from reconciler.model.image import NAME_PATTERN, RANGE_PATTERN, TAG_PATTERN
from reconciler.model.repository import SecretName
from reconciler.model.resource import (
    API_VERSION,
    AT_LEAST_A_SECOND,
    Conditions,
    Duration,
    Metadata,
    Name,
    Record,
    Section,
)
from reconciler.model.rule import matching, obeying, validations

_ONE_POLICY = "give exactly one of `semver`, `newest` and `digest`"
_REPEATS = 4
# A pattern is run on every tag that the registry has, and whoever pushes a tag chooses the text: no repeat of a repeat.
_NESTED = r"\)[*+{]"
_GROUP = r"\(\?P<(order|build)>"
# What RE2 does not know, so that the server and Dispatch say the same of a pattern.
_BEYOND = re.compile(r"\(\?[=!>#(]|\(\?<[=!]|\(\?P[=>]|\\[1-9]|[*+?}][+]")


def _compiles(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return _BEYOND.search(pattern) is None


class NewestPolicy(Section):
    """The tag with the greatest number or date in it."""

    pattern: Annotated[
        str,
        Field(
            min_length=1,
            max_length=256,
            description="A regular expression for the whole tag, with a group `(?P<order>...)` or `(?P<build>...)` "
            "whose numbers are compared: `main-[0-9a-f]+-(?P<build>[0-9]+)`.",
        ),
        obeying(
            f"self.matches(r'{_GROUP}')",
            "needs a group (?P<order>...) or (?P<build>...) around the number or the date that says what is newer",
            lambda text: re.search(_GROUP, text) is not None,
        ),
        obeying(
            f"!self.matches(r'{_NESTED}')",
            "must not repeat a group: a tag could be made on which that takes for ever",
            lambda text: re.search(_NESTED, text) is None,
        ),
        obeying(
            f"self.findAll(r'[*+{{]').size() <= {_REPEATS}",
            f"must have at most {_REPEATS} repeats (`*`, `+`, `{{n}}`)",
            lambda text: len(re.findall(r"[*+{]", text)) <= _REPEATS,
        ),
        # An error of a CEL rule refuses the document; whether the pattern matches nothing does not matter.
        obeying(
            "''.matches(self) ? true : true", "is no regular expression, or uses what RE2 does not know", _compiles
        ),
    ]


class ImagePolicy(Section):
    """Which of the tags is wanted."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            "[has(self.semver), has(self.newest), has(self.digest)].filter(x, x).size() == 1", _ONE_POLICY
        )
    )

    semver: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=256,
            description="The highest version in a range: `^1.2`, `~1.2.3`, `>=1.0 <2`, `1.x`, `1.2 - 1.4`, `1 || 3`. "
            "Pre-releases only where the range names one: `>=1.0.0-0`.",
        ),
        matching(RANGE_PATTERN, "is no range of versions: write such as ^1.2, ~1.2.3, >=1.0 <2, 1.x or 1.2 - 1.4"),
    ] = None
    newest: Annotated[NewestPolicy | None, Field(description="The tag with the greatest build number or date.")] = None
    digest: Annotated[
        str | None,
        Field(min_length=1, max_length=128, description="What this tag, which moves, is now: `main`, `latest`."),
        matching(TAG_PATTERN, "is no tag"),
    ] = None

    @model_validator(mode="after")
    def _exactly_one(self) -> ImagePolicy:
        if sum(each is not None for each in (self.semver, self.newest, self.digest)) != 1:
            raise ValueError(_ONE_POLICY)
        return self

    def __str__(self) -> str:
        if self.semver is not None:
            return f"semver {self.semver}"
        return f"newest {self.newest.pattern}" if self.newest is not None else f"digest of {self.digest}"


class Via(StrEnum):
    """How a change gets into the branch."""

    COMMIT = "Commit"
    PULL_REQUEST = "PullRequest"


class FeedWrite(Section):
    """One folder that the image is written into."""

    repository: Annotated[Name, Field(description="A Repository in the same namespace.")]
    path: Annotated[
        str,
        Field(
            min_length=1,
            max_length=1024,
            description="The folder, or one file, with the image in it: `apps/shop/staging`.",
        ),
        matching(
            r"^[^/\\\x00-\x1f\x7f][^\\\x00-\x1f\x7f]*$", "must be a path in the repository, without a `/` in front"
        ),
        obeying(
            "self == '.' || !self.split('/').exists(part, part in ['', '.', '..', '.git'])",
            "must be a plain path: no empty part, no `.`, `..` or `.git` in it; `.` alone is the whole repository",
            lambda path: path == "." or not {"", ".", "..", ".git"} & set(path.split("/")),
        ),
    ]
    via: Annotated[
        Via,
        Field(
            description="`Commit` pushes to the Repository's branch; `PullRequest` opens one pull request for this "
            "feed, for which the Repository needs a `forge`."
        ),
    ] = Via.COMMIT


class ImageFeedSpec(Section):
    """Which image, which of its tags, and where it is written."""

    image: Annotated[
        str,
        Field(min_length=1, max_length=512, description="Without a tag: `registry.example.com/team/shop`."),
        matching(NAME_PATTERN, "must be an image without a tag or digest, such as registry.example.com/team/shop"),
    ]
    interval: Annotated[Duration, AT_LEAST_A_SECOND, Field(description="How often the registry is asked.")] = 60.0
    timeout: Annotated[Duration, AT_LEAST_A_SECOND, Field(description="How long one question may take.")] = 30.0
    credentials_ref: Annotated[
        SecretName | None,
        Field(
            description="A Secret with username and password, or with `.dockerconfigjson`; `ca.crt` for a private "
            "authority. It is sent to the image's registry only."
        ),
    ] = None
    policy: Annotated[ImagePolicy, Field(description="Which of the tags is wanted.")]
    writes: Annotated[
        tuple[FeedWrite, ...],
        Field(max_length=16, description="The folders that follow it."),
        obeying("self.size() > 0", "must name at least one folder", lambda writes: len(writes) > 0),
        obeying(
            "self.all(one, self.exists_one(other, other.repository == one.repository && other.path == one.path))",
            "names a folder twice",
            lambda writes: len({(each.repository, each.path) for each in writes}) == len(writes),
        ),
    ]
    secret_ref: Annotated[
        SecretName | None,
        Field(
            description="A Secret whose `token` signs pushes to `/hooks/images/NAMESPACE/NAME` (HMAC-SHA256). Without "
            "it the hook is closed."
        ),
    ] = None


class SelectedImage(Record):
    """What the policy wants now, and what the image says of itself (its OCI labels)."""

    tag: Annotated[str, Field(description="The tag.")]
    digest: Annotated[str, Field(description="`sha256:...` of what the tag is.")]
    revision: Annotated[str, Field(description="The source commit: `org.opencontainers.image.revision`.")] = ""
    source: Annotated[str, Field(description="The source repository: `org.opencontainers.image.source`.")] = ""
    created: Annotated[str, Field(description="When it was built: `org.opencontainers.image.created`.")] = ""


class WriteState(StrEnum):
    """What has become of one folder."""

    CURRENT = "Current"
    PUSHED = "Pushed"
    OPEN = "Open"
    MERGED = "Merged"
    CLOSED = "Closed"
    HELD = "Held"
    FAILED = "Failed"


class FeedWriteStatus(Record):
    """One folder: what is written there, and what was done about it last."""

    repository: Annotated[str, Field(description="The Repository.")]
    path: Annotated[str, Field(description="The folder.")]
    image: Annotated[str, Field(description="`name:tag@digest` as it is wanted there.")] = ""
    state: Annotated[
        WriteState,
        Field(
            description="Current, Pushed, Open, Merged, Closed (without a merge: left alone until there is a newer "
            "image), Held (a veto, or nothing newer), Failed."
        ),
    ]
    commit: Annotated[str, Field(description="The last commit of this feed there.")] = ""
    pull_request: Annotated[str, Field(description="Its pull request.")] = ""
    message: Annotated[str, Field(description="Why, in words for people.")] = ""


class ImageFeedStatus(Record):
    """What was last selected, and where it got to."""

    observed_generation: Annotated[int, Field(description="The generation of the spec that this is about.")] = 0
    handled_sync: Annotated[str, Field(description="The last request of `dispatch release` that was carried out.")] = ""
    selected: Annotated[SelectedImage | None, Field(description="What the policy wants now.")] = None
    writes: Annotated[
        tuple[FeedWriteStatus, ...], Field(description="One entry a folder, in the order of the spec.")
    ] = ()
    conditions: Conditions = ()


class ImageFeed(Section):
    """An image whose newest tag is carried into folders of config repositories."""

    api_version: Literal["dispatch.dev/v1alpha1"] = API_VERSION  # type: ignore[assignment]
    kind: Literal["ImageFeed"] = "ImageFeed"
    metadata: Metadata
    spec: ImageFeedSpec
    status: ImageFeedStatus = ImageFeedStatus()
