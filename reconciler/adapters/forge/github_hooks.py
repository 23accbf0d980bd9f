"""Hooks of GitHub (GitHub, "REST API endpoints for repository webhooks")."""

from __future__ import annotations

from typing import Any

_EVENTS = ("check_run", "create", "delete", "pull_request", "pull_request_review", "push", "status")


class GitHubWords:
    """It does not let two hooks have the same URL, so one is changed in place, with its secret."""

    change = "PATCH"
    right = (
        "to manage webhooks (fine-grained token or GitHub App: Webhooks read and write; classic token: "
        "admin:repo_hook; of an account that administrates the repository)"
    )

    def document(self, url: str, secret: str) -> dict[str, Any]:
        config = {"url": url, "content_type": "json", "secret": secret, "insecure_ssl": "0"}
        return {"name": "web", "config": config, "events": list(_EVENTS), "active": True}

    def url(self, hook: dict[str, Any]) -> str:
        config = hook.get("config")
        return str(config.get("url", "")) if isinstance(config, dict) else ""

    def good(self, hook: dict[str, Any]) -> bool:
        config, events = hook["config"], set(hook.get("events") or ())
        return (
            hook.get("active") is True
            and config.get("content_type") == "json"
            # It is shown as asterisks where there is one.
            and bool(config.get("secret"))
            and str(config.get("insecure_ssl", "0")) == "0"
            and ("*" in events or set(_EVENTS) <= events)
        )

    def dead(self, hook: dict[str, Any]) -> bool:
        return False
