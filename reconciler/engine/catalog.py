"""The documents of our own kinds in the cluster, as the watches last said, and who depends on whom."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from reconciler.core.applyset import applyset_id
from reconciler.engine.keys import Key
from reconciler.model.application import Application
from reconciler.model.document import Loaded, load
from reconciler.model.hotfix import Hotfix
from reconciler.model.image_feed import ImageFeed
from reconciler.model.manifest import Origin
from reconciler.model.outcome import Terminal
from reconciler.model.promotion import Promotion, PromotionEnvironment
from reconciler.model.promotion_action import PromotionAction
from reconciler.model.repository import Repository

Entry = Loaded | Terminal


class Catalog:
    """A document that cannot be read is kept as its error: one bad object must not hide the others.

    `moved` is called with each key whose spec, annotations or deletion changed.
    """

    def __init__(self, moved: Callable[[Key], None]) -> None:
        self._moved = moved
        self._lock = threading.Lock()
        self._documents: dict[Key, dict[str, Any]] = {}
        self._entries: dict[Key, Entry] = {}
        self._sets: dict[str, Key] = {}
        self._seen: set[Key] = set()

    def observe(self, document: dict[str, Any]) -> None:
        key = _key(document)
        with self._lock:
            self._seen.add(key)
            before = self._documents.get(key)
            if before is not None and _older(document, before):
                return
            self._documents[key] = document
            self._entries[key] = _read(document)
            if key.kind == "Application":
                self._sets[applyset_id(key.name, key.namespace)] = key
        if before is None or _intent(before) != _intent(document):
            self._moved(key)

    def remove(self, document: dict[str, Any]) -> None:
        self._forget(_key(document))

    def listing(self, kind: str) -> None:
        with self._lock:
            self._seen = {key for key in self._seen if key.kind != kind}

    def listed(self, kind: str) -> None:
        with self._lock:
            gone = [key for key in self._documents if key.kind == kind and key not in self._seen]
        for key in gone:
            self._forget(key)

    def application(self, key: Key) -> Application | None:
        """None when there is none. Raises Terminal(INVALID_SPEC) when it cannot be read."""
        entry = self._get(key)
        return entry if isinstance(entry, Application) else None

    def repository(self, key: Key) -> Repository | None:
        """None when there is none. Raises Terminal(INVALID_SPEC) when it cannot be read."""
        entry = self._get(key)
        return entry if isinstance(entry, Repository) else None

    def get(self, key: Key) -> Loaded | None:
        """A document of any kind, None when there is none. Raises Terminal(INVALID_SPEC) when it cannot be read."""
        return self._get(key)

    def all(self, kind: str) -> list[tuple[Key, Loaded]]:
        """Every document of a kind that can be read."""
        with self._lock:
            entries = list(self._entries.items())
        return [(key, entry) for key, entry in entries if key.kind == kind and not isinstance(entry, Terminal)]

    def document(self, key: Key) -> dict[str, Any] | None:
        with self._lock:
            return self._documents.get(key)

    def applications_of(self, repository: Key) -> list[tuple[Key, Application]]:
        """The Applications that read this Repository."""
        return [
            (key, entry)
            for key, entry in self.all("Application")
            if isinstance(entry, Application)
            and key.namespace == repository.namespace
            and entry.spec.source.repository == repository.name
        ]

    def feeds_of(self, repository: Key) -> list[Key]:
        """The ImageFeeds that write to this Repository."""
        return [
            key
            for key, entry in self.all("ImageFeed")
            if isinstance(entry, ImageFeed)
            and key.namespace == repository.namespace
            and any(write.repository == repository.name for write in entry.spec.writes)
        ]

    def dependents_of(self, application: Key) -> list[Key]:
        """The Applications that wait for this one (`dependsOn`)."""
        return [
            key
            for key, entry in self.all("Application")
            if isinstance(entry, Application)
            and key.namespace == application.namespace
            and application.name in entry.spec.depends_on
        ]

    def promotions_of(self, application: Key) -> list[Key]:
        """The Promotions that name this Application as an environment, or as one of several that are; and their
        Hotfixes.
        """
        return self._with_hotfixes([*dict.fromkeys(key for key, _ in self.environments_of(application))])

    def environments_of(self, application: Key) -> list[tuple[Key, PromotionEnvironment]]:
        """The environments that this Application is, or is one of, each with its Promotion."""
        return [
            (key, environment)
            for key, entry in self.all("Promotion")
            if isinstance(entry, Promotion) and key.namespace == application.namespace
            for environment in entry.spec.environments
            if application.name in environment.members
        ]

    def members_of(self, promotion: Key) -> list[Key]:
        """The Applications that are the environments of a Promotion; none where it cannot be read, or is gone."""
        with self._lock:
            entry = self._entries.get(promotion)
        environments = entry.spec.environments if isinstance(entry, Promotion) else ()
        return [Key("Application", promotion.namespace, name) for each in environments for name in each.members]

    def promotions_in(self, repository: Key) -> list[Key]:
        """The Promotions of whose environments one reads this Repository; and their Hotfixes."""
        names = {key.name for key, _ in self.applications_of(repository)}
        return self._with_hotfixes(
            [
                key
                for key, entry in self.all("Promotion")
                if isinstance(entry, Promotion)
                and key.namespace == repository.namespace
                and any(name in names for each in entry.spec.environments for name in each.members)
            ]
        )

    def promotion_of(self, action: Key) -> Key | None:
        """The Promotion of which a PromotionAction or a Hotfix asks something; None when that cannot be read, or is
        gone.
        """
        with self._lock:
            entry = self._entries.get(action)
        if not isinstance(entry, PromotionAction | Hotfix):
            return None
        return Key("Promotion", action.namespace, entry.spec.promotion)

    def actions_of(self, promotion: Key) -> list[PromotionAction]:
        """What people ask of a Promotion."""
        return [
            entry
            for key, entry in self.all("PromotionAction")
            if isinstance(entry, PromotionAction)
            and key.namespace == promotion.namespace
            and entry.spec.promotion == promotion.name
        ]

    def hotfixes_of(self, promotion: Key) -> list[Hotfix]:
        """The Hotfixes of the environments of a Promotion."""
        return [
            entry
            for key, entry in self.all("Hotfix")
            if isinstance(entry, Hotfix)
            and key.namespace == promotion.namespace
            and entry.spec.promotion == promotion.name
        ]

    def _with_hotfixes(self, promotions: list[Key]) -> list[Key]:
        fixes = [(key.namespace, each.metadata.name) for key in promotions for each in self.hotfixes_of(key)]
        return [*promotions, *(Key("Hotfix", *names) for names in fixes)]

    def owner(self, applyset: str) -> Key | None:
        """Which Application an ApplySet id belongs to."""
        with self._lock:
            return self._sets.get(applyset)

    def _get(self, key: Key) -> Loaded | None:
        with self._lock:
            entry = self._entries.get(key)
        if isinstance(entry, Terminal):
            raise entry
        return entry

    def _forget(self, key: Key) -> None:
        with self._lock:
            self._documents.pop(key, None)
            self._entries.pop(key, None)
            if key.kind == "Application":
                self._sets.pop(applyset_id(key.name, key.namespace), None)
        self._moved(key)


def _key(document: dict[str, Any]) -> Key:
    metadata = document["metadata"]
    return Key(document["kind"], metadata.get("namespace", ""), metadata["name"])


def _read(document: dict[str, Any]) -> Entry:
    metadata = document["metadata"]
    try:
        return load(document, Origin(f"{document['kind']} {metadata.get('namespace', '')}/{metadata['name']}"))
    except Terminal as error:
        return error


def _older(document: dict[str, Any], than: dict[str, Any]) -> bool:
    """The answer to a write of ours overtakes the watch event of an earlier one."""
    ours, theirs = document["metadata"], than["metadata"]
    versions = (ours.get("resourceVersion", ""), theirs.get("resourceVersion", ""))
    if ours.get("uid") != theirs.get("uid") or not all(version.isdecimal() for version in versions):
        return False
    return int(versions[0]) < int(versions[1])


def _intent(document: dict[str, Any]) -> tuple[Any, ...]:
    """What a user says with a document; our own writes (status, ApplySet annotations) are not in it."""
    metadata = document["metadata"]
    asked = {
        key: value for key, value in (metadata.get("annotations") or {}).items() if key.startswith("dispatch.dev/")
    }
    return metadata.get("uid"), metadata.get("generation"), asked, metadata.get("deletionTimestamp")
