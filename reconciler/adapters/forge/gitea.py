"""The port `Forge` on Gitea and Forgejo (routers/api/v1/repo of Gitea 1.26: pull.go, pull_review.go)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reconciler.adapters.forge import comments, teams
from reconciler.adapters.forge.api import Api
from reconciler.adapters.forge.reading import account, moment, still, still_open, waits
from reconciler.adapters.forge.words import fitted, message_of, same
from reconciler.adapters.http import Answer
from reconciler.model.outcome import Blocked, Reason, Transient
from reconciler.ports import PullRequest, Review

_PAGE = 50
# Of a repository with more pull requests than this only the newest are looked through.
_PAGES = 40
_LONGEST_TITLE = 250
_LONGEST_BODY = 60_000
# Styles that `POST merge` takes; a repository may forbid all but one.
_STYLES = frozenset({"merge", "rebase", "rebase-merge", "squash", "fast-forward-only"})
_CHECKING = "try again later"
_CHECK_WAIT = 10.0
# REQUEST_REVIEW is no review: somebody was asked for one.
_REVIEWS = {"APPROVED": "approved", "REQUEST_CHANGES": "rejected", "COMMENT": "commented", "PENDING": "pending"}


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
                    # A list does not tell who merged.
                    return self.read(one.number) if one.state == "merged" else one
        return found

    def open(self, head: str, base: str, title: str, body: str) -> PullRequest:
        wanted = {"head": head, "base": base, **_texts(title, body)}
        answer = self._api.ask("POST", "pulls", body=wanted, expected=(409,))
        if answer.status != 409:
            return self._read(answer)
        return still_open(self.find(head, base), f"{self._api.place.shown}: the pull request of {head}")

    def read(self, number: int) -> PullRequest:
        return self._read(self._api.ask("GET", "pulls", number))

    def update(self, number: int, title: str, body: str) -> PullRequest:
        answer, wanted = self._api.ask("GET", "pulls", number), _texts(title, body)
        before, document = self._read(answer), answer.body
        if all(same(document.get(name), text) for name, text in wanted.items()):
            return before
        return self._read(self._api.ask("PATCH", "pulls", number, body=wanted))

    def merge(self, number: int, expected_head: str, message: str) -> PullRequest:
        before = self.read(number)
        if before.state == "merged":
            return before
        still(before, expected_head)
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
        still(after, expected_head)
        raise self._waits(answer, after)

    def close(self, number: int, title: str = "") -> PullRequest:
        before = self.read(number)
        if before.state != "open":
            return before
        wanted = {"state": "closed", **({"title": title[:_LONGEST_TITLE]} if title else {})}
        answer = self._api.ask("PATCH", "pulls", number, body=wanted, expected=(412,))
        # 412: it was merged or closed meanwhile.
        return self._read(answer) if answer.status != 412 else self.read(number)

    def comment(self, number: int, marker: str, text: str) -> None:
        # To the comments of a number that it does not know Gitea answers 500, so the pull request is read first.
        comments.upsert(self._api, self.read(number), marker, text, limit=_LONGEST_BODY)

    def reviews(self, number: int) -> Sequence[Review]:
        found = []
        for document in self._api.pages("pulls", number, "reviews", page=_PAGE):
            try:
                state = "dismissed" if document["dismissed"] else _REVIEWS.get(document["state"])
                if state is not None:
                    found.append(_review(document, state))
            except (KeyError, TypeError, ValueError):
                raise self._api.strange(Answer(200, document)) from None
        if any(review.official for review in found):
            # Gitea keeps a review official when its author may not write any more.
            writers = self._writers()
            found = [each._replace(official=each.official and each.user in writers) for each in found]
        return sorted(found, key=lambda review: review.at.timestamp() if review.at else 0.0)

    def members(self, team: str) -> frozenset[str]:
        return teams.of_gitea(self._api, team)

    def _writers(self) -> frozenset[str]:
        """Who may write to the repository now (repo/collaborators.go, GetRepoAssignees)."""
        answer = self._api.ask("GET", "assignees")
        try:
            return frozenset(str(one["login"]) for one in answer.body)
        except (KeyError, TypeError):
            raise self._api.strange(answer) from None

    def _waits(self, answer: Answer, found: PullRequest) -> Blocked:
        """The outcome for a merge that the forge's rules forbid now."""
        said = self._api.said(answer)
        if _CHECKING in said.lower():
            # It says no more of a conflict, once it has found one.
            return waits(found, f"Gitea is still looking at it, or it conflicts with {found.base}.", _CHECK_WAIT)
        if answer.status == 409 and not message_of(answer):
            said = f"it conflicts with {found.base}."
        return waits(found, said)

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


def _texts(title: str, body: str) -> dict[str, str]:
    return {"title": title[:_LONGEST_TITLE], "body": fitted(body, _LONGEST_BODY)}


def _own(document: Any) -> bool:
    """A fork may have a branch of the same name, and what it holds is not ours."""
    try:
        return bool(document["head"]["repo_id"] == document["base"]["repo_id"])
    except (KeyError, TypeError):
        return False


def _pull_request(document: Mapping[str, Any]) -> PullRequest:
    merged = document["merged"] is True
    state = "merged" if merged else str(document["state"])
    return PullRequest(
        number=int(document["number"]),
        url=str(document["html_url"]),
        # `ref` becomes refs/pull/<n>/head once the branch is deleted.
        head=str(document["head"]["label"]),
        base=str(document["base"]["label"]),
        head_commit=str(document["head"]["sha"]),
        state=state,
        merge_commit=str(document["merge_commit_sha"] or "") if merged else "",
        author=str(document["user"]["login"]),
        title=str(document["title"]),
        # Also false while it is still looking (convert/pull.go, CanBeMerged...), which it does not tell apart.
        mergeable=(True if document["mergeable"] is True else None) if state == "open" else None,
        draft=document.get("draft") is True,
        # null also where the branch was pushed to by hand, and Gitea found the commits there.
        merged_by=account(document.get("merged_by")) if merged else "",
        merged_at=moment(document.get("merged_at")) if merged else None,
        changes=f"{document['html_url']}/files",
    )


def _review(document: Mapping[str, Any], state: str) -> Review:
    # `user` is empty for an account that is gone.
    user = (document["user"] or {}).get("login", "")
    return Review(
        str(user),
        state,
        str(document["commit_id"] or ""),
        moment(document["submitted_at"]),
        document["official"] is True,
    )
