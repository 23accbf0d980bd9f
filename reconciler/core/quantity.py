"""Kubernetes' numbers with a unit: `500m`, `1Gi`, `2e3` (apimachinery, pkg/api/resource/quantity.go)."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

_SHAPE = re.compile(
    r"(?P<number>[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+))((?P<unit>[numkMGTPE]|[KMGTPE]i)|[eE](?P<power>[+-]?[0-9]{1,3}))?"
)
_DECIMAL = {
    unit: Decimal(10) ** power for unit, power in zip("numkMGTPE", (-9, -6, -3, 3, 6, 9, 12, 15, 18), strict=True)
}
_BINARY = {f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", start=1)}
_UNITS = {**_DECIMAL, **_BINARY}


def same_quantity(one: Any, other: Any) -> bool:
    """True for two spellings of one number: `1`, `"1"` and `"1000m"`; False for what is no quantity."""
    number = _number(one)
    return number is not None and number == _number(other)


def _number(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    found = _SHAPE.fullmatch(str(value))
    if found is None:
        return None
    number = Decimal(found["number"])
    if found["power"]:
        return number.scaleb(int(found["power"]))
    return number * _UNITS[found["unit"]] if found["unit"] else number
