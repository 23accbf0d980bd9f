"""The kind `Application`: one folder of a Repository, deployed to one place."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from reconciler.model.application_status import (
    ApplicationStatus,
    AppliedRevision,
    DriftEntry,
    HistoryEntry,
    ObjectHealth,
    SyncState,
)
from reconciler.model.render import HelmRender, KustomizeRender, PlainRender, RelativePath, Render
from reconciler.model.resource import (
    API_VERSION,
    AT_LEAST_A_SECOND,
    Duration,
    GitRef,
    Metadata,
    Name,
    NamespaceName,
    Section,
)
from reconciler.model.rule import matching, validations
from reconciler.model.strategy import Strategy

__all__ = [
    "Application",
    "ApplicationSource",
    "ApplicationSpec",
    "ApplicationStatus",
    "AppliedRevision",
    "Destination",
    "DriftEntry",
    "DriftIgnore",
    "DriftPolicy",
    "HelmRender",
    "HistoryEntry",
    "KustomizeRender",
    "ObjectHealth",
    "PlainRender",
    "Render",
    "Sync",
    "SyncMode",
    "SyncState",
]


class ApplicationSource(Section):
    """Which folder at which revision."""

    repository: Annotated[Name, Field(description="A Repository in the same namespace.")]
    path: Annotated[RelativePath, Field(description="The folder inside the repository.")] = "."
    revision: Annotated[
        GitRef | None, Field(description="A branch, tag or commit; the Repository's branch when not given.")
    ] = None


class Destination(Section):
    """Where the objects go."""

    namespace: Annotated[
        NamespaceName | None,
        Field(description="For objects that name none; the Application's own namespace when not given."),
    ] = None


class SyncMode(StrEnum):
    """`Automatic` applies each new revision; `Manual` shows the difference and waits for `dispatch sync`."""

    AUTOMATIC = "Automatic"
    MANUAL = "Manual"


def _count(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


_LIMIT = r"^(100|[1-9]?[0-9])%$|^[0-9]+$"

CountOrShare = Annotated[
    str,
    WithJsonSchema({"x-kubernetes-int-or-string": True, "minimum": 0, "maxLength": 16}),
    matching(_LIMIT, "must be a number of objects, such as 10, or a share from 0% to 100%"),
    Field(max_length=16),
    BeforeValidator(_count),
]
"""`10`, `"10"` or `"25%"`; text inside."""


class Sync(Section):
    """When and how what Git wants is applied."""

    mode: SyncMode = SyncMode.AUTOMATIC
    prune: Annotated[bool, Field(description="Delete objects that left Git.")] = True
    prune_limit: Annotated[
        CountOrShare,
        Field(
            description="The most that one run may delete: a number of objects, or a share of those that it has. "
            "A share never stops a run that deletes 10 or fewer.",
        ),
    ] = "25%"
    timeout: Annotated[
        Duration, AT_LEAST_A_SECOND, Field(description="How long a new revision may take to become Healthy.")
    ] = 300.0


class DriftIgnore(Section):
    """Fields that are somebody else's. All that is given must match; `fields` are JSON pointers (RFC 6901)."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            "(has(self.fields) && size(self.fields) > 0) || has(self.manager)",
            "needs `fields` or `manager`: an empty rule would ignore every drift",
        )
    )

    kind: Annotated[
        Annotated[
            str,
            Field(max_length=317),
            matching(
                r"^[A-Za-z][A-Za-z0-9]*(\.[a-z0-9]([-a-z0-9.]*[a-z0-9])?)?$",
                "must be a kind, such as Deployment, or a kind and its group, such as Deployment.apps",
            ),
        ]
        | None,
        Field(description="Objects of this kind only: `Deployment` or `Deployment.apps`."),
    ] = None
    name: Annotated[
        Annotated[str, Field(min_length=1, max_length=253)] | None, Field(description="The object of this name only.")
    ] = None
    fields: Annotated[
        tuple[
            Annotated[
                str,
                Field(max_length=1024),
                matching(r"^(/([^/~]|~[01])*)+$", "must be a JSON pointer, such as /spec/replicas"),
            ],
            ...,
        ],
        Field(max_length=64, description="JSON pointers; each stands for all below it."),
    ] = ()
    manager: Annotated[
        Annotated[str, Field(min_length=1, max_length=128)] | None,
        Field(description="A field manager, as `metadata.managedFields` names it."),
    ] = None

    @model_validator(mode="after")
    def _something_given(self) -> DriftIgnore:
        if not self.fields and self.manager is None:
            raise ValueError("needs `fields` or `manager`: an empty rule would ignore every drift")
        return self


class DriftPolicy(Section):
    """What happens when somebody changes a live object."""

    correct: Annotated[bool, Field(description="Put back what Git wants; otherwise only report.")] = True
    ignore: Annotated[
        tuple[DriftIgnore, ...], Field(max_length=64, description="Fields that are somebody else's.")
    ] = ()


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"names {', '.join(twice)} twice")
    return names


class ApplicationSpec(Section):
    """What a user wants deployed."""

    project: Annotated[Name | None, Field(description="The project that it belongs to: Notifiers choose by it.")] = None
    source: ApplicationSource
    render: Render = Render()
    destination: Destination = Destination()
    sync: Sync = Sync()
    drift: DriftPolicy = DriftPolicy()
    strategy: Strategy = Strategy()
    depends_on: Annotated[
        tuple[Name, ...],
        Field(
            max_length=64,
            description="Applications of the same namespace that must be Ready first.",
            json_schema_extra={"x-kubernetes-list-type": "set"},
        ),
        AfterValidator(_each_once),
    ] = ()


_ITSELF = "an Application cannot wait for itself: take its own name out of spec.dependsOn"


class Application(Section):
    """One folder of a Repository, rendered and deployed to one place."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            "!has(self.spec.dependsOn) || !(self.metadata.name in self.spec.dependsOn)", _ITSELF
        )
    )

    api_version: Literal["dispatch.dev/v1alpha1"] = API_VERSION  # type: ignore[assignment]
    kind: Literal["Application"] = "Application"
    metadata: Metadata
    spec: ApplicationSpec
    status: ApplicationStatus = ApplicationStatus()

    @model_validator(mode="after")
    def _waits_for_others(self) -> Application:
        if self.metadata.name in self.spec.depends_on:
            raise ValueError(_ITSELF)
        return self

    @property
    def namespace(self) -> str:
        """The namespace of objects that name none."""
        return self.spec.destination.namespace or self.metadata.namespace
