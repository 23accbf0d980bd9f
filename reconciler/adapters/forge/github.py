"""The port `Forge` on GitHub and GitHub Enterprise (GitHub, "REST API endpoints for pull requests", 2022-11-28)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reconciler.adapters.forge import comments, teams
from reconciler.adapters.forge.api import Api
from reconciler.adapters.forge.reading import account, moment, still, still_open, waits
from reconciler.adapters.forge.words import fitted, message_of, same
from reconciler.adapters.http import Answer
from reconciler.model.outcome import Reason, Transient
from reconciler.ports import PullRequest, Review

_LONGEST_TITLE = 250
_LONGEST_BODY = 65_536
_CHECK_WAIT = 10.0
# The settings of a repository, and the merge_method that each allows; the first that is allowed is taken.
_METHODS = (("allow_merge_commit", "merge"), ("allow_squash_merge", "squash"), ("allow_rebase_merge", "rebase"))
_REVIEWS = {
    "APPROVED": "approved",
    "CHANGES_REQUESTED": "rejected",
    "COMMENTED": "commented",
    "DISMISSED": "dismissed",
    "PENDING": "pending",
}
# The roles `maintain` and `triage` are said as write and read here.
_WRITERS = frozenset({"admin", "write"})


class GitHubForge:
    """Pull requests of one repository. Safe to call from many threads. `app` is the id of the GitHub App that asks,
    empty where it is a user's token."""

    def __init__(self, api: Api, app: str = "") -> None:
        self._api = api
        self._app = app

    def find(self, head: str, base: str) -> PullRequest | None:
        # A head without an owner would not be filtered by at all.
        query = {"head": f"{self._api.place.owner}:{head}", "base": base, "state": "all"}
        newest: int | None = None
        for document in self._api.pages("pulls", query={**query, "sort": "created", "direction": "desc"}):
            if not _own(document, head, base):
                continue
            if document.get("state") == "open":
                return self.read(int(document["number"]))
            newest = newest or int(document["number"])
        # A list tells neither whether it can be merged nor, on old servers, whether it was.
        return self.read(newest) if newest is not None else None

    def open(self, head: str, base: str, title: str, body: str) -> PullRequest:
        wanted = {"head": head, "base": base, **_texts(title, body), "maintainer_can_modify": False}
        answer = self._api.ask("POST", "pulls", body=wanted, expected=(422,))
        if answer.status != 422:
            return self._read(answer)
        if "already exists" not in message_of(answer):
            raise self._api.refusal(answer)
        return still_open(self.find(head, base), f"{self._api.place.shown}: the pull request of {head}")

    def read(self, number: int) -> PullRequest:
        return self._read(self._api.ask("GET", "pulls", number))

    def update(self, number: int, title: str, body: str) -> PullRequest:
        answer, wanted = self._api.ask("GET", "pulls", number), _texts(title, body)
        before, document = self._read(answer), answer.body
        if all(same(document.get(name) or "", text) for name, text in wanted.items()):
            return before
        return self._read(self._api.ask("PATCH", "pulls", number, body=wanted))

    def merge(self, number: int, expected_head: str, message: str) -> PullRequest:
        before = self.read(number)
        if before.state == "merged":
            return before
        still(before, expected_head)
        title, _, body = message.strip().partition("\n")
        wanted = {
            "sha": expected_head,
            "merge_method": self._method(),
            "commit_title": title,
            "commit_message": body.strip(),
        }
        answer = self._api.ask("PUT", "pulls", number, "merge", body=wanted, expected=(405, 409, 422))
        after = self.read(number)
        if after.state == "merged":
            self._tidy(after, expected_head)
            return after
        if answer.status == 200:
            raise Transient(Reason.FORGE_UNREACHABLE, f"{after.url} was merged, and does not say so yet.")
        # 409 is said for a head that moved, 405 for rules, conflicts and a base that moved meanwhile.
        still(after, expected_head)
        if after.draft:
            raise waits(after, "it is a draft. Mark it as ready for review.")
        looking = after.mergeable is None or "review and try the merge again" in message_of(answer).lower()
        raise waits(after, self._api.said(answer), *((_CHECK_WAIT,) if looking else ()))

    def close(self, number: int, title: str = "") -> PullRequest:
        before = self.read(number)
        if before.state != "open":
            return before
        wanted = {"state": "closed", **({"title": title[:_LONGEST_TITLE]} if title else {})}
        answer = self._api.ask("PATCH", "pulls", number, body=wanted, expected=(422,))
        # 422: it was merged meanwhile.
        return self._read(answer) if answer.status != 422 else self.read(number)

    def comment(self, number: int, marker: str, text: str) -> None:
        comments.upsert(self._api, self.read(number), marker, text, limit=_LONGEST_BODY, app=self._app)

    def reviews(self, number: int) -> Sequence[Review]:
        found, writers = [], dict[str, bool]()
        for document in self._api.pages("pulls", number, "reviews"):
            try:
                # `user` is null for an account that is gone.
                user = str((document["user"] or {}).get("login", ""))
                if user not in writers:
                    writers[user] = bool(user) and self._writes(user)
                at, commit = moment(document.get("submitted_at")), str(document["commit_id"] or "")
                found.append(Review(user, _REVIEWS[document["state"]], commit, at, writers[user]))
            except (KeyError, TypeError, ValueError):
                raise self._api.strange(Answer(200, document)) from None
        return found

    def members(self, team: str) -> frozenset[str]:
        return teams.of_github(self._api, team)

    def _writes(self, user: str) -> bool:
        """Whether GitHub counts the approval of this user: that is of who may write. The association that a review
        tells (MEMBER, COLLABORATOR) does not say it."""
        answer = self._api.ask("GET", "collaborators", user, "permission", expected=(404,))
        return isinstance(answer.body, dict) and answer.body.get("permission") in _WRITERS

    def _tidy(self, merged: PullRequest, head: str) -> None:
        """Take the branch away, as the other forges do by themselves; unless somebody has written to it again."""
        answer = self._api.ask("GET", "git", "ref", "heads", *merged.head.split("/"), expected=(403, 404))
        holds = (answer.body or {}).get("object") if isinstance(answer.body, dict) else None
        if isinstance(holds, dict) and holds.get("sha") == head:
            # 422: gone meanwhile; 403 and 409: a rule keeps it, which is no reason to fail a merge that is done.
            path = ("git", "refs", "heads", *merged.head.split("/"))
            self._api.ask("DELETE", *path, expected=(403, 404, 409, 422))

    def _method(self) -> str:
        """A method that this repository allows; it says so only to who may write."""
        settings = self._api.ask("GET").body
        allowed = settings if isinstance(settings, dict) else {}
        return next((method for setting, method in _METHODS if allowed.get(setting) is True), "merge")

    def _read(self, answer: Answer) -> PullRequest:
        try:
            return _pull_request(answer.body)
        except (KeyError, TypeError, ValueError):
            raise self._api.strange(answer) from None


