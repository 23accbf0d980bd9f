"""`dispatch init`: a config repository that works as it is."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click

from reconciler.model.outcome import Reason, Terminal

_URL = "https://git.example.com/team/config.git"
_IMAGE = re.compile(
    r"(?P<name>[a-z0-9][a-z0-9._:/-]*?)(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_NAME = re.compile(r"[a-z]([-a-z0-9]{0,38}[a-z0-9])?")
_TOKEN = re.compile(r"__(name|namespace|url|branch|imageName|imageKey|imageVersion)__")


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--name", default="web", show_default=True, help="The first application.")
@click.option("--image", default="nginx:1.29.3", show_default=True, metavar="IMAGE:TAG", help="Its image.")
@click.option("--url", default=_URL, help="Where the repository will be pushed to.", metavar="URL")
@click.option("--branch", default="main", show_default=True, help="The branch that Dispatch follows.")
@click.option("-n", "--namespace", default="dispatch-system", show_default=True, help="The documents' namespace.")
def init(folder: Path, name: str, image: str, url: str, branch: str, namespace: str) -> None:
    """Write a config repository to DIR that works as it is.

    One application with kustomize overlays for staging and production, one Helm chart, and the documents that tell
    Dispatch to deploy them. DIR may not hold anything yet but .git.
    """
    words = {"name": name, "namespace": namespace, "url": url, "branch": branch, **_image_words(image)}
    _check_name(name)
    files = _files(words)
    _check(files)
    _refuse_occupied(folder)
    try:
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise _refused(f"cannot write {error.filename}: {error.strerror}") from error
    click.echo(_next_steps(folder, len(files), words))


def _image_words(image: str) -> dict[str, str]:
    """What an overlay says of an image: a tag or a digest, never neither."""
    match = _IMAGE.fullmatch(image)
    if match is None:
        raise click.UsageError(f"--image {image!r} is no image: write NAME:TAG, such as nginx:1.29.3")
    if match["digest"]:
        return {"imageName": match["name"], "imageKey": "digest", "imageVersion": match["digest"]}
    if match["tag"]:
        return {"imageName": match["name"], "imageKey": "newTag", "imageVersion": match["tag"]}
    raise click.UsageError(f"--image {image} names no version, so nobody could say what runs: write {image}:TAG")


def _check_name(name: str) -> None:
    """A Service's name (RFC 1035 label), and no word that YAML takes for something else."""
    from reconciler.adapters.render.documents.scalars import plain

    if not _NAME.fullmatch(name) or plain(name) != name:
        raise click.UsageError(
            f"--name {name!r} cannot be used: lower case letters, digits and `-`, at most 40, a letter in front, "
            "and no word of YAML such as yes or null"
        )
    if name == "cache":
        raise click.UsageError("--name cache is what the example of a Helm chart is called: choose another")


def _files(words: dict[str, str]) -> dict[str, str]:
    """Path below the folder -> text."""
    from reconciler.cli.templates import template_folder
    from reconciler.cli.writing import as_yaml

    scalars = {key: as_yaml(words[key]).removesuffix("...\n").strip() for key in ("namespace", "url", "branch")}
    top = template_folder("config-repository")
    return {
        _filled(path.relative_to(top).as_posix(), words): _filled(
            path.read_text(encoding="utf-8"), words | scalars if path.suffix == ".yaml" else words
        )
        for path in sorted(top.rglob("*"))
        if path.is_file()
    }


def _filled(text: str, words: dict[str, str]) -> str:
    return _TOKEN.sub(lambda match: words[match[1]], text)


def _check(files: dict[str, str]) -> None:
    """A word of the user that would make a document invalid is refused before anything is written."""
    from reconciler.cli.checks import Checked, check
    from reconciler.cli.document_files import Expect

    checked = Checked()
    for path, text in files.items():
        if path.startswith("dispatch/"):
            check(text.encode(), path, Expect.OBJECT, checked)
    if checked.findings:
        told = "\n".join(str(finding) for finding in checked.findings[:3])
        raise click.UsageError(f"these options would give documents that are not valid:\n{told}")


def _refuse_occupied(folder: Path) -> None:
    if not folder.is_dir():
        if folder.exists():
            raise _refused(f"{folder} is a file: name a folder")
        return
    present = sorted(path.name for path in folder.iterdir() if path.name != ".git")
    if present:
        more = f" and {len(present) - 5} more" if len(present) > 5 else ""
        raise _refused(
            f"{folder} is not empty: {', '.join(present[:5])}{more}. Nothing was written. "
            "Name a new folder, or move these away"
        )


def _refused(message: str) -> Terminal:
    return Terminal(Reason.INVALID_SPEC, message)


def _next_steps(folder: Path, count: int, words: dict[str, str]) -> str:
    where, branch = shlex.quote(str(folder)), shlex.quote(words["branch"])
    file = words["url"].startswith("file://")
    steps = [
        f"dispatch validate {where}",
        f"dispatch render {where}/apps/{words['name']}/overlays/staging",
        f"cd {where}",
        *([] if (folder / ".git").exists() else [f"git init -b {branch}"]),
        "git add . && git commit -m 'What runs where'",
        f"git push {shlex.quote(words['url'])} HEAD:{branch}",
        "dispatch install",
        "kubectl apply -f dispatch/",
        "dispatch run --allow-file-repositories" if file else "dispatch run",
    ]
    lines = [
        f"Wrote {count} files to {folder}; README.md explains them.",
        "",
        "Next:",
        *(f"  {step}" for step in steps),
    ]
    if words["url"] == _URL:
        lines += ["", f"First put the repository's address into {folder}/dispatch/repository.yaml (or use --url)."]
    return "\n".join(lines)
