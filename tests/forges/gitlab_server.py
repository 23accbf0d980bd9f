"""A server on loopback that answers as GitLab's REST API v4 does (docs.gitlab.com/api: merge requests, approvals,
notes, commit statuses).
"""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from forges.server import Account, Asked, Bare, ForgeServer, Pull, Refused, Reply

PROJECT = r"/projects/team%2Fweb%2Fconfig"
_STATES = {"open": "opened", "closed": "closed", "merged": "merged"}


class GitLabServer(ForgeServer):
    """The project team/web/config. Numbers of merge requests begin at another place than their ids."""

    root = "/api/v4"
    unknown = {"message": "401 Unauthorized"}
    forbidden = {"message": "403 Forbidden"}

    def __init__(self, bare: Bare) -> None:
        super().__init__(bare)
        self.behind_pipeline = False
        self.fast_forward = False
        self.approved_at = True
        self._times = itertools.count()
        for method, pattern, handle in (
            ("GET", r"/user", self._user),
            ("GET", rf"{PROJECT}/merge_requests", self._list),
            ("POST", rf"{PROJECT}/merge_requests", self._create),
            ("GET", rf"{PROJECT}/merge_requests/(\d+)", self._read),
            ("PUT", rf"{PROJECT}/merge_requests/(\d+)", self._put),
            ("PUT", rf"{PROJECT}/merge_requests/(\d+)/merge", self._merge),
            ("GET", rf"{PROJECT}/merge_requests/(\d+)/approvals", self._approvals),
            ("GET", rf"{PROJECT}/merge_requests/(\d+)/reviewers", self._reviewers),
            ("GET", rf"{PROJECT}/merge_requests/(\d+)/versions", self._versions),
            ("GET", rf"{PROJECT}/merge_requests/(\d+)/notes", self._notes),
            ("POST", rf"{PROJECT}/merge_requests/(\d+)/notes", self._say),
            ("PUT", rf"{PROJECT}/merge_requests/(\d+)/notes/(\d+)", self._edit),
            ("POST", rf"{PROJECT}/statuses/([0-9a-f]+)", self._set_status),
            ("GET", rf"{PROJECT}/repository/commits/([0-9a-f]+)/statuses", self._statuses),
        ):
            self.route(method, pattern, handle)

    def may(self, asked: Asked, path: str) -> None:
        try:
            super().may(asked, path)
        except Refused as refused:
            # Who may not merge is told 401, as if nobody knew them.
            if refused.reply.status == 403 and path.endswith("/merge"):
                raise Refused(401, self.unknown) from None
            if refused.reply.status == 404:
                raise Refused(404, {"message": "404 Project Not Found"}) from None
            raise

    def _user(self, asked: Asked, match: re.Match[str]) -> Reply:
        assert asked.account is not None
        return Reply(200, _user(asked.account))

    def _list(self, asked: Asked, match: re.Match[str]) -> Reply:
        head, base = asked.query["source_branch"], asked.query["target_branch"]
        found = [
            self._shown(each)
            for each in sorted(self.pulls.values(), key=lambda each: -each.number)
            if (each.head, each.base) == (head, base)
        ]
        return self._paged(asked, found)

    def _create(self, asked: Asked, match: re.Match[str]) -> Reply:
        assert asked.account is not None
        body = asked.body
        head, base = body["source_branch"], body["target_branch"]
        for pull in self.pulls.values():
            if (pull.head, pull.base, pull.state, pull.fork) == (head, base, "open", False):
                words = f"Another open merge request already exists for this source branch: !{pull.number}"
                raise Refused(409, {"message": [words]})
        if self.bare.head(head) is None:
            raise Refused(400, {"message": {"source_branch": [f'"{head}" does not exist']}})
        if len(body["title"]) > 255 or len(body["description"]) > 1_048_576:
            raise Refused(400, {"message": {"title": ["is too long (maximum is 255 characters)"]}})
        return Reply(201, self._shown(self.add(head, base, body["title"], body["description"], asked.account)))

    def _pull(self, match: re.Match[str]) -> Pull:
        pull = self.pulls.get(int(match[1]))
        if pull is None:
            raise Refused(404, {"message": "404 Not found"})
        return pull

    def _read(self, asked: Asked, match: re.Match[str]) -> Reply:
        return Reply(200, self._shown(self._pull(match)))

    def _put(self, asked: Asked, match: re.Match[str]) -> Reply:
        pull, body = self._pull(match), asked.body
        pull.title, pull.body = body.get("title", pull.title), body.get("description", pull.body)
        if body.get("state_event") == "close":
            self.head_of(pull)
            pull.state = "closed"
        return Reply(200, self._shown(pull))

    def _merge(self, asked: Asked, match: re.Match[str]) -> Reply:
        pull, body = self._pull(match), asked.body
        if pull.state != "open" or pull.draft or self._status(pull) != "mergeable":
            raise Refused(405, {"message": "405 Method Not Allowed"})
        if body["sha"] != self.head_of(pull):
            raise Refused(409, {"message": "SHA does not match HEAD of source branch: " + self.head_of(pull)})
        if self.behind_pipeline:
            pull.planned = True
            return Reply(200, self._shown(pull))
        head = self.head_of(pull)
        if self.fast_forward:
            self.bare.upstream.git("update-ref", f"refs/heads/{pull.base}", head)
            commit: str | None = ""
        else:
            commit = self.bare.merge(pull.base, head, body["merge_commit_message"])
        if commit is None:
            raise Refused(422, {"message": "Branch cannot be merged"})
        pull.merged(commit, asked.account)
        if body["should_remove_source_branch"]:
            self.bare.delete(pull.head)
        return Reply(200, self._shown(pull))

    def review(self, number: int, who: Account, state: str) -> None:
        """`approved` is one of the approvals; `requested_changes` and `reviewed` are told of reviewers."""
        pull = self.pulls[number]
        self._version(pull)
        pull.reviews.append({"user": _user(who), "state": state, "at": self._now()})

    def _approvals(self, asked: Asked, match: re.Match[str]) -> Reply:
        approvals = [each for each in self._pull(match).reviews if each["state"] == "approved"]
        by = [{"user": each["user"], **({"approved_at": each["at"]} if self.approved_at else {})} for each in approvals]
        return Reply(200, {"approvals_required": self.approvals_needed, "approved_by": by})

    def _versions(self, asked: Asked, match: re.Match[str]) -> Reply:
        pull = self._pull(match)
        self._version(pull)
        return self._paged(asked, pull.versions[::-1])

    def _version(self, pull: Pull) -> None:
        """Each push makes a version, here as soon as somebody looks."""
        head = self.head_of(pull)
        if not pull.versions or pull.versions[-1]["head_commit_sha"] != head:
            pull.versions.append({"id": self.next_id(), "head_commit_sha": head, "created_at": self._now()})

    def _now(self) -> str:
        """A clock that goes on by a second each time it is looked at."""
        return f"{datetime(2026, 11, 26, 10, tzinfo=UTC) + timedelta(seconds=next(self._times)):%Y-%m-%dT%H:%M:%S}.000Z"

    def _reviewers(self, asked: Asked, match: re.Match[str]) -> Reply:
        return Reply(200, [{**each, "created_at": "2026-11-26T09:00:00Z"} for each in self._pull(match).reviews])

    def _notes(self, asked: Asked, match: re.Match[str]) -> Reply:
        return self._paged(asked, self._pull(match).comments)

    def _say(self, asked: Asked, match: re.Match[str]) -> Reply:
        assert asked.account is not None
        return Reply(201, self.say(self._pull(match), asked.account, asked.body["body"]))

    def say(self, pull: Pull, who: Account, text: str, system: bool = False) -> dict[str, Any]:
        if len(text) > 1_000_000:
            raise Refused(400, {"message": {"note": ["is too long (maximum is 1000000 characters)"]}})
        note = {"id": self.next_id(), "body": text, "author": _user(who), "system": system}
        pull.comments.append(note)
        return note

    def _edit(self, asked: Asked, match: re.Match[str]) -> Reply:
        assert asked.account is not None
        for note in self._pull(match).comments:
            if note["id"] == int(match[2]):
                if note["author"]["username"] != asked.account.name:
                    raise Refused(403, self.forbidden)
                note["body"] = asked.body["body"]
                return Reply(200, note)
        raise Refused(404, {"message": "404 Note Not Found"})

    def _set_status(self, asked: Asked, match: re.Match[str]) -> Reply:
        body = asked.body
        if not self.bare.has(match[1]):
            raise Refused(404, {"message": "404 Commit Not Found"})
        for one in self.statuses:
            if (one["sha"], one["name"], one["status"]) == (match[1], body["name"], "pending"):
                if body["state"] == "pending":
                    why = '(Reason(s): Status cannot transition via "enqueue")'
                    raise Refused(400, {"message": f"Cannot transition status via :enqueue from :pending {why}"})
                one |= {"status": body["state"], **_said(body)}
                return Reply(201, one)
        made = {"id": self.next_id(), "sha": match[1], "name": body["name"], "status": body["state"], **_said(body)}
        self.statuses.append(made)
        return Reply(201, made)

    def _statuses(self, asked: Asked, match: re.Match[str]) -> Reply:
        return self._paged(asked, [each for each in self.statuses if each["sha"] == match[1]])

    def _shown(self, pull: Pull) -> dict[str, Any]:
        return {
            "id": 7000 + pull.number,
            "iid": pull.number,
            "web_url": f"{self.origin}/team/web/config/-/merge_requests/{pull.number}",
            "state": _STATES[pull.state],
            "title": pull.title,
            "description": pull.body,
            "author": _user(pull.author),
            "draft": pull.draft,
            "source_branch": pull.head,
            "target_branch": pull.base,
            "source_project_id": 2 if pull.fork else 1,
            "target_project_id": 1,
            "sha": self.head_of(pull),
            "merge_commit_sha": pull.merge_commit or None,
            "squash_commit_sha": None,
            "merge_user": _user(pull.merged_by) if pull.merged_by else None,
            "merged_at": pull.merged_at or None,
            "detailed_merge_status": self._status(pull, look=True),
            "merge_when_pipeline_succeeds": pull.planned,
        }

    def _status(self, pull: Pull, look: bool = False) -> str:
        if pull.state != "open":
            return "not_open"
        if pull.looks > 0:
            pull.looks -= look
            return "checking"
        if pull.draft:
            return "draft_status"
        if self.bare.merged_tree(pull.base, self.head_of(pull)) is None:
            return "conflict"
        approvals = [each for each in pull.reviews if each["state"] == "approved"]
        return "mergeable" if len(approvals) >= self.approvals_needed else "not_approved"

    def _paged(self, asked: Asked, items: list[Any]) -> Reply:
        some, number, more = self.page(asked, items)
        return Reply(200, some, {"X-Next-Page": str(number + 1) if more else "", "X-Page": str(number)})


def _user(who: Account) -> dict[str, Any]:
    return {"id": who.id, "username": who.name, "state": "active"}


def _said(body: dict[str, Any]) -> dict[str, Any]:
    return {"description": body.get("description"), "target_url": body.get("target_url")}
