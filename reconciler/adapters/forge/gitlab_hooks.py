"""Hooks of GitLab (GitLab, "Project webhooks API")."""

from __future__ import annotations

from typing import Any

_EVENTS = ("push_events", "tag_push_events", "merge_requests_events", "pipeline_events")


class GitLabWords:
    """The secret goes along with each event there, as it is: whoever may read the way may forge events."""

    change = "PUT"
    right = "to manage webhooks (scope api, role Maintainer)"

    def document(self, url: str, secret: str) -> dict[str, Any]:
        wanted = {"url": url, "token": secret, "enable_ssl_verification": True, "push_events_branch_filter": ""}
        return {**wanted, "branch_filter_strategy": "all_branches", **dict.fromkeys(_EVENTS, True)}

    def url(self, hook: dict[str, Any]) -> str:
        return str(hook.get("url") or "")

    def good(self, hook: dict[str, Any]) -> bool:
        return (
            all(hook.get(each) is True for each in _EVENTS)
            and hook.get("enable_ssl_verification") is True
            and not hook.get("push_events_branch_filter")
        )

    def dead(self, hook: dict[str, Any]) -> bool:
        """After 40 failures in a row it is disabled; only a person can bring it back."""
        return hook.get("alert_status") == "disabled"
