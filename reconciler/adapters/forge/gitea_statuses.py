"""The port `CommitStatuses` on Gitea and Forgejo (routers/api/v1/repo/status.go)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.adapters.forge.api import Api
from reconciler.adapters.forge.reading import worst
from reconciler.adapters.forge.words import LONGEST_DESCRIPTION
from reconciler.adapters.http import Answer

# `warning` does not satisfy a rule of a branch that asks for the context, `skipped` does.
_STATES = {"success": "success", "skipped": "success", "pending": "pending", "failure": "failure", "warning": "failure"}


class GiteaStatuses:
    """Safe to call from many threads."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def set(self, commit: str, context: str, state: str, description: str, url: str = "") -> None:
        wanted = {"state": state, "description": description[:LONGEST_DESCRIPTION], "target_url": url}
        for one in self._newest(commit):
            if one["context"] == context:
                if (one["status"], one["description"], one["target_url"]) == tuple(wanted.values()):
                    return
                break
        self._api.ask("POST", "statuses", commit, body={**wanted, "context": context})

    def read(self, commit: str) -> Mapping[str, str]:
        return worst((one["context"], _STATES.get(one["status"], "error")) for one in self._newest(commit))

    def _newest(self, commit: str) -> list[dict[str, Any]]:
        """The newest status of each context."""
        found = list(self._api.pages("commits", commit, "status", page=50, inside="statuses"))
        for one in found:
            if not isinstance(one, dict) or not {"context", "status", "description", "target_url"} <= one.keys():
                raise self._api.strange(Answer(200, one))
        return found
