"""What `render` and `diff` are asked for, from a folder or from an Application in a file."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reconciler.cli.local import Located, inside, locate, repository_root
from reconciler.cli.options import render_limit_option
from reconciler.model.outcome import Reason, Terminal

if TYPE_CHECKING:
    from reconciler.app import Settings
    from reconciler.model.application import Application
    from reconciler.model.render import Render
    from reconciler.model.rendered import Rendered
    from reconciler.ports import RenderRequest

_NO_NAME = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Local:
    """A render of files of this machine. `application` is the document that asked for it, None for a plain folder."""

    root: Path
    request: RenderRequest
    application: Application | None = None


def render_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """How a folder is rendered when no Application says it."""
    for option in (
        render_limit_option,
        click.option("--allow-remote-bases", is_flag=True, help="Let kustomizations name bases on other hosts."),
        click.option(
            "--root", type=click.Path(path_type=Path), help="The repository's root; found by its .git when not given."
        ),
        click.option(
            "--values", multiple=True, type=click.Path(path_type=Path), help="Helm: a file of values; later ones win."
        ),
        click.option(
            "--renderer",
            type=click.Choice(["auto", "plain", "kustomize", "helm"]),
            default="auto",
            show_default=True,
            help="auto: helm for a Chart.yaml, kustomize for a kustomization, else plain.",
        ),
        click.option("--name", help="Helm: the release; the folder's name when not given. With -f: which Application."),
    ):
        command = option(command)
    return command


def of_folder(
    folder: Path, *, name: str | None, namespace: str, renderer: str, values: Sequence[Path], root: Path | None
) -> Local:
    """Raises Terminal: PATH_NOT_FOUND, INVALID_SPEC."""
    from reconciler.ports import RenderRequest

    located = locate(folder, values, root)
    render = _render(folder, renderer, ["/" + _existing(located, file) for file in values])
    release = name or _NO_NAME.sub("-", folder.resolve().name.lower()).strip("-")[:53].rstrip("-") or "release"
    return Local(located.root, RenderRequest(located.path, render, release, namespace))


def of_file(file: Path, *, name: str | None, namespace: str | None, root: Path | None) -> Local:
    """The Application in a file; `name` chooses where it holds several, `namespace` is for one that names none. Its
    path is one of the repository that holds the file, or of `root`.

    Raises Terminal: PATH_NOT_FOUND, INVALID_SPEC, INVALID_MANIFEST, with file and line.
    """
    from reconciler.engine.stages.render import request

    application = _placed(_one(file, _applications(file), name), namespace)
    located = repository_root(file) if root is None else root
    if not located.is_dir():
        raise Terminal(Reason.PATH_NOT_FOUND, f"--root {located} is not a folder")
    asked = request(application)
    if not (located / asked.path).is_dir():
        raise Terminal(
            Reason.PATH_NOT_FOUND,
            f"{file}: spec.source.path: there is no folder {asked.path!r} in {located}: mend the path, or name the "
            "root of the repository that it is in with --root",
        )
    return Local(located.resolve(), asked, application)


def rendered(local: Local, settings: Settings, kube_version: str = "") -> Rendered:
    """The objects, in the order of the tool."""
    from reconciler import app

    renderer = app.open_renderer(settings, kube_version)
    try:
        return renderer.render(app.open_folder(local.root), local.request)
    finally:
        renderer.close()


def name_hooks(hooks: Sequence[str]) -> None:
    """What the chart would run and Dispatch does not, on standard error."""
    if hooks:
        click.echo(f"hooks of the chart that are not run: {', '.join(hooks)}", err=True)


def _render(folder: Path, renderer: str, values: Sequence[str]) -> Render:
    from reconciler.model.render import HelmRender, KustomizeRender, PlainRender, Render

    if values and renderer == "auto" and (folder / "Chart.yaml").is_file():
        renderer = "helm"
    if values and renderer != "helm":
        raise Terminal(Reason.INVALID_SPEC, f"--values is for Helm, and {folder} has no Chart.yaml")
    match renderer:
        case "plain":
            return Render(plain=PlainRender())
        case "kustomize":
            return Render(kustomize=KustomizeRender())
        case "helm":
            return Render(helm=HelmRender(value_files=tuple(values)))
        case _:
            return Render()


def _existing(located: Located, file: Path) -> str:
    if not file.is_file():
        raise Terminal(Reason.PATH_NOT_FOUND, f"--values {file} does not exist")
    return inside(located.root, file)


def _applications(file: Path) -> list[Application]:
    from reconciler import app
    from reconciler.model.application import Application
    from reconciler.model.document import is_ours, load
    from reconciler.model.manifest import Origin

    documents = [document for document in app.read_documents(file) if is_ours(document.value)]
    loaded = [load(document.value, Origin(str(file), document.line)) for document in documents]
    return [each for each in loaded if isinstance(each, Application)]


def _placed(application: Application, namespace: str | None) -> Application:
    metadata = application.metadata
    if namespace is None or "namespace" in metadata.model_fields_set:
        return application
    return application.model_copy(update={"metadata": metadata.model_copy(update={"namespace": namespace})})


def _one(file: Path, found: Sequence[Application], name: str | None) -> Application:
    names = [each.metadata.name for each in found]
    if not found:
        raise Terminal(Reason.INVALID_SPEC, f"{file} holds no Application of dispatch.dev/v1alpha1")
    if name is None and len(found) > 1:
        raise Terminal(
            Reason.INVALID_SPEC, f"{file} holds {len(found)} Applications ({', '.join(names)}): choose one with --name"
        )
    if name is not None and name not in names:
        raise Terminal(Reason.INVALID_SPEC, f"{file} holds no Application {name!r}: it has {', '.join(names)}")
    return found[0] if name is None else found[names.index(name)]
