"""The port `CommitStatuses` on GitLab (GitLab, "Commits API": commit status)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.adapters.forge.api import Api
from reconciler.adapters.forge.reading import worst
from reconciler.adapters.forge.words import LONGEST_DESCRIPTION, message_of
from reconciler.adapters.http import Answer

_WRITTEN = {"pending": "pending", "success": "success", "failure": "failed", "error": "failed"}
_READ = {
    "success": "success",
    "skipped": "success",
    "failed": "failure",
    **dict.fromkeys(
        ("created", "waiting_for_resource", "preparing", "pending", "running", "manual", "scheduled"), "pending"
    ),
}
# A status that is pending already does not become pending again, also not with another description.
_ALREADY = "cannot transition status"


class GitLabStatuses:
    """Safe to call from many threads. GitLab knows no `error`: it is written, and read again, as a failure."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def set(self, commit: str, context: str, state: str, description: str, url: str = "") -> None:
        wanted = {"state": _WRITTEN[state], "description": description[:LONGEST_DESCRIPTION], "target_url": url}
        before = self._newest(commit).get(context)
        if before is not None:
            found = (before["status"], before.get("description") or "", before.get("target_url") or "")
            if found == tuple(wanted.values()):
                return
        body = {name: value for name, value in wanted.items() if value}
        answer = self._api.ask("POST", "statuses", commit, body={**body, "name": context}, expected=(400,))
        if answer.status == 400 and _ALREADY not in message_of(answer).lower():
            raise self._api.refusal(answer)

    def read(self, commit: str) -> Mapping[str, str]:
        return worst((name, _READ.get(one["status"], "error")) for name, one in self._newest(commit).items())

    def _newest(self, commit: str) -> dict[str, dict[str, Any]]:
        """The newest status of each name: one commit may have been through some pipelines."""
        found: dict[str, dict[str, Any]] = {}
        for one in self._api.pages("repository", "commits", commit, "statuses"):
            try:
                before = found.get(one["name"])
                if before is None or int(one["id"]) > int(before["id"]):
                    found[one["name"]] = {"id": one["id"], "status": one["status"], **one}
            except (KeyError, TypeError, ValueError):
                raise self._api.strange(Answer(200, one)) from None
        return found
