"""Colour on a terminal, and none where the text goes elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import click

Paint = Callable[[str, str], str]
"""(text, colour) -> the text as it is printed. The colours are click's names, `bold` stands for itself, and the empty
name leaves the text as it is."""


def colour_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--color`, as git and grep have it."""
    return click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        show_default=True,
        help="auto: on a terminal, unless $NO_COLOR is set.",
    )(command)


def painter(choice: str) -> Paint:
    """`choice` is `auto`, `always` or `never`; auto looks at standard output and at $NO_COLOR (no-color.org)."""
    auto = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return _colour if choice == "always" or (choice == "auto" and auto) else _plain


def _colour(text: str, colour: str) -> str:
    if not colour:
        return text
    return click.style(text, bold=True) if colour == "bold" else click.style(text, fg=colour)


def _plain(text: str, colour: str) -> str:
    return text
