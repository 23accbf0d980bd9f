"""The way back in Git: which files a revert of an Application's version touches, and what its commit says.

Not `git revert`: a commit of a repository that many Applications share may change the files of others, which are none
of our business. Only what the Application is made of goes back to what it was when it was promoted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from reconciler.core import trailers
from reconciler.core.ledger import component, read_veto, write_veto
from reconciler.model.ledger import Veto
from reconciler.model.outcome import Reason, Terminal
from reconciler.ports import Blob, Tree

_REVERTS, _APPLICATION, _VETO = "Dispatch-Reverts", "Dispatch-Application", "Dispatch-Veto"
_NAMED = 5

Files = Mapping[str, tuple[int, str]]
"""Path -> (mode, oid) of a blob."""


@dataclass(frozen=True, slots=True)
class Undo:
    """`files` is what the commit changes at the head of the branch: a file as it was, or None for one that was not.

    `untouched` are files that the version changed, and somebody else once more since: they are not written over.
    `found` is whether the version changed any file at all.
    """

    files: Mapping[str, Blob]
    untouched: tuple[str, ...] = ()
    found: bool = True

    @property
    def done(self) -> bool:
        """The head of the branch is already what was promoted: there is nothing to commit."""
        return not self.files and not self.untouched


class Reverted(NamedTuple):
    """What a commit of ours undid: the commit, `<namespace>/<application>`, and the veto on the version, if it is
    told."""

    commit: str
    application: str
    veto: Veto | None


def files_of(tree: Tree, paths: Iterable[str]) -> Files:
    """The files that the paths of a read set stand for in a tree: files, and folders with all that is below them.

    To be asked with the paths of both read sets, of the promoted and of the aborted version: a file that only one of
    them reads is a difference, too.
    """
    return {entry.path: (entry.mode, entry.oid) for path in sorted(set(paths)) for entry in tree.files(path)}


def undo(promoted: Files, aborted: Files, head: Files) -> Undo:
    """What takes `head` back to `promoted`, for the files that differ between `promoted` and `aborted`.

    A file that is at `head` as it was promoted is done; one that is there neither as promoted nor as aborted is
    somebody's later work and stays untouched.
    """
    files: dict[str, Blob] = {}
    untouched: list[str] = []
    for path in sorted(promoted.keys() | aborted.keys()):
        before, now = promoted.get(path), head.get(path)
        if before == aborted.get(path) or now == before:
            continue
        if now == aborted.get(path):
            files[path] = before
        else:
            untouched.append(path)
    apart = any(promoted.get(path) != aborted.get(path) for path in promoted.keys() | aborted.keys())
    return Undo(files, tuple(sorted({*untouched, *_in_the_way(files, head)})), apart)


def conflict(undone: Undo, aborted: str) -> Terminal | None:
    """The outcome for an undo that is not whole; None for one that is. Half of a revert would be a version that nobody
    has seen, so nothing is committed then.
    """
    if not undone.untouched:
        return None
    names = ", ".join(undone.untouched[:_NAMED])
    more = f" and {len(undone.untouched) - _NAMED} more" if len(undone.untouched) > _NAMED else ""
    return Terminal(
        Reason.REVERT_FAILED,
        f"{aborted[:10]} is not reverted: {names}{more} changed again after it, and that is not written over. "
        "Commit a version that is good, or revert by hand.",
    )


def branch_of(namespace: str, name: str, aborted: str) -> str:
    """The branch of a pull request that reverts: the same for the same version, so that there is one."""
    return f"dispatch/revert/{component(namespace)}/{component(name)}/{aborted[:10]}"


def title_of(namespace: str, name: str, subject: str) -> str:
    """The first line of the commit, and the title of the pull request. `subject` is the first line of what is
    reverted."""
    return trailers.line(f'Revert "{trailers.line(subject)}" for {namespace}/{name}')


def write(namespace: str, name: str, aborted: str, subject: str, veto: Veto) -> str:
    """The message of the commit: the title, why, and trailers that say it to programs."""
    who = f"Aborted by {veto.by}" if veto.by else "Aborted"
    return trailers.written(
        title_of(namespace, name, subject),
        f"{who}: {veto.why}" if veto.why else f"{who}.",
        ((_REVERTS, aborted), (_APPLICATION, f"{namespace}/{name}"), (_VETO, write_veto(veto))),
    )


def parse(message: str) -> Reverted | None:
    """What a commit of ours undid; None for every other commit. Never raises."""
    found = dict(trailers.read(message))
    commit, application = found.get(_REVERTS.lower(), ""), found.get(_APPLICATION.lower(), "")
    if not commit or not application:
        return None
    return Reverted(commit, application, read_veto(found.get(_VETO.lower(), "")))


def _in_the_way(files: Mapping[str, Blob], head: Files) -> set[str]:
    """Files of the head that would vanish because a file takes the place of their folder, or a folder of their name."""
    back = {path for path, blob in files.items() if blob is not None}
    staying = head.keys() - files.keys()
    folders = {above for path in back for above in _above(path)}
    return {path for path in staying if path in folders or any(above in back for above in _above(path))}


def _above(path: str) -> Iterable[str]:
    parts = path.split("/")
    return ("/".join(parts[:count]) for count in range(1, len(parts)))
