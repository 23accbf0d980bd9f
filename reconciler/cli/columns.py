"""What `dispatch get` shows of each kind: its columns, and the more of `-o wide`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from reconciler.cli.age import age, stamp
from reconciler.cli.applications import Document, Kind, condition, entries, ready_message, short_revision, status
from reconciler.model.image import called

Rows = Callable[[Document, datetime], Iterator[tuple[tuple[str, ...], tuple[str, ...]]]]
"""The rows of a document, each as (its columns, the wide ones), without namespace and name."""


class Columns(NamedTuple):
    """One kind. `words` are what users call it, the plural first."""

    words: tuple[str, ...]
    headers: tuple[str, ...]
    wide: tuple[str, ...]
    rows: Rows

    @property
    def plural(self) -> str:
        return self.words[0]


def _applications(document: Document, now: datetime) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    revision = status(document, "applied", "revision") or status(document, "attempted", "revision") or ""
    shown = (_state(document, "sync"), _state(document, "health"), short_revision(revision), _age(document, now))
    source = _spec(document).get("source") or {}
    yield shown, (str(source.get("path", ".")), str(status(document, "objects") or 0), ready_message(document))


def _repositories(document: Document, now: datetime) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    spec = _spec(document)
    shown = (_ready(document), short_revision(status(document, "revision") or ""), _age(document, now))
    yield shown, (_of(spec, "forge", "kind"), str(spec.get("url", "")), _webhook(document), ready_message(document))


def _promotions(document: Document, now: datetime) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """A row for each environment, also for one that was not looked at yet."""
    known = {each.get("name"): each for each in entries(document, "environments")}
    written = [each for each in _spec(document).get("environments") or [] if isinstance(each, dict)]
    for environment in written[1:]:
        found = known.get(environment.get("name"), {})
        gates = [each for each in found.get("gates") or [] if isinstance(each, dict)]
        opened = f"{sum(each.get('verdict') == 'pass' for each in gates)}/{len(gates)}" if gates else "-"
        request = f"#{found['number']}" if found.get("number") else "-"
        images = ",".join(called(str(image)) for image in found.get("images") or []) or "-"
        name, state = str(environment.get("name", "")), str(found.get("state", "Unknown"))
        yield (
            (name, state, images, opened, request, age(found.get("since"), now)),
            (
                ",".join(map(str, environment.get("applications") or [environment.get("application", "-")])),
                stamp(found.get("earliest")) or "-",
                str(found.get("pullRequest") or "-"),
                str(found.get("message", "")),
            ),
        )


def _hotfixes(document: Document, now: datetime) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    spec, target = _spec(document), status(document, "target") or {}
    images = ",".join(called(str(image)) for image in spec.get("images") or []) or "-"
    back = ",".join(f"{each.get('name')}={each.get('state')}" for each in entries(document, "back")) or "-"
    request, url = (f"#{target['number']}" if target.get("number") else "-"), str(target.get("pullRequest") or "-")
    where = (str(spec.get("promotion", "")), str(spec.get("environment", "")), str(target.get("state", "Unknown")))
    yield (
        (*where, images, request, back, str(spec.get("by", "")), _age(document, now)),
        (stamp(status(document, "expires")) or "-", str(spec.get("reason", "")), url, ready_message(document)),
    )


def _image_feeds(document: Document, now: datetime) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    spec, writes = _spec(document), entries(document, "writes")
    folders = ",".join(f"{each.get('path')}={each.get('state')}" for each in writes) or "-"
    tag = str(status(document, "selected", "tag") or "-")
    digest = str(status(document, "selected", "digest") or "-")[:19]
    requests = ",".join(dict.fromkeys(str(each["pullRequest"]) for each in writes if each.get("pullRequest"))) or "-"
    policy = ",".join(name for name in ("semver", "newest", "digest") if name in (spec.get("policy") or {})) or "-"
    yield (
        (_ready(document), str(spec.get("image", "")), tag, folders, _age(document, now)),
        (policy, digest, requests, ready_message(document)),
    )


def _notifiers(document: Document, now: datetime) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    spec = _spec(document)
    channel, hook = _of(spec, "slack", "channel"), _of(spec, "webhook", "secretRef", "name")
    place = f"slack {channel}" if channel else f"webhook {hook}"
    sent = age(status(document, "lastSent"), now) or "never"
    counts = [str(status(document, name) or 0) for name in ("failures", "dropped")]
    yield (
        (_ready(document), place, sent, *counts, _age(document, now)),
        (",".join(map(str, spec.get("events") or [])) or "-", ready_message(document)),
    )


def _webhook(document: Document) -> str:
    """The state of the hook, and how many events were missed: `Managed, 2 missed`."""
    state, missed = status(document, "webhook", "state"), status(document, "webhook", "missed")
    return f"{state}, {missed} missed" if state and missed else str(state or "")


def _state(document: Document, field: str) -> str:
    return str(status(document, field) or "Unknown")


def _ready(document: Document) -> str:
    return str(condition(document, "Ready").get("status", "Unknown"))


def _age(document: Document, now: datetime) -> str:
    return age(document["metadata"].get("creationTimestamp"), now)


def _spec(document: Document) -> dict[str, Any]:
    found = document.get("spec")
    return found if isinstance(found, dict) else {}


def _of(value: Any, *path: str) -> str:
    """A text below a value; empty where there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return str(value) if value else ""


COLUMNS: dict[Kind, Columns] = {
    "Application": Columns(
        ("applications", "application", "apps", "app"),
        ("SYNC", "HEALTH", "REVISION", "AGE"),
        ("PATH", "OBJECTS", "MESSAGE"),
        _applications,
    ),
    "Repository": Columns(
        ("repositories", "repository", "repos", "repo"),
        ("READY", "REVISION", "AGE"),
        ("FORGE", "URL", "WEBHOOK", "MESSAGE"),
        _repositories,
    ),
    "Promotion": Columns(
        ("promotions", "promotion"),
        ("ENVIRONMENT", "STATE", "IMAGES", "GATES", "REQUEST", "SINCE"),
        ("APPLICATIONS", "EARLIEST", "URL", "MESSAGE"),
        _promotions,
    ),
    "Hotfix": Columns(
        ("hotfixes", "hotfix"),
        ("PROMOTION", "ENVIRONMENT", "STATE", "IMAGES", "REQUEST", "BACK", "BY", "AGE"),
        ("EXPIRES", "REASON", "URL", "MESSAGE"),
        _hotfixes,
    ),
    "ImageFeed": Columns(
        ("imagefeeds", "imagefeed", "feeds", "feed"),
        ("READY", "IMAGE", "TAG", "WRITES", "AGE"),
        ("POLICY", "DIGEST", "REQUEST", "MESSAGE"),
        _image_feeds,
    ),
    "Notifier": Columns(
        ("notifiers", "notifier"),
        ("READY", "PLACE", "SENT", "FAILURES", "DROPPED", "AGE"),
        ("EVENTS", "MESSAGE"),
        _notifiers,
    ),
}
