"""docs/commands.md has every verb with every option, its exit codes and an example; and none that is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from reconciler.cli.main import dispatch

PAGE = Path(__file__).parents[2] / "docs" / "commands.md"
_HEADING = re.compile(r"^#{2,3} (.+)$", re.MULTILINE)
_OPTION = re.compile(r"`(--?[a-z-]+|-[a-zA-Z])(?:[ `\[=])")
_ANCHOR = re.compile(r"\]\(#([^)]+)\)")


def commands(group: click.Group, path: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")


def sections() -> dict[str, str]:
    """Heading -> the text below it, up to the next heading of any level."""
    parts = _HEADING.split(PAGE.read_text(encoding="utf-8"))
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def options(command: click.Command) -> set[str]:
    found = {
        name
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for name in (*parameter.opts, *parameter.secondary_opts)
    }
    return found - {"--help", "-h"}


ALL = dict(commands(dispatch, "dispatch"))


@pytest.mark.parametrize("verb", ALL)
def test_every_verb_has_a_section_with_all_its_options_and_no_other(verb: str) -> None:
    table = [line for line in sections()[verb].splitlines() if line.startswith("| `-")]

    documented = {name for line in table for name in _OPTION.findall(line.split(" | ")[0] + " ")}

    assert documented == options(ALL[verb])


@pytest.mark.parametrize("verb", [verb for verb, command in ALL.items() if not isinstance(command, click.Group)])
def test_every_verb_has_exit_codes_and_an_example(verb: str) -> None:
    section = sections()[verb]

    assert re.search(r"^Exit codes: ", section, re.MULTILINE)
    assert re.search(rf"^\$ .*{re.escape(verb)}\b", section, re.MULTILINE)


def test_no_section_is_of_a_verb_that_is_gone() -> None:
    assert {heading for heading in sections() if heading.startswith("dispatch ")} == set(ALL)


def test_links_within_the_page_lead_somewhere() -> None:
    anchors = {heading.lower().replace(" ", "-") for heading in sections()}

    assert set(_ANCHOR.findall(PAGE.read_text(encoding="utf-8"))) <= anchors


@pytest.mark.parametrize("verb", [verb for verb, command in ALL.items() if not isinstance(command, click.Group)])
def test_every_choice_is_documented(verb: str) -> None:
    """`-o json|yaml` of the page has the very words of the command."""
    table = [line.replace("\\|", "|") for line in sections()[verb].splitlines() if line.startswith("| `-")]
    for parameter in ALL[verb].params:
        if isinstance(parameter, click.Option) and isinstance(parameter.type, click.Choice):
            assert any("|".join(parameter.type.choices) in line for line in table), parameter.opts
