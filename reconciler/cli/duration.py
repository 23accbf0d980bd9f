"""A length of time on the command line."""

from __future__ import annotations

from typing import Any

import click


class Duration(click.ParamType[float]):
    """`90s`, `5m`, `1h30m`: seconds as a float, by the rule that our documents have."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        from reconciler.model.resource import parse_duration

        if isinstance(value, float | int):
            return float(value)
        try:
            return parse_duration(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
