"""`dispatch init`: what it writes works as it is, from a checkout and from the wheel."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import click
import pytest
import yaml
from command_line import dispatch, dispatch_process

from reconciler.cli.main import dispatch as command

_ROOT = Path(__file__).parents[2]


def texts(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def init(folder: Path, *words: str) -> dict[str, str]:
    ran = dispatch("init", folder, *words)
    assert (ran.code, ran.err) == (0, ""), ran
    return texts(folder)


def test_what_is_written_is_valid(tmp_path: Path) -> None:
    init(tmp_path / "config")
    ran = dispatch("validate", tmp_path / "config")
    assert ran.code == 0, ran.out
    assert "5 of Dispatch's kinds" in ran.out


@pytest.mark.parametrize(("environment", "replicas"), [("staging", 1), ("production", 3)])
def test_what_is_written_renders(tmp_path: Path, environment: str, replicas: int) -> None:
    """By the Applications that are written, with kustomize and Helm themselves."""
    init(tmp_path / "config")
    documents = yaml.safe_load_all((tmp_path / "config" / "dispatch" / f"{environment}.yaml").read_text())
    rendered = {}
    for number, application in enumerate(documents):
        file = tmp_path / "config" / f"{number}.yaml"
        file.write_text(yaml.safe_dump(application))
        ran = dispatch("render", "-f", file)
        assert ran.code == 0, ran.err
        for each in yaml.safe_load_all(ran.out):
            rendered[each["kind"], each["metadata"]["name"].partition("-settings-")[0]] = each
    assert sorted(rendered) == [
        ("ConfigMap", "web"),
        ("Deployment", "cache"),
        ("Deployment", "web"),
        ("Service", "cache"),
        ("Service", "web"),
    ]
    assert rendered["Deployment", "web"]["spec"]["replicas"] == replicas
    assert rendered["Deployment", "cache"]["spec"]["replicas"] == replicas
    assert rendered["ConfigMap", "web"]["data"] == {"LOG_LEVEL": "info", "ENVIRONMENT": environment}
    (container,) = rendered["Deployment", "web"]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "nginx:1.29.3"
    used = container["envFrom"][0]["configMapRef"]["name"]
    assert used == rendered["ConfigMap", "web"]["metadata"]["name"]


def test_the_words_of_the_user_are_in_it(tmp_path: Path) -> None:
    written = init(
        tmp_path / "config",
        *("--name", "shop", "--image", "shop:2.0@sha256:" + "a" * 64, "--url", "git@git.example.com:shop/config.git"),
        *("--branch", "release/1.0", "-n", "gitops"),
    )
    repository = yaml.safe_load(written["dispatch/repository.yaml"])
    assert repository["spec"] == {
        "url": "git@git.example.com:shop/config.git",
        "branch": "release/1.0",
        "interval": "1m",
    }
    overlay = yaml.safe_load(written["apps/shop/overlays/staging/kustomization.yaml"])
    assert overlay["images"] == [{"name": "shop", "digest": "sha256:" + "a" * 64}]
    applications = list(yaml.safe_load_all(written["dispatch/production.yaml"]))
    assert {each["metadata"]["namespace"] for each in applications} == {"gitops"}
    assert applications[0]["spec"]["source"]["path"] == "apps/shop/overlays/production"
    assert not [name for name, text in written.items() if re.search(r"__[a-zA-Z]+__", name + text)]


@pytest.mark.parametrize("word", ["1.0", "yes", "null", "1e3", "0x1", "~x"])
def test_a_word_that_yaml_would_take_for_something_else_stays_text_or_is_refused(tmp_path: Path, word: str) -> None:
    ran = dispatch("init", tmp_path / "config", "--branch", word)
    if ran.code == 0:
        written = yaml.safe_load((tmp_path / "config" / "dispatch" / "repository.yaml").read_text())
        assert written["spec"]["branch"] == word
        assert dispatch("validate", tmp_path / "config").code == 0
    else:
        assert "spec.branch" in ran.err
        assert not (tmp_path / "config").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--image", "nginx"], "--image nginx names no version"),
        (["--image", "x y:1"], "is no image"),
        (["--image", "nginx:1\n"], "is no image"),
        (["--name", "Web"], "--name 'Web' cannot be used"),
        (["--name", "yes"], "--name 'yes' cannot be used"),
        (["--name", "1a"], "--name '1a' cannot be used"),
        (["--name", "../x"], "--name '../x' cannot be used"),
        (["--name", "a" * 41], "cannot be used"),
        (["--name", "cache"], "choose another"),
        (["--url", "ftp://x/y"], "spec.url"),
        (["--url", "https://me:hunter2@h/x"], "spec.url"),
        (["--branch", "a b"], "spec.branch"),
        (["-n", "A"], "metadata.namespace"),
    ],
)
def test_a_word_that_cannot_be_used_is_refused_before_anything_is_written(
    tmp_path: Path, words: list[str], message: str
) -> None:
    ran = dispatch("init", tmp_path / "config", *words)
    assert ran.code == 2
    assert message in ran.err
    assert "hunter2" not in ran.err + ran.out
    assert not (tmp_path / "config").exists()


def test_a_folder_with_something_in_it_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("x")
    ran = dispatch("init", tmp_path)
    assert ran.code == 2
    assert "is not empty: mine.txt. Nothing was written" in ran.err
    assert texts(tmp_path) == {"mine.txt": "x"}
    ran = dispatch("init", tmp_path / "mine.txt")
    assert (ran.code, texts(tmp_path)) == (2, {"mine.txt": "x"})
    assert "is a file" in ran.err


def test_a_fresh_git_repository_and_an_empty_folder_are_good_places(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", tmp_path / "cloned"], check=True)
    ran = dispatch("init", tmp_path / "cloned")
    assert ran.code == 0
    assert "git init" not in ran.out
    (tmp_path / "empty").mkdir()
    ran = dispatch("init", tmp_path / "empty")
    assert ran.code == 0
    assert "git init" in ran.out


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = dispatch("init", tmp_path / "file" / "config")
    assert ran.code == 2
    assert "cannot write" in ran.err


def commands(text: str) -> list[list[str]]:
    return [shlex.split(line) for line in re.findall(r"(?:^  |`)(dispatch [^`\n]+?)(?:`|$)", text, re.MULTILINE)]


def test_every_command_that_it_tells_of_exists_with_its_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = dispatch("init", tmp_path / "config", "--url", "file:///srv/config.git")
    monkeypatch.chdir(tmp_path / "config")
    told = commands(ran.out) + commands((tmp_path / "config" / "README.md").read_text())
    assert len(told) > 8
    for _, verb, *words in told:
        with click.Context(command) as context:
            found = command.get_command(context, verb)
            assert found is not None, verb
            found.make_context(verb, list(words), parent=context)


def test_every_folder_that_the_readme_names_is_there(tmp_path: Path) -> None:
    written = init(tmp_path / "config")
    named = re.findall(r"`((?:apps|dispatch)(?:/[\w.-]+)*)`", written["README.md"])
    assert len(set(named)) > 4
    assert [name for name in named if not (tmp_path / "config" / name).exists()] == []


def test_no_registry_is_named() -> None:
    for name, text in texts(_ROOT / "gitops-templates").items():
        assert not re.search(r"(docker|ghcr|quay|gcr|registry)\.", text), name


def test_it_works_from_the_wheel(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "dist")]
    subprocess.run(build, cwd=_ROOT, check=True, capture_output=True)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    main = f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r})\n"
    main += "import reconciler.cli.main as m; assert '/site/' in m.__file__; m.main()"
    ran = dispatch_process("init", tmp_path / "wheel", cwd=tmp_path, main=main)
    assert ran.code == 0, ran.err
    assert texts(tmp_path / "wheel") == init(tmp_path / "checkout")
