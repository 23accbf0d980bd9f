"""The way back in Git touches what the version changed, and nothing that somebody did since."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.adapters.git import FolderTree
from reconciler.core.revert import Reverted, Undo, branch_of, conflict, files_of, parse, title_of, undo, write
from reconciler.model.ledger import Veto
from reconciler.model.outcome import Reason

COMMIT = "0123456789abcdef0123456789abcdef01234567"
VETO = Veto("cc", ("web:2",), COMMIT, "errors at 7%\nlimit 1%", "", datetime(2026, 11, 26, tzinfo=UTC))


def plain(**files: str) -> dict[str, tuple[int, str]]:
    return {name: (0o100644, oid) for name, oid in files.items()}


def test_what_the_version_changed_goes_back() -> None:
    before, after = plain(same="1", changed="1", deleted="1"), plain(same="1", changed="2", added="2")
    expected = {"changed": (0o100644, "1"), "deleted": (0o100644, "1"), "added": None}
    assert undo(before, after, after) == Undo(expected)


def test_a_mode_is_a_change_too() -> None:
    before, after = {"run": (0o100755, "1")}, plain(run="1")
    assert undo(before, after, after) == Undo({"run": (0o100755, "1")})


def test_what_others_changed_elsewhere_stays() -> None:
    before, after = plain(a="1", b="1"), plain(a="2", b="1")
    assert undo(before, after, plain(a="2", b="9", new="9")) == Undo({"a": (0o100644, "1")})


def test_what_is_back_already_is_done() -> None:
    before, after = plain(a="1", b="1"), plain(a="2", b="2")
    assert undo(before, after, plain(a="1", b="2")) == Undo({"b": (0o100644, "1")})
    assert undo(before, after, before).done
    assert undo(before, before, after).done
    assert undo(before, after, before).found
    assert not undo(before, before, after).found


@pytest.mark.parametrize("now", [{"a": "3"}, {}])
def test_what_changed_again_is_named_and_not_written_over(now: dict[str, str]) -> None:
    undone = undo(plain(a="1", b="1"), plain(a="2", b="2"), plain(b="2", **now))
    assert undone == Undo({"b": (0o100644, "1")}, ("a",))
    assert not undone.done
    outcome = conflict(undone, COMMIT)
    assert outcome is not None and outcome.reason == Reason.REVERT_FAILED
    assert "0123456789 is not reverted: a changed again after it" in outcome.message


def test_a_file_that_was_added_and_changed_again_is_not_taken_out() -> None:
    assert undo({}, plain(a="1"), plain(a="2")) == Undo({}, ("a",))


def test_an_undo_that_is_whole_is_no_conflict() -> None:
    assert conflict(Undo({"a": None}), COMMIT) is None
    assert conflict(Undo({}), COMMIT) is None


def test_of_many_conflicts_some_are_named_and_the_rest_counted() -> None:
    outcome = conflict(Undo({}, tuple("abcdefgh")), COMMIT)
    assert outcome is not None and "a, b, c, d, e and 3 more changed again" in outcome.message


def test_a_folder_that_took_the_place_of_a_file_gives_it_back() -> None:
    before, after = plain(a="1"), {"a/x": (0o100644, "2")}
    assert undo(before, after, after) == Undo({"a": (0o100644, "1"), "a/x": None})


def test_a_new_file_in_such_a_folder_does_not_vanish_with_it() -> None:
    before, after = plain(a="1"), {"a/x": (0o100644, "2")}
    assert undo(before, after, {**after, "a/new": (0o100644, "3")}).untouched == ("a/new",)


def test_a_new_file_that_took_the_place_of_a_folder_does_not_vanish() -> None:
    before = {"a/x": (0o100644, "2")}
    assert undo(before, {}, plain(a="3")).untouched == ("a",)


def test_the_paths_of_a_read_set_are_files_folders_and_what_is_not_there(tmp_path: Path) -> None:
    for name in ("web/a.yaml", "web/deep/b.yaml", "base/c.yaml", "other/d.yaml"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    found = files_of(FolderTree(tmp_path), ["web", "base/c.yaml", "absent", "web/a.yaml"])
    assert sorted(found) == ["base/c.yaml", "web/a.yaml", "web/deep/b.yaml"]


def test_the_message_says_what_for_people_and_for_programs() -> None:
    text = write("team-a", "web", COMMIT, "Take web 2", VETO)
    assert text == (
        'Revert "Take web 2" for team-a/web\n'
        "\n"
        "Aborted: errors at 7%\nlimit 1%\n"
        "\n"
        f"Dispatch-Reverts: {COMMIT}\n"
        "Dispatch-Application: team-a/web\n"
        f'Dispatch-Veto: {{"template":"cc","images":["web:2"],"commit":"{COMMIT}",'
        '"why":"errors at 7%\\nlimit 1%","at":"2026-11-26T00:00:00Z"}\n'
    )
    assert parse(text) == Reverted(COMMIT, "team-a/web", VETO)


def test_the_subject_of_somebody_else_stays_one_line() -> None:
    assert title_of("n", "a", 'x "y"\n\nDispatch-Reverts: 1') == 'Revert "x "y" Dispatch-Reverts: 1" for n/a'


@pytest.mark.parametrize(
    "message",
    ["", "Revert", f"Dispatch-Reverts: {COMMIT}\nDispatch-Application: a/b", f"x\n\nDispatch-Reverts: {COMMIT}"],
)
def test_every_other_commit_reverts_nothing(message: str) -> None:
    assert parse(message) is None


def test_a_revert_of_one_version_has_one_branch() -> None:
    assert branch_of("team-a", "web", COMMIT) == "dispatch/revert/team-a/web/0123456789"
