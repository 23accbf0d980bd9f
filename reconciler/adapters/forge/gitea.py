"""The port `Forge` on Gitea and Forgejo (routers/api/v1/repo/pull.go of Gitea 1.26)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from reconciler.adapters.forge.api import Api, message_of
from reconciler.adapters.http import Answer
from reconciler.model.outcome import Blocked, Reason, Transient
from reconciler.ports import PullRequest

API_PATH = "/api/v1"
_PAGE = 50
# Of a repository with more pull requests than this only the newest are looked through.
_PAGES = 40
_LONGEST_TITLE = 250
_LONGEST_BODY = 60_000
# Styles that `POST merge` takes; a repository may forbid all but one.
_STYLES = frozenset({"merge", "rebase", "rebase-merge", "squash", "fast-forward-only"})
# How long a merge waits that the forge's rules forbid, and one of a pull request that it is still looking at.
_RULES_WAIT, _CHECK_WAIT = 60.0, 10.0
_CHECKING = "try again later"


class GiteaForge:
    """Pull requests of one repository. Safe to call from many threads."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def find(self, head: str, base: str) -> PullRequest | None:
        # Any one of these branches, so it is not the answer; but where there is none, nothing has to be searched.
        some = self._api.ask("GET", "pulls", base, head, expected=(404,))
        if some.status == 404:
            return None
        found = self._read(some)
        if found.state == "open":
            return found
        for state in ("open", "closed"):
            for one in self._all(state, base):
                if (one.head, one.base) == (head, base):
                    return one
        return found

    def open(self, head: str, base: str, title: str, body: str) -> PullRequest:
        wanted = {"head": head, "base": base, "title": title[:_LONGEST_TITLE], "body": body[:_LONGEST_BODY]}
        answer = self._api.ask("POST", "pulls", body=wanted, expected=(409,))
        if answer.status != 409:
            return self._read(answer)
        found = self.find(head, base)
        if found is None or found.state != "open":
            raise Transient(
                Reason.CONFLICT,
                f"{self._api.place.shown}: the pull request of {head} was closed meanwhile. It is read again.",
            )
        return found

    def read(self, number: int) -> PullRequest:
        return self._read(self._api.ask("GET", "pulls", number))

    def merge(self, number: int, expected_head: str, message: str) -> PullRequest:
        before = self.read(number)
        if before.state == "merged":
            return before
        self._still(before, expected_head)
        title, _, body = message.strip().partition("\n")
        wanted = {
            "Do": self._style(),
            "head_commit_id": expected_head,
            "MergeTitleField": title,
            "MergeMessageField": body.strip(),
            "delete_branch_after_merge": True,
        }
        answer = self._api.ask("POST", "pulls", number, "merge", body=wanted, expected=(405, 409))
        after = self.read(number)
        if after.state == "merged":
            return after
        if answer.status == 200:
            # It was merged, and the answer to the reading is older.
            raise Transient(Reason.FORGE_UNREACHABLE, f"{after.url} was merged, and does not say so yet.")
        # 409 is said for a head that moved, a conflict, and a base that moved meanwhile: what is there now tells.
        self._still(after, expected_head)
        raise self._waits(answer, after)

    def close(self, number: int) -> PullRequest:
        before = self.read(number)
        if before.state != "open":
            return before
        answer = self._api.ask("PATCH", "pulls", number, body={"state": "closed"}, expected=(412,))
        # 412: it was merged or closed meanwhile.
        return self._read(answer) if answer.status != 412 else self.read(number)

    def _waits(self, answer: Answer, found: PullRequest) -> Blocked:
        """The outcome for a merge that the forge's rules forbid now."""
        said, wait = self._api.said(answer), _RULES_WAIT
        if _CHECKING in said.lower():
            # It says no more of a conflict, once it has found one.
            said, wait = f"Gitea is still looking at it, or it conflicts with {found.base}.", _CHECK_WAIT
        elif answer.status == 409 and not message_of(answer):
            said = f"it conflicts with {found.base}."
        return Blocked(Reason.MERGE_BLOCKED, f"{found.url} cannot be merged yet: {said}", wait)

    def _still(self, found: PullRequest, expected_head: str) -> None:
        """Raises Transient(CONFLICT) when the branch has moved, Blocked when the pull request was closed."""
        if found.state == "closed":
            words = f"{found.url} was closed without merging. Reopen it to go on"
            raise Blocked(Reason.MERGE_BLOCKED, f"{words}.", _RULES_WAIT)
        if found.head_commit != expected_head:
            raise Transient(
                Reason.CONFLICT,
                f"{found.url} is at {found.head_commit[:10]} and not at {expected_head[:10]} any more: somebody else "
                "has written to its branch. It is read again.",
            )

    def _style(self) -> str:
        """How this repository likes merges; "merge" when it does not say so."""
        settings = self._api.ask("GET").body
        style = settings.get("default_merge_style") if isinstance(settings, dict) else None
        return style if style in _STYLES else "merge"

    def _all(self, state: str, base: str) -> Iterator[PullRequest]:
        """Those of this repository's own branches, newest first. A Gitea before 1.23 does not know `base_branch`."""
        for page in range(1, _PAGES + 1):
            query = {"state": state, "base_branch": base, "limit": _PAGE, "page": page}
            answer = self._api.ask("GET", "pulls", query=query)
            if not isinstance(answer.body, list):
                raise self._api.strange(answer)
            for document in answer.body:
                if _own(document):
                    yield self._seen(document, answer)
            # The forge may give fewer on a page than were asked for, so only an empty one is the last.
            if not answer.body:
                return

    def _read(self, answer: Answer) -> PullRequest:
        return self._seen(answer.body, answer)

    def _seen(self, document: Any, answer: Answer) -> PullRequest:
        try:
            return _pull_request(document)
        except (KeyError, TypeError, ValueError):
            raise self._api.strange(answer) from None


def _own(document: Any) -> bool:
    """A fork may have a branch of the same name, and what it holds is not ours."""
    try:
        return bool(document["head"]["repo_id"] == document["base"]["repo_id"])
    except (KeyError, TypeError):
        return False


def _pull_request(document: Mapping[str, Any]) -> PullRequest:
    merged = document["merged"] is True
    return PullRequest(
        number=int(document["number"]),
        url=str(document["html_url"]),
        # `ref` becomes refs/pull/<n>/head once the branch is deleted.
        head=str(document["head"]["label"]),
        base=str(document["base"]["label"]),
        head_commit=str(document["head"]["sha"]),
        state="merged" if merged else str(document["state"]),
        merge_commit=str(document["merge_commit_sha"] or "") if merged else "",
    )
