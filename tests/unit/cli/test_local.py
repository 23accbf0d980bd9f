"""A folder is found in its repository, whether git knows of it or not."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.cli.local import inside, locate, repository_root
from reconciler.model.outcome import Reason, Terminal


def write(path: Path, text: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_root_is_the_nearest_folder_with_git(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "inner/.git").mkdir(parents=True)
    (tmp_path / "inner/apps/web").mkdir(parents=True)

    assert locate(tmp_path / "inner/apps/web") == (tmp_path / "inner", "apps/web")


def test_a_work_tree_has_a_file_called_git(tmp_path: Path) -> None:
    write(tmp_path / ".git", "gitdir: /elsewhere\n")
    (tmp_path / "web").mkdir()

    assert locate(tmp_path / "web") == (tmp_path, "web")


def test_without_git_a_folder_is_its_own_root(tmp_path: Path) -> None:
    assert locate(tmp_path) == (tmp_path, "")


def test_without_git_the_root_holds_every_base(tmp_path: Path) -> None:
    write(tmp_path / "team/overlays/staging/kustomization.yaml", "resources:\n- ../../base\n")
    write(tmp_path / "team/base/kustomization.yaml", "resources: [deep/er]\n")
    write(tmp_path / "team/base/deep/er/kustomization.yaml", 'components:\n- "../../../../shared"\n')
    write(tmp_path / "shared/kustomization.yaml", "kind: Component\n")

    assert locate(tmp_path / "team/overlays/staging") == (tmp_path, "team/overlays/staging")


def test_bases_that_name_each_other_end(tmp_path: Path) -> None:
    write(tmp_path / "a/kustomization.yaml", "resources: [../b]\n")
    write(tmp_path / "b/kustomization.yaml", "resources: [../a]\n")

    assert locate(tmp_path / "a") == (tmp_path, "a")


def test_an_absolute_path_and_a_url_in_a_kustomization_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path / "a/kustomization.yaml", "resources: [/etc, https://example.com/../x, ../missing]\n")

    assert locate(tmp_path / "a") == (tmp_path / "a", "")


def test_values_beside_a_chart_are_inside_the_root(tmp_path: Path) -> None:
    (tmp_path / "chart").mkdir()
    values = write(tmp_path / "values/prod.yaml")

    assert locate(tmp_path / "chart", [values]) == (tmp_path, "chart")


def test_the_root_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/.git").mkdir()

    assert locate(tmp_path / "a/b", root=tmp_path) == (tmp_path, "a/b")


def test_a_folder_outside_of_the_root_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    with pytest.raises(Terminal, match="outside of the repository") as caught:
        locate(tmp_path / "a", root=tmp_path / "b")
    assert caught.value.reason is Reason.PATH_NOT_FOUND


@pytest.mark.parametrize(("name", "words"), [("nothing", "does not exist"), ("file", "is a file")])
def test_what_is_no_folder_is_named(tmp_path: Path, name: str, words: str) -> None:
    write(tmp_path / "file")

    with pytest.raises(Terminal, match=words):
        locate(tmp_path / name)


def test_a_root_that_is_no_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(Terminal, match=r"--root .* is not a folder"):
        locate(tmp_path, root=tmp_path / "nothing")


def test_a_link_is_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "repository/.git").mkdir(parents=True)
    (tmp_path / "repository/web").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "repository/web")

    assert locate(tmp_path / "link") == (tmp_path / "repository", "web")
    assert inside(tmp_path / "repository", tmp_path / "link") == "web"


def test_the_repository_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "repository/.git").mkdir(parents=True)
    held = write(tmp_path / "repository/apps/web.yaml")
    alone = write(tmp_path / "alone/web.yaml")

    assert repository_root(held) == tmp_path / "repository"
    assert repository_root(alone) == tmp_path / "alone"
