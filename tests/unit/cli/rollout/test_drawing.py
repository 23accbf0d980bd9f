"""A rollout as it is drawn: exactly these lines, at the widths of a small and of a usual terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rollout_documents import NEW, NOW, OLD, SETS, application, blue_green, pod, rollout, run, scene

from reconciler.cli.colour import Paint
from reconciler.cli.rollout.drawing import bar, line, painted, panel
from reconciler.cli.rollout.picture import Picture, Scene, pictures
from reconciler.cli.table import columns


def plain(text: str, colour: str) -> str:
    return text


def marked(text: str, colour: str) -> str:
    """A colour that can be seen in the expected text."""
    return f"<{colour}:{text}>"


def picture(of: Scene) -> Picture:
    (found,) = pictures(of, NOW)
    return found


def drawn(of: Scene, width: int = 80, paint: Paint = plain) -> str:
    return "\n".join(panel(picture(of), NOW, width, paint)) + "\n"


FLIGHT = scene(None, run(2, "Running", "0.01", "[0.0212345]", "NaN", successful=2, inconclusive=1))
ABORT = {
    "abort": True,
    "abortedAt": "2026-11-26T04:32:50Z",
    "currentStepIndex": 0,
    "phase": "Degraded",
    "message": 'RolloutAborted: metric "errors" assessed Failed due to failed (1) > failureLimit (0)',
    "pauseConditions": None,
    "controllerPause": None,
}
ABORTED = scene(rollout(ABORT), run(2, "Failed", "0.9", failed=1))
BLUE_GREEN = scene(blue_green())

IN_FLIGHT_80 = """\
shop/web  canary  Paused  60s: CanaryPauseStep

new       58889b8968  4444444444  nginx:1.29.4
stable    c475f9f49  3333333333  nginx:1.29.3

steps     ✓  1  weight 25%
          ▶  2  pause until approved  for 60s
          ·  3  gate: approval
          ·  4  weight 60%
          ·  5  pause 20s

weight    ██████████░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  25%  set
pods      █████████████░░░░░░░░░░░░░░░░░░░░░░░░░░░  33%  1 of 3 ready

new       58889b8968  1/1 ready
          ● web-58889b8968-h6h98
stable    c475f9f49  2/3 ready
          ● web-c475f9f49-574wk
          ● web-c475f9f49-5gjvh
          ○ web-c475f9f49-rmgsv  waiting to be scheduled

analysis  step 3  Running
            errors  ✓2 ?1  0.01 0.02123 nan

Dispatch  hold: version 58889b8968 at step 2 of 5 waits for a person: `dispatch
          rollout promote web`
"""

ABORTED_120 = """\
shop/web  canary  Aborted: RolloutAborted: metric "errors" assessed Failed due to failed (1) > failureLimit (0)

new       58889b8968  4444444444  nginx:1.29.4
stable    c475f9f49  3333333333  nginx:1.29.3

steps     ·  1  weight 25%
          ·  2  pause until approved
          ·  3  gate: approval
          ·  4  weight 60%
          ·  5  pause 20s

weight    ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░   0%  set
pods      █████████████░░░░░░░░░░░░░░░░░░░░░░░░░░░  33%  1 of 3 ready

new       58889b8968  1/1 ready
          ● web-58889b8968-h6h98
stable    c475f9f49  2/3 ready
          ● web-c475f9f49-574wk
          ● web-c475f9f49-5gjvh
          ○ web-c475f9f49-rmgsv  waiting to be scheduled

analysis  step 3  Failed
            errors  ✗1  0.9

Dispatch  hold: version 58889b8968 at step 2 of 5 waits for a person: `dispatch rollout promote web`
"""

BLUE_GREEN_80 = """\
shop/web  blue/green  Paused  60s: BlueGreenPause

new       58889b8968  4444444444  nginx:1.29.4
stable    c475f9f49  3333333333  nginx:1.29.3

steps     ✓  1  pods of the new version
          ✓  2  analysis before the switch
          ▶  3  pause until approved  for 60s
          ·  4  switch of web

new       58889b8968  1/1 ready
          ● web-58889b8968-h6h98
stable    c475f9f49  2/3 ready
          ● web-c475f9f49-574wk
          ● web-c475f9f49-5gjvh
          ○ web-c475f9f49-rmgsv  waiting to be scheduled

Dispatch  hold: version 58889b8968 at step 2 of 5 waits for a person: `dispatch
          rollout promote web`
"""

IN_FLIGHT_40 = """\
shop/web  canary  Paused  60s: CanaryPa…

new       58889b8968  4444444444  nginx…
stable    c475f9f49  3333333333  nginx:…

