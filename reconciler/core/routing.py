"""Who hears of what: a Notifier's choice, applied to one notice."""

from __future__ import annotations

from fnmatch import fnmatchcase

from reconciler.model.notice import Notice, Subject
from reconciler.model.notifier import Notifier, NotifierSpec


def concerns(notifier: Notifier, about: Subject) -> bool:
    """Whether the Application is one of those that the Notifier is for."""
    match = notifier.spec.match
    namespaces = match.namespaces or (notifier.metadata.namespace,)
    return (
        _one_of(about.namespace, namespaces)
        and (not match.applications or _one_of(about.name, match.applications))
        and (not match.projects or about.project in match.projects)
    )


def wants(spec: NotifierSpec, notice: Notice) -> bool:
    """Whether it is news for this Notifier, of an Application that it is for."""
    return notice.event in spec.events and notice.severity.at_least(spec.match.severity)


def _one_of(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
