"""Who hears of what."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.routing import concerns, wants
from reconciler.model.notice import Notice, NoticeEvent, Subject
from reconciler.model.notifier import Notifier

SHOP = Subject("team-a", "shop", "store")


def notifier(**spec: Any) -> Notifier:
    return Notifier.model_validate(
        {
            "metadata": {"name": "people", "namespace": "team-a"},
            "spec": {"webhook": {"secretRef": {"name": "hook"}}, **spec},
        }
    )


@pytest.mark.parametrize(
    ("match", "about", "heard"),
    [
        ({}, SHOP, True),
        ({}, Subject("team-b", "shop"), False),
        ({"namespaces": ["team-*"]}, Subject("team-b", "shop"), True),
        ({"namespaces": ["team-b"]}, SHOP, False),
        ({"namespaces": ["*"], "applications": ["sh*"]}, SHOP, True),
        ({"applications": ["web", "api-*"]}, SHOP, False),
        ({"projects": ["store"]}, SHOP, True),
        ({"projects": ["store"]}, Subject("team-a", "shop"), False),
    ],
)
def test_applications_are_chosen_by_namespace_name_and_project(
    match: dict[str, Any], about: Subject, heard: bool
) -> None:
    assert concerns(notifier(match=match), about) is heard


@pytest.mark.parametrize(
    ("spec", "event", "heard"),
    [
        ({}, NoticeEvent.DEPLOYED, True),
        ({}, NoticeEvent.CANARY_STEP, False),
        ({"events": ["CanaryStep"]}, NoticeEvent.CANARY_STEP, True),
        ({"events": ["CanaryStep"]}, NoticeEvent.ABORTED, False),
        ({"match": {"severity": "warning"}}, NoticeEvent.DEPLOYED, False),
        ({"match": {"severity": "warning"}}, NoticeEvent.APPROVAL_WANTED, True),
        ({"match": {"severity": "critical"}}, NoticeEvent.APPROVAL_WANTED, False),
        ({"match": {"severity": "critical"}}, NoticeEvent.ABORTED, True),
    ],
)
def test_events_are_chosen_by_name_and_by_severity(spec: dict[str, Any], event: NoticeEvent, heard: bool) -> None:
    assert wants(notifier(**spec).spec, Notice(event, SHOP, "1" * 40, "news")) is heard
