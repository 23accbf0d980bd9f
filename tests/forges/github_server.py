"""A server on loopback that answers as GitHub's REST API does (docs.github.com/rest, version 2022-11-28).

Statuses, bodies and sentences are those of the documentation, and of the threads that are named beside them.
"""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from forges.server import Account, Asked, Bare, ForgeServer, Pull, Refused, Reply

REPO = r"/repos/team/config"
DOCS = "https://docs.github.com/rest"


class GitHubServer(ForgeServer):
    """GitHub Enterprise Server has its API below /api/v3. `app` is (id, installation, public key) of a GitHub App."""

    root = "/api/v3"
    unknown = {"message": "Bad credentials", "documentation_url": DOCS, "status": "401"}
    forbidden = {"message": "Resource not accessible by personal access token", "documentation_url": DOCS}

    def __init__(self, bare: Bare) -> None:
        super().__init__(bare)
        self.settings = {"allow_merge_commit": True, "allow_squash_merge": True, "allow_rebase_merge": True}
        self.checks: list[dict[str, Any]] = []
        self.app: tuple[str, str, RSAPublicKey] | None = None
        self.issued: list[str] = []
        self.lifetime = timedelta(hours=1)
        for method, pattern, handle in (
            ("GET", REPO, self._repository),
            ("GET", r"/user", self._user),
            ("GET", rf"{REPO}/pulls", self._list),
            ("POST", rf"{REPO}/pulls", self._create),
            ("GET", rf"{REPO}/pulls/(\d+)", self._read),
            ("PATCH", rf"{REPO}/pulls/(\d+)", self._patch),
            ("PUT", rf"{REPO}/pulls/(\d+)/merge", self._merge),
            ("GET", rf"{REPO}/pulls/(\d+)/reviews", self._reviews),
            ("GET", rf"{REPO}/collaborators/([^/]+)/permission", self._permission),
            ("GET", rf"{REPO}/issues/(\d+)/comments", self._comments),
            ("POST", rf"{REPO}/issues/(\d+)/comments", self._say),
            ("PATCH", rf"{REPO}/issues/comments/(\d+)", self._edit),
            ("GET", rf"{REPO}/git/ref/heads/(.+)", self._ref),
            ("DELETE", rf"{REPO}/git/refs/heads/(.+)", self._delete),
            ("POST", rf"{REPO}/statuses/([0-9a-f]+)", self._set_status),
            ("GET", rf"{REPO}/commits/([0-9a-f]+)/status", self._combined),
            ("GET", rf"{REPO}/commits/([0-9a-f]+)/check-runs", self._check_runs),
            ("POST", r"/app/installations/(\d+)/access_tokens", self._token),
        ):
            self.route(method, pattern, handle)

    def may(self, asked: Asked, path: str) -> None:
        if not path.startswith("/app/"):
            super().may(asked, path)

    def _repository(self, asked: Asked, match: re.Match[str]) -> Reply:
        assert asked.account is not None
        shown = self.settings if asked.account.right in ("admin", "write") else {}
        return Reply(200, {"id": 1, "full_name": "team/config", "default_branch": "main", **shown})

    def _user(self, asked: Asked, match: re.Match[str]) -> Reply:
        assert asked.account is not None
        if asked.account.name.endswith("[bot]"):
            raise Refused(403, {"message": "Resource not accessible by integration", "documentation_url": DOCS})
        return Reply(200, _user(asked.account))

    def _list(self, asked: Asked, match: re.Match[str]) -> Reply:
        state, head, base = (asked.query.get(name, "") for name in ("state", "head", "base"))
        found = [
            each
            for each in sorted(self.pulls.values(), key=lambda each: -each.number)
            if (state == "all" or ("open" if each.state == "open" else "closed") == (state or "open"))
            and (not base or each.base == base)
            # A head without an owner is not looked at: it is as if it was not given.
            and (":" not in head or f"{'team' if not each.fork else 'team-fork'}:{each.head}" == head or each.fork)
        ]
        return self._paged(asked, [self._shown(each, whole=False) for each in found])

    def _create(self, asked: Asked, match: re.Match[str]) -> Reply:
        assert asked.account is not None
        body = asked.body
        head, base = self.bare.head(body["head"]), self.bare.head(body["base"])
        same = [p for p in self.pulls.values() if (p.head, p.base, p.fork) == (body["head"], body["base"], False)]
        if head is None or base is None:
            field = "head" if head is None else "base"
            raise _invalid({"resource": "PullRequest", "field": field, "code": "invalid"})
        if any(pull.state == "open" for pull in same):
            raise _invalid(_told(f"A pull request already exists for team:{body['head']}."))
        if not self.bare.ahead(body["base"], body["head"]):
            raise _invalid(_told(f"No commits between {body['base']} and {body['head']}"))
        if len(body["title"]) > 256 or len(body["body"]) > 65_536:
            raise _invalid(_told("body is too long (maximum is 65536 characters)"))
        pull = self.add(body["head"], body["base"], body["title"], body["body"], asked.account)
        return Reply(201, self._shown(pull))

    def _pull(self, match: re.Match[str]) -> Pull:
        pull = self.pulls.get(int(match[1]))
        if pull is None:
            raise Refused(404, {"message": "Not Found", "documentation_url": DOCS, "status": "404"})
        return pull

    def _read(self, asked: Asked, match: re.Match[str]) -> Reply:
        return Reply(200, self._shown(self._pull(match)))

    def _patch(self, asked: Asked, match: re.Match[str]) -> Reply:
        pull, body = self._pull(match), asked.body
        if "state" in body and pull.state == "merged":
            raise _invalid(_told("state cannot be changed. The pull request is merged."))
        pull.title, pull.body = body.get("title", pull.title), body.get("body", pull.body)
        if "state" in body:
            self.head_of(pull)
            pull.state = body["state"]
        return Reply(200, self._shown(pull))

    def _merge(self, asked: Asked, match: re.Match[str]) -> Reply:
        pull, body = self._pull(match), asked.body
        allowed = {"merge": "allow_merge_commit", "squash": "allow_squash_merge", "rebase": "allow_rebase_merge"}
        if pull.state != "open" or pull.draft:
            raise Refused(405, {"message": "Pull Request is not mergeable"})
        if not self.settings[allowed[body["merge_method"]]]:
            names = {"merge": "Merge commits", "squash": "Squash merges", "rebase": "Rebase merges"}
            raise Refused(405, {"message": f"{names[body['merge_method']]} are not allowed on this repository."})
        if body["sha"] != self.head_of(pull):
            raise Refused(409, {"message": "Head branch was modified. Review and try the merge again."})
        if len([each for each in pull.reviews if each["state"] == "APPROVED"]) < self.approvals_needed:
            words = f"At least {self.approvals_needed} approving review is required by reviewers with write access."
            raise Refused(405, {"message": words})
        message = f"{body['commit_title']}\n\n{body['commit_message']}".strip()
        commit = self.bare.merge(pull.base, self.head_of(pull), message, body["merge_method"] != "merge")
        if commit is None:
            raise Refused(405, {"message": "Pull Request is not mergeable"})
        pull.merged(commit, asked.account)
        return Reply(200, {"sha": commit, "merged": True, "message": "Pull Request successfully merged"})

    def _reviews(self, asked: Asked, match: re.Match[str]) -> Reply:
        return self._paged(asked, self._pull(match).reviews)

    def review(self, number: int, who: Account | None, state: str, commit: str | None = None) -> None:
        """Somebody's review, as the page of GitHub would make it."""
        pull = self.pulls[number]
        pull.reviews.append(
            {
                "id": self.next_id(),
                "user": _user(who) if who else None,
                "body": "",
                "state": state,
                "commit_id": commit or self.head_of(pull),
                "submitted_at": None if state == "PENDING" else "2026-11-26T10:00:00Z",
                "author_association": "MEMBER",
            }
        )

    def _permission(self, asked: Asked, match: re.Match[str]) -> Reply:
        found = self.known(match[1])
        if found is None:
            raise Refused(404, {"message": f"{match[1]} is not a user", "documentation_url": DOCS})
        return Reply(200, {"permission": found.right, "role_name": found.right, "user": _user(found)})

    def _comments(self, asked: Asked, match: re.Match[str]) -> Reply:
        return self._paged(asked, self._pull(match).comments)

    def _say(self, asked: Asked, match: re.Match[str]) -> Reply:
        assert asked.account is not None
        return Reply(201, self.say(self._pull(match), asked.account, asked.body["body"]))

    def say(self, pull: Pull, who: Account, text: str) -> dict[str, Any]:
        if len(text) > 65_536:
            raise _invalid({**_told("Body is too long (maximum is 65536 characters)"), "field": "body"})
        app = {"id": int(self.app[0]), "slug": "dispatch"} if self.app and who.name.endswith("[bot]") else None
        comment = {"id": self.next_id(), "body": text, "user": _user(who), "performed_via_github_app": app}
        pull.comments.append(comment)
        return comment

    def _edit(self, asked: Asked, match: re.Match[str]) -> Reply:
        for pull in self.pulls.values():
            for comment in pull.comments:
                if comment["id"] == int(match[1]):
                    comment["body"] = asked.body["body"]
                    return Reply(200, comment)
        raise Refused(404, {"message": "Not Found"})

    def _ref(self, asked: Asked, match: re.Match[str]) -> Reply:
        head = self.bare.head(match[1])
        if head is None:
            raise Refused(404, {"message": "Not Found"})
        return Reply(200, {"ref": f"refs/heads/{match[1]}", "object": {"type": "commit", "sha": head}})

    def _delete(self, asked: Asked, match: re.Match[str]) -> Reply:
        if self.bare.head(match[1]) is None:
            raise Refused(422, {"message": "Reference does not exist"})
        self.bare.delete(match[1])
        return Reply(204)

    def _set_status(self, asked: Asked, match: re.Match[str]) -> Reply:
        if not self.bare.has(match[1]):
            raise Refused(422, {"message": f"No commit found for SHA: {match[1]}"})
        if len(asked.body["description"]) > 140:
            raise _invalid(_told("description is too long (maximum is 140 characters)"))
        given = {**asked.body, "target_url": asked.body["target_url"] or None}
        self.statuses.append({"id": self.next_id(), "sha": match[1], **given})
        return Reply(201, self.statuses[-1])

    def _combined(self, asked: Asked, match: re.Match[str]) -> Reply:
        newest = {each["context"]: each for each in self.statuses if each["sha"] == match[1]}
        paged = self._paged(asked, list(newest.values()))
        return paged._replace(body={"state": "pending", "total_count": len(newest), "statuses": paged.body})

    def _check_runs(self, asked: Asked, match: re.Match[str]) -> Reply:
        paged = self._paged(asked, [each for each in self.checks if each["head_sha"] == match[1]])
        return paged._replace(body={"total_count": len(self.checks), "check_runs": paged.body})

    def _token(self, asked: Asked, match: re.Match[str]) -> Reply:
        """GitHub, "Create an installation access token for an app"."""
        assert self.app is not None
        if not _signed(asked.headers.get("authorization", ""), self.app):
            raise Refused(401, {"message": "A JSON web token could not be decoded", "documentation_url": DOCS})
        if match[1] != self.app[1]:
            raise Refused(404, {"message": "Not Found", "documentation_url": DOCS})
        if asked.body["repositories"] != ["config"]:
            words = (
                "There is at least one repository that does not exist or is not accessible to the parent installation."
            )
            raise Refused(422, {"message": words})
        token = f"ghs_{len(self.issued):036d}"
        self.issued.append(token)
        self.account("dispatch[bot]", "write", token)
        until = datetime.now(UTC) + self.lifetime
        return Reply(201, {"token": token, "expires_at": until.strftime("%Y-%m-%dT%H:%M:%SZ")})

    def _shown(self, pull: Pull, whole: bool = True) -> dict[str, Any]:
        head = self.head_of(pull)
        fork = {"id": 2 if pull.fork else 1, "full_name": "team/config"}
        shown = {
            "number": pull.number,
            "html_url": f"{self.origin}/team/config/pull/{pull.number}",
            "state": "open" if pull.state == "open" else "closed",
            "title": pull.title,
            "body": pull.body or None,
            "user": _user(pull.author),
            "draft": pull.draft,
            "head": {"ref": pull.head, "sha": head, "label": f"team:{pull.head}", "repo": fork},
            "base": {"ref": pull.base, "sha": self.bare.head(pull.base), "repo": {"id": 1, "full_name": "team/config"}},
            "merged_at": pull.merged_at or None,
            # Of an open one it is the commit that was made to try the merge.
            "merge_commit_sha": pull.merge_commit or "f" * 40,
        }
        if whole:
            by = _user(pull.merged_by) if pull.merged_by else None
            shown |= {"merged": pull.state == "merged", "mergeable": self._mergeable(pull, head), "merged_by": by}
        return shown

    def _mergeable(self, pull: Pull, head: str) -> bool | None:
        if pull.state != "open":
            return None
        if pull.looks > 0:
            pull.looks -= 1
            return None
        return self.bare.merged_tree(pull.base, head) is not None

    def _paged(self, asked: Asked, items: list[Any]) -> Reply:
        some, number, more = self.page(asked, items)
        url = f"{self.origin}{asked.path}?page="
        return Reply(200, some, {"Link": f'<{url}{number + 1}>; rel="next", <{url}9>; rel="last"'} if more else {})


def _user(who: Account) -> dict[str, Any]:
    return {"login": who.name, "id": who.id, "type": "Bot" if who.name.endswith("[bot]") else "User"}


def _told(message: str) -> dict[str, str]:
    return {"resource": "PullRequest", "code": "custom", "message": message}


def _invalid(error: dict[str, str]) -> Refused:
    return Refused(422, {"message": "Validation Failed", "errors": [error], "documentation_url": DOCS, "status": "422"})


def _signed(authorization: str, app: tuple[str, str, RSAPublicKey]) -> bool:
    """Whether it is a statement of the App that is good now (RFC 7519, RS256)."""

    def decoded(part: str) -> bytes:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))

    try:
        head, claims, signature = authorization.removeprefix("Bearer ").split(".")
        app[2].verify(decoded(signature), f"{head}.{claims}".encode(), PKCS1v15(), SHA256())
        said, now = json.loads(decoded(claims)), datetime.now(UTC).timestamp()
    except (InvalidSignature, ValueError):
        return False
    good = said["iat"] <= now < said["exp"] <= now + 600
    return bool(good and said["iss"] == app[0] and json.loads(decoded(head))["alg"] == "RS256")
