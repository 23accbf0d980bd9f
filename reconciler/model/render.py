"""How a folder becomes objects: the renderers and what a user may say to each."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field, model_validator

from reconciler.model.resource import SUBDOMAIN, Section
from reconciler.model.rule import obeying, validations

_LEAVES = "leaves the repository: write a relative path without `..`"
_NO_PARENT = "!self.split('/').exists(part, part == '..')"


def _stays_inside(path: str) -> bool:
    return not path.startswith("/") and ".." not in path.split("/")


RelativePath = Annotated[
    str, Field(max_length=1024), obeying(f"!self.startsWith('/') && {_NO_PARENT}", _LEAVES, _stays_inside)
]
"""A path inside the repository: posix, no leading slash, no `..`."""

ValueFile = Annotated[
    str,
    Field(min_length=1, max_length=1024),
    obeying(f"!self.startsWith('//') && {_NO_PARENT}", _LEAVES, lambda path: _stays_inside(path.removeprefix("/"))),
]
"""A path inside the repository; a leading slash means its root."""


class PlainRender(Section):
    """YAML and JSON files as they are, in the folder and below."""

    recurse: Annotated[bool, Field(description="Read the folders below as well.")] = True


class KustomizeRender(Section):
    """`kustomize build` of the folder."""


class HelmRender(Section):
    """`helm template` of a chart in the repository."""

    release_name: Annotated[
        Annotated[str, Field(min_length=1, max_length=53), SUBDOMAIN] | None,
        Field(description="The name of the release; the Application's name when not given."),
    ] = None
    value_files: Annotated[
        tuple[ValueFile, ...],
        Field(
            max_length=64,
            description="Relative to the chart, or to the repository with a leading slash; later ones win.",
        ),
    ] = ()
    values: Annotated[dict[str, Any], Field(description="Inline values: they win over the files.")] = {}
    include_crds: Annotated[bool, Field(description="Apply what is in the chart's `crds` folder, too.")] = True


_ONE_RENDERER = "names more than one renderer: keep one"


class Render(Section):
    """Which renderer; `auto` (the default) picks by what is in the folder. At most one may be given."""

    model_config = ConfigDict(
        json_schema_extra=validations(
            "[has(self.auto), has(self.plain), has(self.kustomize), has(self.helm)].filter(given, given).size() <= 1",
            _ONE_RENDERER,
        )
    )

    auto: Annotated[
        dict[str, Any] | None,
        Field(description="A Chart.yaml means helm, a kustomization means kustomize, else plain. Has no options."),
    ] = None
    plain: PlainRender | None = None
    kustomize: KustomizeRender | None = None
    helm: HelmRender | None = None

    @model_validator(mode="after")
    def _one_renderer(self) -> Render:
        given = sorted(self.model_fields_set)
        if len(given) > 1:
            raise ValueError(f"{_ONE_RENDERER} of {', '.join(given)}")
        return self
