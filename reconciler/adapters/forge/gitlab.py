"""The port `Forge` on GitLab (GitLab, "Merge requests API" and "Merge request approvals API")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from reconciler.adapters.forge import teams
from reconciler.adapters.forge.api import Api
from reconciler.adapters.forge.reading import account, moment, still, still_open, waits
from reconciler.adapters.forge.words import fitted, mark, marked, message_of, same
from reconciler.adapters.http import Answer
from reconciler.model.outcome import Reason, Terminal, Transient
from reconciler.ports import PullRequest, Review

_LONGEST_TITLE = 250
_LONGEST_BODY = 1_000_000
# What `detailed_merge_status` says while GitLab is still working on the last change.
_LOOKING = frozenset({"checking", "unchecked", "preparing", "approvals_syncing"})
_CHECK_WAIT = 10.0
_STATES = {"opened": "open", "locked": "open", "closed": "closed", "merged": "merged"}


class GitLabForge:
    """Merge requests of one project, by their number there (`iid`). Safe to call from many threads."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def find(self, head: str, base: str) -> PullRequest | None:
        query = {"source_branch": head, "target_branch": base, "state": "all", "scope": "all"}
        newest: int | None = None
        for document in self._api.pages("merge_requests", query={**query, "order_by": "created_at", "sort": "desc"}):
            if not _own(document):
                continue
            if document.get("state") in ("opened", "locked"):
                return self.read(int(document["iid"]))
            newest = newest or int(document["iid"])
        return self.read(newest) if newest is not None else None

    def open(self, head: str, base: str, title: str, body: str) -> PullRequest:
        wanted = {"source_branch": head, "target_branch": base, **_texts(title, body), "remove_source_branch": True}
        answer = self._api.ask("POST", "merge_requests", body=wanted, expected=(409,))
        if answer.status != 409:
            return self._read(answer)
        return still_open(self.find(head, base), f"{self._api.place.shown}: the merge request of {head}")

    def read(self, number: int) -> PullRequest:
        return self._read(self._api.ask("GET", "merge_requests", number))

    def update(self, number: int, title: str, body: str) -> PullRequest:
        answer, wanted = self._api.ask("GET", "merge_requests", number), _texts(title, body)
        before, document = self._read(answer), answer.body
        if all(same(document.get(name) or "", text) for name, text in wanted.items()):
            return before
        return self._read(self._api.ask("PUT", "merge_requests", number, body=wanted))

    def merge(self, number: int, expected_head: str, message: str) -> PullRequest:
        before = self.read(number)
        if before.state == "merged":
            return before
        still(before, expected_head)
        wanted = {
            "sha": expected_head,
            "merge_commit_message": message.strip(),
            "squash_commit_message": message.strip(),
            "should_remove_source_branch": True,
        }
        answer = self._api.ask(
            "PUT", "merge_requests", number, "merge", body=wanted, expected=(401, 405, 406, 409, 422)
        )
        if answer.status == 401:
            self._may_not(answer)
        reading = self._api.ask("GET", "merge_requests", number)
        after = self._read(reading)
        if after.state == "merged":
            return after
        still(after, expected_head)
        # 200 is also said where the merge is only planned: behind a pipeline, or in a merge train.
        if answer.status == 200:
            raise waits(after, "GitLab has taken it on, and merges it when its pipeline lets it.", _CHECK_WAIT)
        status = str(reading.body.get("detailed_merge_status") or "")
        looking = (_CHECK_WAIT,) if status in _LOOKING else ()
        said = self._api.said(answer)
        raise waits(after, f"{said} GitLab says {status} of it." if status else said, *looking)

    def close(self, number: int, title: str = "") -> PullRequest:
        before = self.read(number)
        if before.state != "open":
            return before
        wanted = {"state_event": "close", **({"title": title[:_LONGEST_TITLE]} if title else {})}
        return self._read(self._api.ask("PUT", "merge_requests", number, body=wanted))

    def comment(self, number: int, marker: str, text: str) -> None:
        wanted, line, me = marked(marker, text, _LONGEST_BODY), mark(marker), ""
        query = {"sort": "asc", "order_by": "created_at"}
        for document in self._api.pages("merge_requests", number, "notes", query=query):
            try:
                if document["system"] is True or not str(document["body"]).startswith(line):
                    continue
                me = me or self._name()
                # Everybody may write a note that begins as ours does.
                if document["author"]["username"] != me:
                    continue
                if not same(document["body"], wanted):
                    path = ("merge_requests", number, "notes", int(document["id"]))
                    self._api.ask("PUT", *path, body={"body": wanted})
            except (KeyError, TypeError, ValueError):
                raise self._api.strange(Answer(200, document)) from None
            return
        self._api.ask("POST", "merge_requests", number, "notes", body={"body": wanted})

    def reviews(self, number: int) -> Sequence[Review]:
        reading = self._api.ask("GET", "merge_requests", number)
        found = self._read(reading)
        status = reading.body.get("detailed_merge_status")
        if found.state == "open" and status in _LOOKING:
            # Approvals of an older commit are taken away some time after the push.
            raise Transient(
                Reason.FORGE_UNREACHABLE,
                f"{found.url}: GitLab is still working on the last change ({status}), and its approvals may be of the "
                "commit before. They are read again.",
                retry_after=_CHECK_WAIT,
            )
        answer = self._api.ask("GET", "merge_requests", number, "approvals")
        try:
            given = [(str(one["user"]["username"]), _when(one)) for one in answer.body["approved_by"]]
            heads = self._heads(number) if given else []
            # Who may not approve cannot: each of these counts.
            approved = [Review(user, "approved", _head_at(heads, at), at, True) for user, at in given]
        except (KeyError, TypeError, ValueError):
            raise self._api.strange(answer) from None
        ordered = sorted(approved, key=lambda review: review.at.timestamp() if review.at else 0.0)
        return [*self._rejected(number), *ordered]

    def members(self, team: str) -> frozenset[str]:
        return teams.of_gitlab(self._api, team)

    def _heads(self, number: int) -> list[tuple[datetime, str]]:
        """(since when, the commit) of what the branch has held, the oldest first: each push makes a version."""
        found = []
        for document in self._api.pages("merge_requests", number, "versions"):
            try:
                since = moment(document["created_at"])
                if since is not None:
                    found.append((since, str(document["head_commit_sha"])))
            except (KeyError, TypeError, ValueError):
                raise self._api.strange(Answer(200, document)) from None
        return sorted(found)

    def _rejected(self, number: int) -> list[Review]:
        """Who asks for changes. A GitLab before 16.9 does not know of that."""
        found = []
        for document in self._api.pages("merge_requests", number, "reviewers"):
            try:
                if document["state"] == "requested_changes":
                    found.append(Review(str(document["user"]["username"]), "rejected", "", None, True))
            except (KeyError, TypeError):
                raise self._api.strange(Answer(200, document)) from None
        return found

    def _may_not(self, answer: Answer) -> None:
        """GitLab says 401 also to a token that is good and may not merge into this branch."""
        if message_of(answer).startswith("401") and self._api.ask("GET", "user", above=True).status == 200:
            raise Terminal(
                Reason.FORGE_DENIED,
                f"{self._api.place.shown} does not let the token merge: {self._api.said(answer)} Its role must be "
                f"among those that may merge into the protected branch: {self._api.token.told}.",
            )
        raise self._api.refusal(answer)

    def _name(self) -> str:
        """The account of the token."""
        return str(self._api.ask("GET", "user", above=True).body["username"])

    def _read(self, answer: Answer) -> PullRequest:
        try:
            return _merge_request(answer.body)
        except (KeyError, TypeError, ValueError):
            raise self._api.strange(answer) from None


