"""The memory of promoted and vetoed versions as Git keeps it: one commit at a ref of its own, told by its trailers.

Each commit holds the whole state, so the newest one is enough and the history of the ref is the audit: its first line
is what happened, for people, and the trailers (git-interpret-trailers(1)) are the state, for `parse`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

from reconciler.core import trailers
from reconciler.model.ledger import Ledger, Promoted, Veto

PREFIX = "refs/dispatch/state/"
VETOES_KEPT = 20
EARLIER_KEPT = 10
"""Of each workload: as many as Argo Rollouts keeps by itself (revisionHistoryLimit)."""
_PROMOTED, _AT, _TEMPLATE, _VETO = "Dispatch-Promoted", "Dispatch-Promoted-At", "Dispatch-Template", "Dispatch-Veto"
_EARLIER = "Dispatch-Promoted-Before"
_UNKNOWN = datetime.fromtimestamp(0, UTC)


def ref_of(cluster: str, namespace: str, name: str) -> str:
    """The full ref of an Application's ledger. Another Application never has the same one, whatever the names are."""
    return PREFIX + "/".join(component(part) for part in (cluster, namespace, name))


def component(text: str) -> str:
    """One part of a ref: what git-check-ref-format(1) forbids is written as in a URL, and nothing is empty."""
    escaped = re.sub(r"[^A-Za-z0-9_.-]", lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode()), text)
    # No `.` at either end, no `..`, and no `.lock` at the end.
    escaped = re.sub(r"^\.|\.$|\.(?=\.)|\.(?=lock$)", "%2E", escaped)
    return escaped or "%"


def write(ledger: Ledger, event: str) -> str:
    """The message of the commit: `event` as its first line, then the state. Of the vetoes, the newest 20."""
    return trailers.written(event, "", _state(ledger))


def parse(message: str) -> Ledger:
    """The state that a message holds. Never raises: of a commit that is not ours it gives what can be understood."""
    commit, at = "", _UNKNOWN
    templates: dict[str, str] = {}
    vetoes: list[Veto] = []
    earlier: list[str] = []
    for key, value in trailers.read(message):
        if key == _PROMOTED.lower():
            commit = value
        elif key == _AT.lower():
            at = _time(value)
        elif key == _TEMPLATE.lower():
            name, _, template = value.rpartition("=")
            templates[unquote(name)] = template
        elif key == _VETO.lower() and (veto := read_veto(value)) is not None:
            vetoes.append(veto)
        elif key == _EARLIER.lower():
            earlier.append(_version(value))
    return Ledger(Promoted(commit, templates, at) if commit else None, tuple(vetoes[-VETOES_KEPT:]), tuple(earlier))


def promoted(ledger: Ledger, commit: str, templates: Mapping[str, str], at: datetime) -> Ledger:
    """The ledger after the versions of a commit were promoted. What runs is not vetoed any more."""
    running = frozenset(templates.values())
    vetoes = tuple(veto for veto in ledger.vetoes if veto.template not in running)
    return Ledger(Promoted(commit, dict(templates), at), vetoes, _earlier(ledger, templates))


def _earlier(ledger: Ledger, templates: Mapping[str, str]) -> tuple[str, ...]:
    """What each workload ran before what it runs now. Once it has gone back to a version, what came after that one was
    given up: to bring it again is no way back.
    """
    last = ledger.promoted.templates if ledger.promoted is not None else {}
    found: list[str] = []
    for name, template in sorted(templates.items()):
        past = [each for each in ledger.earlier if each.rpartition("=")[0] == name]
        if name in last:
            past.append(f"{name}={last[name]}")
        now = f"{name}={template}"
        found += past[: past.index(now) if now in past else None][-EARLIER_KEPT:]
    return tuple(found)


def vetoed(ledger: Ledger, veto: Veto) -> Ledger:
    """The ledger with one more veto; a newer one on the same template takes the place of the older."""
    others = lifted(ledger, veto.template).vetoes
    return replace(ledger, vetoes=(*others, veto)[-VETOES_KEPT:])


def lifted(ledger: Ledger, template: str) -> Ledger:
    """The ledger without the veto on a template."""
    return replace(ledger, vetoes=tuple(veto for veto in ledger.vetoes if veto.template != template))


def write_veto(veto: Veto) -> str:
    """A veto on one line of ASCII, whatever its texts are."""
    content = {
        "template": veto.template,
        "images": list(veto.images),
        "commit": veto.commit,
        "why": veto.why,
        "by": veto.by,
        "at": _stamp(veto.at),
    }
    return json.dumps({key: value for key, value in content.items() if value}, separators=(",", ":"))


def read_veto(text: str) -> Veto | None:
    """The veto that `write_veto` wrote; None for anything that names no template."""
    try:
        content: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(content, dict) or not _text(content, "template"):
        return None
    images = content.get("images")
    return Veto(
        template=_text(content, "template"),
        images=tuple(image for image in images if isinstance(image, str)) if isinstance(images, list) else (),
        commit=_text(content, "commit"),
        why=_text(content, "why"),
        by=_text(content, "by"),
        at=_time(_text(content, "at")),
    )


def _state(ledger: Ledger) -> Iterator[tuple[str, str]]:
    if ledger.promoted is not None:
        yield _PROMOTED, ledger.promoted.commit
        yield _AT, _stamp(ledger.promoted.at)
        for name, template in sorted(ledger.promoted.templates.items()):
            yield _TEMPLATE, f"{quote(name)}={template}"
    for veto in ledger.vetoes[-VETOES_KEPT:]:
        yield _VETO, write_veto(veto)
    for version in ledger.earlier:
        name, _, template = version.rpartition("=")
        yield _EARLIER, f"{quote(name)}={template}"


def _version(value: str) -> str:
    name, _, template = value.rpartition("=")
    return f"{unquote(name)}={template}"


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return _UNKNOWN
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _text(content: Mapping[str, Any], key: str) -> str:
    value = content.get(key)
    return value if isinstance(value, str) else ""
