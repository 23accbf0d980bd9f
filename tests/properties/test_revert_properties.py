"""A revert gives back what was promoted and never writes over what somebody did since, whatever the three trees are."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.revert import Files, parse, undo, write
from reconciler.model.ledger import Veto

PATHS = st.sampled_from(["a", "a/b", "a/b/c", "d", "d/e", "f"])


@st.composite
def trees(draw: st.DrawFn) -> Files:
    """No file is the folder of another."""
    tree = draw(st.dictionaries(PATHS, st.tuples(st.sampled_from([0o100644, 0o100755]), st.sampled_from("123"))))
    return {path: blob for path, blob in tree.items() if not any(other.startswith(f"{path}/") for other in tree)}


def applied(head: Files, files: object) -> Files:
    """As Git does it: a file takes away what is below it and above it."""
    assert isinstance(files, dict)
    tree = {path: blob for path, blob in head.items() if files.get(path, blob) is not None}
    for path, blob in files.items():
        if blob is not None:
            tree = {
                name: value
                for name, value in tree.items()
                if not name.startswith(f"{path}/") and not path.startswith(f"{name}/")
            }
            tree[path] = blob
    return tree


@given(trees(), trees())
def test_an_undo_of_the_head_itself_gives_what_was_promoted(promoted: Files, aborted: Files) -> None:
    undone = undo(promoted, aborted, aborted)
    assert undone.untouched == ()
    assert applied(aborted, undone.files) == promoted


@given(trees(), trees(), trees())
def test_nothing_that_somebody_did_since_is_lost(promoted: Files, aborted: Files, head: Files) -> None:
    undone = undo(promoted, aborted, head)
    for path, blob in undone.files.items():
        assert head.get(path) == aborted.get(path) != promoted.get(path) == blob
    if not undone.untouched:
        after = applied(head, undone.files)
        theirs = {path for path in head if head[path] != aborted.get(path)}
        assert {path: after.get(path) for path in theirs} == {path: head[path] for path in theirs}
        assert undo(promoted, aborted, after).done


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=80) | st.sampled_from(
    ["---\nx", "\n\nDispatch-Veto: 1"]
)


@given(TEXT, TEXT, TEXT)
def test_what_was_reverted_is_read_back_whatever_people_wrote(subject: str, why: str, by: str) -> None:
    veto = Veto("cc", (), "1" * 40, why, by, datetime(2026, 1, 1, tzinfo=UTC))
    found = parse(write("team-a", "web", "1" * 40, subject, veto))
    assert found == ("1" * 40, "team-a/web", veto)
