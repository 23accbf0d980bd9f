"""`status.conditions`, as the API conventions shape them (sig-architecture, api-conventions.md, Typical status)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from reconciler.core.health.fields import Malformed, integer, items, text
from reconciler.core.health.verdict import because


class Condition(NamedTuple):
    """`status` is True, False or Unknown; `observed` is the generation that it speaks of, None when it does not say."""

    type: str
    status: str
    reason: str
    message: str
    observed: int | None

    @property
    def true(self) -> bool:
        return self.status == "True"

    @property
    def false(self) -> bool:
        return self.status == "False"

    @property
    def why(self) -> str:
        """`Reason: message`, fit to be shown."""
        return because(self.reason, self.message)


def every(document: Any, *types: str) -> Iterator[Condition]:
    """The conditions of the given types, or all of them, in the order in which they stand.

    Raises Malformed for a wrong type in a condition that is asked for; the others are not looked at.
    """
    for item in items(document, "status", "conditions"):
        try:
            kind = text(item, "type")
            if types and kind not in types:
                continue
            observed = integer(item, "observedGeneration") if item.get("observedGeneration") is not None else None
            found = Condition(kind, _status(item), text(item, "reason"), text(item, "message"), observed)
        except Malformed as error:
            raise error.within("status", "conditions", "[]") from None
        yield found


def _status(item: dict[str, Any]) -> str:
    """Text by the API conventions; a kind with a loose schema, or a file, may hold the boolean, which is as clear."""
    status = item.get("status")
    return str(status) if status is True or status is False else text(item, "status")


def one(document: Any, kind: str) -> Condition | None:
    """The condition of that type, None when the controller has not set it."""
    return next(every(document, kind), None)
