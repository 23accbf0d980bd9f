"""Where a running Dispatch has its gates and its Prometheus, read from the AnalysisTemplates that it wrote."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

_FROM_HERE = "/{{args.namespace}}/"


class Addresses(NamedTuple):
    """Empty where no template tells."""

    gates: str = ""
    prometheus: str = ""


def found_in(templates: Iterable[Mapping[str, Any]]) -> Addresses:
    """The addresses that most of them name."""
    gates: list[str] = []
    prometheus: list[str] = []
    for template in templates:
        for metric in (template.get("spec") or {}).get("metrics") or ():
            provider = metric.get("provider") or {}
            url = str((provider.get("web") or {}).get("url", ""))
            if metric.get("name") == "gate" and _FROM_HERE in url:
                gates.append(url.partition(_FROM_HERE)[0])
            elif address := (provider.get("prometheus") or {}).get("address"):
                prometheus.append(str(address))
    return Addresses(_commonest(gates), _commonest(prometheus))


def _commonest(texts: list[str]) -> str:
    return max(sorted(set(texts)), key=texts.count, default="")
