"""What a revision means among the refs of a repository. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping

from reconciler.model.outcome import Reason, Terminal

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_ABBREVIATED = re.compile(r"[0-9a-f]{7,63}")
# git-check-ref-format(1), rules 1 and 3 to 10; rule 2 (a slash) is for full names only.
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|^[/-]|[/.]$|^@$|(?:^|/)\.|\.lock(?:/|$)")


def is_commit(text: str) -> bool:
    """Whether `text` is a whole commit id: 40 (SHA-1) or 64 (SHA-256) lower-case hex digits."""
    return _COMMIT.fullmatch(text) is not None


def is_ref(name: str) -> bool:
    """Whether a branch, a tag or a full ref may be called so (git-check-ref-format)."""
    return bool(name) and _FORBIDDEN.search(name) is None


def resolve(revision: str, refs: Mapping[str, str]) -> str:
    """The commit that a branch, a tag, a full ref or a commit id names; a branch wins over a tag of the same name.

    Raises Terminal(REF_NOT_FOUND) naming the nearest branch or tag.
    """
    if is_ref(revision):
        for full in (f"refs/heads/{revision}", f"refs/tags/{revision}", revision):
            if full in refs:
                return refs[full]
    if is_commit(revision):
        return revision
    raise not_found(revision, refs)


def not_found(revision: str, refs: Mapping[str, str]) -> Terminal:
    """The error for a revision that is not among `refs`."""
    if not is_ref(revision):
        return Terminal(
            Reason.REF_NOT_FOUND, f"{revision!r} cannot be the name of a branch or a tag (see git check-ref-format)."
        )
    if _ABBREVIATED.fullmatch(revision):
        hint = "If it is a commit, write all of its 40 digits."
    elif not refs:
        hint = "The repository is empty: push a first commit."
    else:
        hint = _nearest(revision, refs)
    return Terminal(Reason.REF_NOT_FOUND, f"no branch, tag or ref is called {revision!r}. {hint}")


def _nearest(revision: str, refs: Mapping[str, str]) -> str:
    names = {short(ref): ref for ref in refs if ref.startswith(("refs/heads/", "refs/tags/"))}
    close = difflib.get_close_matches(short(revision), names, n=1, cutoff=0.6)
    if close:
        kind = "tag" if names[close[0]].startswith("refs/tags/") else "branch"
        return f"Did you mean the {kind} {close[0]!r}?"
    known = sorted(names)
    more = f" and {len(known) - 5} more" if len(known) > 5 else ""
    return f"There are: {', '.join(known[:5])}{more}."


def short(ref: str) -> str:
    """A ref as people write it: `main` of `refs/heads/main`."""
    return ref.removeprefix("refs/heads/").removeprefix("refs/tags/")
