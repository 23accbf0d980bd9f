"""The port `CommitStatuses` on GitHub: commit statuses, and what its Actions and other Apps say in check runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.adapters.forge.api import Api
from reconciler.adapters.forge.reading import worst
from reconciler.adapters.forge.words import LONGEST_DESCRIPTION
from reconciler.adapters.http import Answer
from reconciler.model.outcome import Terminal

_STATES = frozenset({"pending", "success", "failure", "error"})
# What a rule of a branch takes for a success (GitHub, "About status checks").
_PASSED = frozenset({"success", "neutral", "skipped"})


class GitHubStatuses:
    """Safe to call from many threads."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def set(self, commit: str, context: str, state: str, description: str, url: str = "") -> None:
        wanted = {"state": state, "description": description[:LONGEST_DESCRIPTION], "target_url": url}
        for one in self._api.pages("commits", commit, "status", inside="statuses"):
            if isinstance(one, dict) and one.get("context") == context:
                # What was given empty is null there.
                if {name: one.get(name) or "" for name in wanted} == wanted:
                    return
                break
        self._api.ask("POST", "statuses", commit, body={**wanted, "context": context})

    def read(self, commit: str) -> Mapping[str, str]:
        return worst([*self._statuses(commit), *self._checks(commit)])

    def _statuses(self, commit: str) -> Iterator[tuple[str, str]]:
        """The newest of each context: the combined status holds no others."""
        for one in self._api.pages("commits", commit, "status", inside="statuses"):
            try:
                yield str(one["context"]), one["state"] if one["state"] in _STATES else "error"
            except (KeyError, TypeError):
                raise self._api.strange(Answer(200, one)) from None

    def _checks(self, commit: str) -> Iterator[tuple[str, str]]:
        """The newest run of each check. A token without the right to read them sees none: a gate that waits for one
        goes on waiting."""
        try:
            for one in self._api.pages(
                "commits", commit, "check-runs", query={"filter": "latest"}, inside="check_runs"
            ):
                try:
                    yield str(one["name"]), _state(one["status"], one["conclusion"])
                except (KeyError, TypeError):
                    raise self._api.strange(Answer(200, one)) from None
        except Terminal:
            return


def _state(status: str, conclusion: str | None) -> str:
    if status != "completed":
        return "pending"
    if conclusion in _PASSED:
        return "success"
    # A run that GitHub gave up on after two weeks says nothing about the commit.
    return "error" if conclusion in (None, "stale") else "failure"