steps     ✓  1  weight 25%
          ▶  2  pause until approved  f…
          ·  3  gate: approval
          ·  4  weight 60%
          ·  5  pause 20s

weight    ██░░░░░░░░  25%  set
pods      ███░░░░░░░  33%  1 of 3 ready

new       58889b8968  1/1 ready
          ● web-58889b8968-h6h98
stable    c475f9f49  2/3 ready
          ● web-c475f9f49-574wk
          ● web-c475f9f49-5gjvh
          ○ web-c475f9f49-rmgsv  waitin…

analysis  step 3  Running
            errors  ✓2 ?1  0.01 0.02123…

Dispatch  hold: version 58889b8968 at
          step 2 of 5 waits for a
          person: `dispatch rollout
          promote web`
"""


@pytest.mark.parametrize(
    ("of", "width", "expected"),
    [
        (FLIGHT, 80, IN_FLIGHT_80),
        (FLIGHT, 40, IN_FLIGHT_40),
        (ABORTED, 120, ABORTED_120),
        (BLUE_GREEN, 80, BLUE_GREEN_80),
    ],
)
def test_it_is_drawn_like_this(of: Scene, width: int, expected: str) -> None:
    assert drawn(of, width) == expected


@given(st.integers(20, 200))
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    for of in (FLIGHT, ABORTED, BLUE_GREEN):
        assert max(columns(text) for text in drawn(of, width).splitlines()) <= width


def test_what_matters_has_a_colour_and_a_cut_never_leaves_half_of_one() -> None:
    text = drawn(FLIGHT, 60, marked)
    assert "<bold:shop/web>" in text
    assert "<yellow:Paused>" in text
    assert "<green:✓>" in text
    assert painted([("abcdef", "red"), ("ghi", "green")], 4, marked) == "<red:abc…>"
    assert painted([("ab", "red"), ("ghi", "green")], 4, marked) == "<red:ab><green:g…>"


def test_what_others_wrote_cannot_move_the_terminal() -> None:
    evil = rollout({"message": "\x1b[2J\nhello", "phase": "Progressing", "pauseConditions": None})
    assert "\x1b" not in drawn(scene(evil))
    assert len(drawn(scene(evil)).splitlines()) == len(drawn(scene(rollout({"pauseConditions": None}))).splitlines())


def test_many_pods_are_counted() -> None:
    many = Scene(application(), [rollout()], {}, [*SETS, *(pod(OLD, f"p{number:02}") for number in range(9))])
    text = drawn(many)
    assert f"● web-{OLD}-p05" in text
    assert "p06" not in text
    assert "and 3 more" in text


def test_an_analysis_that_somebody_ended_is_called_no_pass() -> None:
    ended = run(2, "Successful", "0.1", successful=1)
    ended["spec"] = {"terminate": True}
    ended["status"]["message"] = "Run Terminated"
    at_three = rollout({"currentStepIndex": 3})
    assert "Successful  ended by hand, which is no pass" in drawn(scene(at_three, ended))


@pytest.mark.parametrize(
    ("share", "filled"), [(0, 0), (1, 1), (4, 1), (5, 1), (50, 5), (96, 9), (99, 9), (100, 10), (-3, 0), (250, 10)]
)
def test_a_bar_is_empty_for_nothing_and_full_only_for_everything(share: int, filled: int) -> None:
    assert bar(share, 10) == ("█" * filled, "░" * (10 - filled))


def test_in_a_pipe_it_is_one_line() -> None:
    assert line(picture(FLIGHT)) == (
        f"shop/web: Paused, step 2 of 5 (pause until approved), weight 25%, new {NEW} 1/1 ready, "
        f"stable {OLD} 2/3 ready, step 3 Running (2 good, 0 bad), "
        f"Dispatch: hold: version {NEW} at step 2 of 5 waits for a person: `dispatch rollout promote web`"
    )
    assert line(picture(ABORTED)).startswith("shop/web: Aborted, weight 0%, new")


def test_the_line_is_another_one_only_when_something_has_happened() -> None:
    later = NOW.replace(minute=50)
    (before,), (after,) = pictures(FLIGHT, NOW), pictures(FLIGHT, later)
    assert line(before) == line(after)
    assert drawn(FLIGHT) != "\n".join(panel(after, later, 80, plain)) + "\n"


def test_a_rollout_of_which_dispatch_has_said_nothing_says_what_argo_says() -> None:
    silent = scene(of={**application(), "status": {}})
    assert line(picture(silent)).endswith("CanaryPauseStep")
    assert "Dispatch" not in drawn(silent)
