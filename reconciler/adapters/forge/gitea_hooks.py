"""Hooks of Gitea and Forgejo (routers/api/v1/utils/hook.go, modules/webhook/type.go)."""

from __future__ import annotations

from typing import Any

# New commits of a pull request and reviews are events of their own beside what `pull_request_only` tells.
_EVENTS = ("create", "delete", "pull_request_only", "pull_request_review", "pull_request_sync", "push", "status")
# How they are called where they are read. An older one does not know `status`, and takes it without a word.
_READ = frozenset({"create", "delete", "pull_request", "pull_request_review", "pull_request_sync", "push"})


class GiteaWords:
    """A change there leaves the secret as it is (1.26, `editHook`), so a hook is made anew, and the old one goes."""

    change = ""
    right = "to administrate the repository (scope write:repository, of an account that does)"

    def document(self, url: str, secret: str) -> dict[str, Any]:
        config = {"url": url, "content_type": "json", "secret": secret}
        return {"type": "gitea", "config": config, "events": list(_EVENTS), "branch_filter": "*", "active": True}

    def url(self, hook: dict[str, Any]) -> str:
        config = hook.get("config")
        return str(config.get("url", "")) if isinstance(config, dict) else ""

    def good(self, hook: dict[str, Any]) -> bool:
        events = hook.get("events") or ()
        return (
            hook.get("active") is True
            and hook.get("type") == "gitea"
            and hook["config"].get("content_type") == "json"
            and hook.get("branch_filter") in (None, "", "*")
            and _READ.issubset(events)
        )

    def dead(self, hook: dict[str, Any]) -> bool:
        return False
