"""The kind `Application`: one folder of a Repository, deployed to one place."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from reconciler.model.health import Level
from reconciler.model.resource import API_VERSION, Condition, Duration, Metadata, Name, Record, Section


def _inside(path: str) -> str:
    if path.startswith("/") or ".." in path.split("/"):
        raise ValueError(f"{path!r} leaves the repository: write a relative path without `..`")
    return path


def _inside_from_root(path: str) -> str:
    return "/" + _inside(path.removeprefix("/")) if path.startswith("/") else _inside(path)


def _path_schema(rule: str) -> dict[str, Any]:
    message = "leaves the repository: write a relative path without `..`"
    return {"maxLength": 1024, "x-kubernetes-validations": [{"rule": rule, "message": message}]}


_NO_PARENT = "!self.split('/').exists(part, part == '..')"

RelativePath = Annotated[
    str,
    AfterValidator(_inside),
    Field(json_schema_extra=_path_schema(f"!self.startsWith('/') && {_NO_PARENT}")),
]
"""A path inside the repository: posix, no leading slash, no `..`."""

ValueFile = Annotated[str, AfterValidator(_inside_from_root), Field(json_schema_extra=_path_schema(_NO_PARENT))]
"""A path inside the repository; a leading slash means its root."""


class ApplicationSource(Section):
    """Which folder at which revision."""

    repository: Annotated[Name, Field(description="A Repository in the same namespace.")]
    path: Annotated[RelativePath, Field(description="The folder inside the repository.")] = "."
    revision: Annotated[
        str | None, Field(min_length=1, description="A branch, tag or commit; the Repository's branch when not given.")
    ] = None


class PlainRender(Section):
    """YAML and JSON files as they are, in the folder and below."""

    recurse: bool = True


class KustomizeRender(Section):
    """`kustomize build` of the folder."""


class HelmRender(Section):
    """`helm template` of a chart in the repository."""

    release_name: Annotated[str | None, Field(max_length=53, description="The Application's name when not given.")] = (
        None
    )
    value_files: Annotated[
        tuple[ValueFile, ...],
        Field(description="Relative to the chart, or to the repository with a leading slash; later ones win."),
    ] = ()
    values: Annotated[dict[str, Any], Field(description="Inline values: they win over the files.")] = {}
    include_crds: bool = True


class Render(Section):
    """Which renderer; `auto` (the default) picks by what is in the folder. At most one may be given."""

    auto: dict[str, Any] | None = None
    plain: PlainRender | None = None
    kustomize: KustomizeRender | None = None
    helm: HelmRender | None = None

    @model_validator(mode="after")
    def _one_renderer(self) -> Render:
        given = sorted(self.model_fields_set)
        if len(given) > 1:
            raise ValueError(f"names {len(given)} renderers ({', '.join(given)}): keep one")
        return self


class Destination(Section):
    """Where the objects go."""

    namespace: Annotated[
        str | None, Field(description="For objects that name none; the Application's own namespace when not given.")
    ] = None


class SyncMode(StrEnum):
    """`Automatic` applies each new revision; `Manual` shows the difference and waits for `dispatch sync`."""

    AUTOMATIC = "Automatic"
    MANUAL = "Manual"


class Sync(Section):
    """When and how what Git wants is applied."""

    mode: SyncMode = SyncMode.AUTOMATIC
    prune: Annotated[bool, Field(description="Delete objects that left Git.")] = True
    prune_limit: Annotated[
        str,
        Field(
            pattern=r"^(100|[1-9]?[0-9])%$|^[0-9]+$",
            description="The most that one run may delete: a number of objects, or a share of those that it has. "
            "A share never stops a run that deletes 10 or fewer.",
        ),
    ] = "25%"
    timeout: Annotated[Duration, Field(description="How long a new revision may take to become Healthy.", ge=1)] = 300.0


class DriftIgnore(Section):
    """Fields that are somebody else's. All that is given must match; `fields` are JSON pointers (RFC 6901)."""

    kind: Annotated[str | None, Field(description="`Deployment` or `Deployment.apps`.")] = None
    name: str | None = None
    fields: Annotated[tuple[str, ...], Field(description="JSON pointers; each stands for all below it.")] = ()
    manager: Annotated[str | None, Field(description="A field manager, as `metadata.managedFields` names it.")] = None

    @model_validator(mode="after")
    def _something_given(self) -> DriftIgnore:
        if not self.fields and self.manager is None:
            raise ValueError("needs `fields` or `manager`: an empty rule would ignore every drift")
        return self


class DriftPolicy(Section):
    """What happens when somebody changes a live object."""

    correct: Annotated[bool, Field(description="Put back what Git wants; otherwise only report.")] = True
    ignore: tuple[DriftIgnore, ...] = ()


class ApplicationSpec(Section):
    """What a user wants deployed."""

    source: ApplicationSource
    render: Render = Render()
    destination: Destination = Destination()
    sync: Sync = Sync()
    drift: DriftPolicy = DriftPolicy()
    depends_on: Annotated[
        tuple[Name, ...], Field(description="Applications of the same namespace that must be Ready first.")
    ] = ()


class SyncState(StrEnum):
    """Whether the cluster holds what Git wants, in Argo CD's words."""

    SYNCED = "Synced"
    OUT_OF_SYNC = "OutOfSync"
    UNKNOWN = "Unknown"


class AppliedRevision(Record):
    """One revision, and the digest of what it rendered."""

    revision: str
    digest: str = ""
    at: datetime


class HistoryEntry(Record):
    """One run that changed something or failed, the newest first. Repeats of a failure are counted, not listed."""

    revision: str
    digest: str = ""
    at: datetime
    result: str
    message: str = ""
    created: int = 0
    changed: int = 0
    pruned: int = 0
    seconds: float = 0.0
    count: int = 1


class DriftEntry(Record):
    """One field of one object that is not as Git wants it. Values of Secrets are masked."""

    object: str
    field: str = ""
    drift: str
    wanted: str = ""
    live: str = ""
    manager: str = ""
    operation: str = ""
    at: datetime | None = None
    seen: datetime
    corrected: datetime | None = None


class ObjectHealth(Record):
    """One object that is not Healthy."""

    object: str
    level: Level
    message: str = ""


class ApplicationStatus(Record):
    """What was last seen and done."""

    observed_generation: int = 0
    conditions: tuple[Condition, ...] = ()
    sync: SyncState = SyncState.UNKNOWN
    health: Level = Level.UNKNOWN
    objects: int = 0
    attempted: AppliedRevision | None = None
    applied: AppliedRevision | None = None
    tool: str = ""
    unhealthy: tuple[ObjectHealth, ...] = ()
    drift: tuple[DriftEntry, ...] = ()
    hooks_not_run: tuple[str, ...] = ()
    history: tuple[HistoryEntry, ...] = ()
    handled_sync: str = ""


class Application(Section):
    """One folder of a Repository, rendered and deployed to one place."""

    api_version: Literal["dispatch.dev/v1alpha1"] = API_VERSION  # type: ignore[assignment]
    kind: Literal["Application"] = "Application"
    metadata: Metadata
    spec: ApplicationSpec
    status: ApplicationStatus = ApplicationStatus()

    @property
    def namespace(self) -> str:
        """The namespace of objects that name none."""
        return self.spec.destination.namespace or self.metadata.namespace
