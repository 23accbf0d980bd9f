"""What the adapters of all forges make of a pull request that was read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from reconciler.model.outcome import Blocked, Reason, Transient
from reconciler.ports import PullRequest

# How long a merge waits that the forge's rules forbid.
_RULES_WAIT = 60.0
# The worse one wins where two things of one context disagree.
_WORSE = ("success", "pending", "error", "failure")


def still(found: PullRequest, expected_head: str) -> None:
    """Raises Transient(CONFLICT) when the branch has moved, Blocked when the pull request was closed."""
    if found.state == "closed":
        words = f"{found.url} was closed without merging. Reopen it to go on"
        raise Blocked(Reason.MERGE_BLOCKED, f"{words}.", _RULES_WAIT)
    if found.head_commit != expected_head:
        raise Transient(
            Reason.CONFLICT,
            f"{found.url} is at {found.head_commit[:10]} and not at {expected_head[:10]} any more: somebody else "
            "has written to its branch. It is read again.",
        )


def still_open(found: PullRequest | None, gone: str) -> PullRequest:
    """The one that a forge says is there already. Raises Transient(CONFLICT), saying that `gone` was closed, when it
    is not open any more."""
    if found is None or found.state != "open":
        raise Transient(Reason.CONFLICT, f"{gone} was closed meanwhile. It is read again.")
    return found


def account(user: Any, name: str = "login") -> str:
    """What the forge calls somebody; empty where it names nobody."""
    return str((user or {}).get(name, ""))


def waits(found: PullRequest, why: str, wait: float = _RULES_WAIT) -> Blocked:
    """The outcome for a merge that the forge does not let through now; `wait` is in seconds."""
    return Blocked(Reason.MERGE_BLOCKED, f"{found.url} cannot be merged yet: {why}", wait)


def moment(text: object) -> datetime | None:
    """A time of RFC 3339; None for none. Gitea writes the year 1 for "not yet"."""
    if not isinstance(text, str):
        return None
    at = datetime.fromisoformat(text)
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return at if at.year > 1 else None


def worst(states: Iterable[tuple[str, str]]) -> dict[str, str]:
    """(context, state) -> the state of each context."""
    found: dict[str, str] = {}
    for context, state in states:
        before = found.get(context, state)
        found[context] = max(before, state, key=_WORSE.index)
    return found
