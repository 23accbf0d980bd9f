"""`dispatch rollout watch`: a rollout drawn live until it is promoted or aborted."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reconciler.cli.colour import colour_option
from reconciler.cli.options import cluster_options, namespace_option

if TYPE_CHECKING:
    from reconciler.cli.colour import Paint
    from reconciler.cli.rollout.picture import Picture
    from reconciler.cli.rollout.watching import Watching

_TICK = 1.0
"""Seconds between two drawings while nothing happens: the ages go on."""
_REST = 0.1
"""Seconds between two drawings at least: a burst of events is one picture."""


@click.command()
@click.argument("name")
@namespace_option
@click.option("--rollout", "only", metavar="NAME", help="Only this one, where the Application has several.")
@colour_option
@cluster_options
def watch(
    name: str, namespace: str, only: str | None, color: str, kubeconfig: Path | None, context: str | None
) -> None:
    """Draw a rollout live: its steps, weights, pods of both versions, analyses, and what Dispatch decides.

    In a pipe it prints a line for each change instead. Exit code 0 once the version is promoted, 1 once it is aborted.

    \b
    Example:
      dispatch rollout watch shop -n team-a
    """
    from reconciler import app
    from reconciler.cli.colour import painter
    from reconciler.cli.rollout.watching import Watching

    with closing(app.connect(app.Settings(kubeconfig, context))) as cluster:
        watching = Watching(cluster, namespace, name)
        shown = Screen(painter(color)) if sys.stdout.isatty() else Lines()
        try:
            done = _until_done(watching, shown, f"{namespace}/{name}", only)
        except KeyboardInterrupt:
            raise SystemExit(130) from None
        finally:
            watching.stop()
            shown.close()
    raise SystemExit(0 if done else 1)


def _until_done(watching: Watching, shown: Screen | Lines, place: str, only: str | None) -> bool:
    """Whether all of them were promoted. Ends once each is promoted or aborted."""
    from reconciler.cli.rollout.picture import pictures

    while True:
        watching.changed.wait(_TICK)
        watching.changed.clear()
        scene = watching.scene()
        if scene is None:
            continue
        now = datetime.now(UTC)
        drawn = [each for each in pictures(scene, now) if only in (None, each.id.name)]
        if not drawn:
            _nothing(scene.notes, place, only)
        shown.show(drawn, scene.notes, now)
        if all(each.done is not None for each in drawn):
            return all(each.done for each in drawn)
        time.sleep(_REST)


def _nothing(notes: Sequence[str], place: str, only: str | None) -> None:
    which = f" {only!r}" if only else ""
    why = "".join(f"\n{note}" for note in notes)
    click.echo(
        f"Application {place} has no Rollout{which}: its strategy is rolling, or it is not applied yet{why}", err=True
    )
    raise SystemExit(1)


class Lines:
    """For a pipe: one line for each change of each Rollout, with the time in front."""

    def __init__(self) -> None:
        self._told: dict[object, str] = {}
        self._noted: set[str] = set()

    def show(self, drawn: Sequence[Picture], notes: Sequence[str], now: datetime) -> None:
        from reconciler.cli.age import stamp
        from reconciler.cli.rollout.drawing import line

        for note in notes:
            if note not in self._noted:
                self._noted.add(note)
                click.echo(f"not shown: {note}", err=True)
        for picture in drawn:
            text = line(picture)
            if self._told.get(picture.id) != text:
                self._told[picture.id] = text
                click.echo(f"{stamp(now)} {text}")

    def close(self) -> None:
        """Nothing is left to be done."""


class Screen:
    """For a terminal: the last picture is drawn over. What is on the screen at the end stays there."""

    def __init__(self, paint: Paint) -> None:
        self._paint = paint
        self._height = 0
        click.echo("\x1b[?25l", nl=False, color=True)

    def show(self, drawn: Sequence[Picture], notes: Sequence[str], now: datetime) -> None:
        from reconciler.cli.rollout.drawing import painted, panel

        size = shutil.get_terminal_size()
        width, height = max(size.columns - 1, 20), max(size.lines - 1, 5)
        lines: list[str] = []
        for picture in drawn:
            lines += [*([""] if lines else []), *panel(picture, now, width, self._paint)]
        lines += [painted([(f"not shown: {note}", "")], width, self._paint) for note in notes]
        if len(lines) > height:
            lines = [*lines[: height - 1], f"… {len(lines) - height + 1} more lines: make the terminal higher"[:width]]
        # One write: a picture that comes in pieces flickers.
        back = f"\x1b[{self._height}A" if self._height else ""
        click.echo(back + "".join(f"{text}\x1b[K\n" for text in lines) + "\x1b[J", nl=False, color=True)
        self._height = len(lines)

    def close(self) -> None:
        click.echo("\x1b[?25h", nl=False, color=True)