def _texts(title: str, body: str) -> dict[str, str]:
    return {"title": title[:_LONGEST_TITLE], "body": fitted(body, _LONGEST_BODY)}


def _own(document: Any, head: str, base: str) -> bool:
    """Of these branches, in this repository: a fork of the same owner may have a branch of the same name. The fork is
    null once it is deleted."""
    try:
        branches = (document["head"]["ref"], document["base"]["ref"]) == (head, base)
        return branches and bool(document["head"]["repo"]["id"] == document["base"]["repo"]["id"])
    except (KeyError, TypeError):
        return False


def _pull_request(document: Mapping[str, Any]) -> PullRequest:
    merged = document["merged"] is True
    state = "merged" if merged else str(document["state"])
    return PullRequest(
        number=int(document["number"]),
        url=str(document["html_url"]),
        head=str(document["head"]["ref"]),
        base=str(document["base"]["ref"]),
        head_commit=str(document["head"]["sha"]),
        state=state,
        # Of one that is open it is a commit that GitHub made to try the merge.
        merge_commit=str(document["merge_commit_sha"] or "") if merged else "",
        author=str((document["user"] or {}).get("login", "")),
        title=str(document["title"]),
        mergeable=document["mergeable"] if state == "open" else None,
        draft=document.get("draft") is True,
        merged_by=account(document.get("merged_by")) if merged else "",
        merged_at=moment(document.get("merged_at")) if merged else None,
        changes=f"{document['html_url']}/files",
    )