def _texts(title: str, body: str) -> dict[str, str]:
    return {"title": title[:_LONGEST_TITLE], "description": fitted(body, _LONGEST_BODY)}


def _own(document: Any) -> bool:
    """A fork may have a branch of the same name, and what it holds is not ours."""
    try:
        return bool(document["source_project_id"] == document["target_project_id"])
    except (KeyError, TypeError):
        return False


def _head_at(heads: Sequence[tuple[datetime, str]], at: datetime | None) -> str:
    """What the branch held when somebody approved: an approval has no commit, and GitLab keeps it after a push where it
    is not told to take it away. Empty where nothing tells. A version is made shortly after its push: who approves in
    between has approved the commit before.
    """
    return next((commit for since, commit in reversed(heads) if at is not None and since <= at), "")


def _when(approval: Mapping[str, Any]) -> datetime | None:
    """A GitLab before 18 does not say it."""
    return moment(approval.get("approved_at"))


def _merge_request(document: Mapping[str, Any]) -> PullRequest:
    state, status = _STATES[document["state"]], document.get("detailed_merge_status")
    # Of a fast-forward there is neither a merge commit nor a squashed one: the branch got the head itself.
    got = document["merge_commit_sha"] or document["squash_commit_sha"] or document["sha"]
    return PullRequest(
        number=int(document["iid"]),
        url=str(document["web_url"]),
        head=str(document["source_branch"]),
        base=str(document["target_branch"]),
        # null once the branch is gone and nothing was merged.
        head_commit=str(document["sha"] or ""),
        state=state,
        merge_commit=str(got or "") if state == "merged" else "",
        author=str(document["author"]["username"]),
        title=str(document["title"]),
        # A status that is not known here is no "mergeable".
        mergeable=None if state != "open" or status in _LOOKING else status == "mergeable",
        draft=document.get("draft") is True,
        # A GitLab before 14.7 knows it by the second name only.
        merged_by=account(document.get("merge_user") or document.get("merged_by"), "username")
        if state == "merged"
        else "",
        merged_at=moment(document.get("merged_at")) if state == "merged" else None,
        changes=f"{document['web_url']}/diffs",
    )
