"""A rollout drawn for a terminal, and told in one line for a pipe. Pure: a picture and a time to text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from reconciler.cli.age import age
from reconciler.cli.colour import Paint
from reconciler.cli.rollout.analyses import Analysis, Measurement, Metric
from reconciler.cli.rollout.picture import Picture
from reconciler.cli.rollout.steps import Reached
from reconciler.cli.rollout.versions import Pod
from reconciler.cli.table import columns, cut, one_line

Part = tuple[str, str]
"""(text, colour)."""
Line = list[Part]

_LABEL = 10
_BAR = 40
_PODS = 6
"""Pods of one version that are named; the others are counted."""
_PHASES = {"Healthy": "green", "Progressing": "cyan", "Paused": "yellow", "Waiting": "cyan"}
_MARKS = {Reached.DONE: ("✓", "green"), Reached.NOW: ("▶", "yellow"), Reached.TODO: ("·", "")}
_ROLES = {"new": "yellow", "stable": "green", "old": ""}
_RESULTS = {
    "Successful": ("✓", "green"),
    "Failed": ("✗", "red"),
    "Error": ("!", "red"),
    "Inconclusive": ("?", "yellow"),
}


def panel(picture: Picture, now: datetime, width: int, paint: Paint) -> list[str]:
    """The whole picture, in lines of at most `width` columns."""
    blocks = [
        _title(picture, now),
        [*_versions(picture)],
        [*_steps(picture, now)],
        [*_weights(picture, width)],
        [*_pods(picture)],
        [*_analyses(picture)],
        [*_decision(picture, width)],
    ]
    lines: list[Line] = []
    for block in blocks:
        if block:
            lines += [[], *block] if lines else block
    return [painted(line, width, paint) for line in lines]


def painted(line: Line, width: int, paint: Paint) -> str:
    """The line cut to `width` columns, then coloured: a colour must not be cut in two."""
    out, room = [], width
    for text, colour in line:
        shown = cut(one_line(text), room) if room > 0 else ""
        room -= columns(shown)
        out.append(paint(shown, colour) if colour and shown else shown)
    return "".join(out).rstrip()


def line(picture: Picture) -> str:
    """All that matters, on one line without times: it is another line exactly when something has happened."""
    seen = picture.seen
    words = [f"{picture.id.namespace}/{picture.id.name}: {picture.phase}"]
    at = next((place for place, step in enumerate(picture.steps) if step.reached is Reached.NOW), None)
    if at is not None and picture.done is None:
        words.append(f"step {at + 1} of {len(picture.steps)} ({picture.steps[at].words})")
    if picture.weight is not None:
        words.append(f"weight {picture.weight}%")
    words += [f"{each.role} {each.hash} {each.ready}/{each.wanted} ready" for each in picture.versions]
    words += [f"{_question(each)} {each.phase}{_results(each)}" for each in picture.analyses]
    if picture.decision:
        words.append(f"Dispatch: {_decided(picture)}")
    elif seen.message:
        words.append(seen.message)
    return one_line(", ".join(words))


def bar(share: int, width: int) -> tuple[str, str]:
    """(filled, empty) of a share in percent. Anything above nothing shows, and all but everything leaves a gap."""
    filled = round(width * min(max(share, 0), 100) / 100)
    if 0 < share < 100:
        filled = min(max(filled, 1), width - 1)
    return "█" * filled, "░" * (width - filled)


def _title(picture: Picture, now: datetime) -> list[Line]:
    seen = picture.seen
    since = f"  {age(seen.pause_since, now)}" if seen.pause and seen.pause_since else ""
    strategy = {"blueGreen": "blue/green"}.get(seen.strategy, seen.strategy)
    why = f": {seen.message}" if seen.message and not seen.promoted else ""
    return [
        [
            (f"{picture.id.namespace}/{picture.id.name}", "bold"),
            (f"  {strategy}  ", ""),
            (picture.phase, _PHASES.get(picture.phase, "red")),
            (f"{since}{why}", ""),
        ]
    ]


def _versions(picture: Picture) -> Iterator[Line]:
    for each in picture.versions:
        if each.role != "old":
            words = [each.hash, each.commit[:10], ", ".join(each.images)]
            yield [*_label(each.role, _ROLES[each.role]), ("  ".join(word for word in words if word), "")]


def _steps(picture: Picture, now: datetime) -> Iterator[Line]:
    for number, step in enumerate(picture.steps, 1):
        mark, colour = _MARKS[step.reached]
        here = step.reached is Reached.NOW
        since = age(picture.seen.pause_since, now) if here else ""
        head = _label("steps") if number == 1 else [(" " * _LABEL, "")]
        text = f" {number:>2}  {step.words}"
        yield [*head, (mark, colour), (text, "bold" if here else ""), (f"  for {since}" if since else "", "")]


def _weights(picture: Picture, width: int) -> Iterator[Line]:
    room = max(min(_BAR, width - _LABEL - 24), 10)
    rows = [
        (word, share) for word, share in (("weight", picture.weight), ("pods", picture.by_pods)) if share is not None
    ]
    if picture.seen.promoted or picture.weight is None:
        return
    for word, share in rows:
        filled, empty = bar(share, room)
        note = "set" if word == "weight" else _counted(picture)
        yield [*_label(word), (filled, "yellow"), (empty, ""), (f" {share:>3}%  {note}", "")]


def _counted(picture: Picture) -> str:
    """`1 of 5 ready`."""
    new = sum(each.ready for each in picture.versions if each.hash == picture.seen.pod_hash)
    return f"{new} of {sum(each.ready for each in picture.versions)} ready"


def _pods(picture: Picture) -> Iterator[Line]:
    for each in picture.versions:
        yield [*_label(each.role, _ROLES[each.role]), (f"{each.hash}  {each.ready}/{each.wanted} ready", "")]
        for pod in each.pods[:_PODS]:
            yield _pod(pod)
        if len(each.pods) > _PODS:
            yield [(" " * _LABEL, ""), (f"  and {len(each.pods) - _PODS} more", "")]


def _pod(pod: Pod) -> Line:
    mark, colour = ("●", "green") if pod.ready else ("○", "yellow")
    return [(" " * _LABEL, ""), (mark, colour), (f" {pod.name}", ""), (f"  {pod.words}" if pod.words else "", "")]


def _analyses(picture: Picture) -> Iterator[Line]:
    for place, each in enumerate(picture.analyses):
        head = _label("analysis") if place == 0 else [(" " * _LABEL, "")]
        colour = {"Successful": "green", "Failed": "red", "Error": "red"}.get(each.phase, "yellow")
        ended = "  ended by hand, which is no pass" if each.ended else ""
        why = f"  {each.message}" if each.message else ""
        yield [*head, (f"{_question(each)}  ", ""), (each.phase, colour), (f"{ended}{why}", "")]
        for metric in each.metrics:
            yield _metric(metric)


def _metric(metric: Metric) -> Line:
    counted = [
        (f"{mark}{count} ", colour)
        for count, (mark, colour) in (
            (metric.good, _RESULTS["Successful"]),
            (metric.bad, _RESULTS["Failed"]),
            (metric.unclear, _RESULTS["Inconclusive"]),
            (metric.errors, _RESULTS["Error"]),
        )
        if count
    ]
    values = " ".join(_shown(each) for each in metric.last)
    why = f"  {metric.message}" if metric.message else ""
    return [(" " * _LABEL, ""), (f"  {metric.name}  ", ""), *counted, (f" {values}" if values else "", ""), (why, "")]


def _shown(one: Measurement) -> str:
    """A number with as many digits as people read."""
    try:
        return f"{float(one.value):.4g}"
    except ValueError:
        return cut(one_line(one.value or "-"), 24)


def _results(analysis: Analysis) -> str:
    good, bad = sum(each.good for each in analysis.metrics), sum(each.bad for each in analysis.metrics)
    return f" ({good} good, {bad} bad)" if good or bad else ""


def _question(analysis: Analysis) -> str:
    words = {"Background": "background", "PrePromotion": "before the switch", "PostPromotion": "after the switch"}
    return f"step {analysis.step + 1}" if analysis.step is not None else words.get(analysis.kind, analysis.kind)


def _decided(picture: Picture) -> str:
    return f"{picture.decision}: {picture.why}" if picture.why else picture.decision


def _decision(picture: Picture, width: int) -> Iterator[Line]:
    """Whole, on as many lines as it takes: it says what to do."""
    if not picture.decision:
        return
    for number, text in enumerate(_wrapped(one_line(_decided(picture)), max(width - _LABEL, 20))):
        yield [*(_label("Dispatch") if number == 0 else [(" " * _LABEL, "")]), (text, "")]


def _wrapped(text: str, width: int) -> Sequence[str]:
    from textwrap import wrap

    return wrap(text, width, break_long_words=True)


def _label(word: str, colour: str = "") -> Line:
    return [(word, colour), (" " * (_LABEL - len(word)), "")]
