"""A notice as JSON, for programs."""

from __future__ import annotations

from typing import Any

from reconciler.model.notice import Notice

_LINES = 200
_LENGTH = 4000


def document(notice: Notice) -> dict[str, Any]:
    """`key` is the same for all notices about one revision of one Application; `id` for the same notice sent twice."""
    return {
        "version": 1,
        "id": f"{notice.key}#{notice.digest}",
        "key": notice.key,
        "event": notice.event.value,
        "severity": notice.severity.value,
        "namespace": notice.about.namespace,
        "application": notice.about.name,
        "project": notice.about.project,
        "commit": notice.commit,
        "title": notice.title[:_LENGTH],
        "lines": [line[:_LENGTH] for line in notice.lines[:_LINES]],
        "link": notice.link,
    }
