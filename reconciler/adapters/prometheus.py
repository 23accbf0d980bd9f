"""Numbers of a Prometheus, by instant queries (Prometheus, "HTTP API": GET /api/v1/query)."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from reconciler.adapters.http import Answer, Http, NoAnswer, Request
from reconciler.ports import Measured

_TIMEOUT = 5.0
_LONGEST = 200


class Prometheus:
    """Safe to call from many threads. Nothing that goes wrong is raised: it is why there is no number."""

    def __init__(self) -> None:
        self._http = Http()

    def measure(self, address: str, query: str) -> Measured:
        """The number of each series that the query gives now; none for an empty vector. `address` is the URL below
        which `/api/v1` is."""
        url = f"{address.rstrip('/')}/api/v1/query?{urlencode({'query': query})}"
        try:
            answer = self._http.send(Request("GET", url, timeout=_TIMEOUT))
        except NoAnswer as error:
            return Measured(problem=f"{address}: {_line(str(error))}")
        body = answer.body if isinstance(answer.body, dict) else {}
        if answer.status != 200 or body.get("status") != "success":
            return Measured(problem=f"{address} refuses: {_said(answer)}")
        try:
            return Measured(_numbers(body["data"]))
        except (KeyError, TypeError, ValueError, IndexError):
            return Measured(problem=f"{address} answers with something that is no number")


def _numbers(data: Any) -> tuple[float, ...]:
    """`+Inf`, `-Inf` and `NaN` are written as text, like all numbers there."""
    if data["resultType"] == "scalar":
        return (float(data["result"][1]),)
    if data["resultType"] != "vector":
        raise ValueError("a matrix and a string are no numbers")
    return tuple(float(series["value"][1]) for series in data["result"])


def _said(answer: Answer) -> str:
    """The error of Prometheus; what else may listen at the address is not repeated."""
    said = answer.body.get("error") if isinstance(answer.body, dict) else None
    return _line(said) if isinstance(said, str) and said else f"HTTP {answer.status}"


def _line(text: str) -> str:
    plain = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(plain.split())[:_LONGEST]
