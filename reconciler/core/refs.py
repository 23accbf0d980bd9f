"""What a user's revision means among the refs of a remote."""

from __future__ import annotations

import re
from collections.abc import Mapping

from reconciler.model.outcome import Reason, Terminal
from reconciler.model.revision import Revision
from reconciler.model.suggest import nearest

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_PREFIXES = ("", "refs/", "refs/heads/", "refs/tags/")


def resolve(ref: str, refs: Mapping[str, str], url: str) -> Revision:
    """`refs` maps full refs to commits (tags peeled). Branches win over tags of the same name; 40 or 64 hex digits are
    a commit. Raises Terminal(REF_NOT_FOUND) that names the nearest ref there is.
    """
    for prefix in _PREFIXES:
        commit = refs.get(prefix + ref)
        if commit is not None:
            return Revision(ref, commit)
    if _COMMIT.fullmatch(ref):
        return Revision(ref, ref)
    known = [name.removeprefix("refs/heads/").removeprefix("refs/tags/") for name in refs if name != "HEAD"]
    near = nearest(ref, known)
    hint = f"did you mean {near}?" if near else f"it has {', '.join(sorted(known)[:8]) or 'no branch and no tag'}"
    raise Terminal(Reason.REF_NOT_FOUND, f"{url} has no branch, tag or commit {ref!r}: {hint}")


def moved(before: Mapping[str, str], now: Mapping[str, str]) -> bool:
    """Whether a branch or a tag came, went or moved: what a forge tells of as a push."""
    return _pushed(before) != _pushed(now)


def _pushed(refs: Mapping[str, str]) -> dict[str, str]:
    return {ref: commit for ref, commit in refs.items() if ref.startswith(("refs/heads/", "refs/tags/"))}


def related(one: str, other: str) -> bool:
    """Whether one path of a repository is the other, or below it; `.` and "" are all of it."""
    first, second = (f"{path.strip('/')}/" if path.strip("/") not in ("", ".") else "" for path in (one, other))
    return first.startswith(second) or second.startswith(first)
