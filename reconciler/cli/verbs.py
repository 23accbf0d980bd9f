"""A group of verbs that is a table: each verb's module is imported only when the verb is run."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click


class Verbs(click.Group):
    """`--help` reads the table (verb -> what it does); the command is `<verb>` in the module `<package>.<verb>`."""

    def __init__(self, *args: Any, verbs: Mapping[str, str], package: str, **more: Any) -> None:
        super().__init__(*args, **more)
        self._verbs = verbs
        self._package = package

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._verbs:
            return None
        command: click.Command = getattr(importlib.import_module(f"{self._package}.{cmd_name}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self._verbs.items()))
