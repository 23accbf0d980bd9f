"""The teams of an organization at the server that stands in for GitHub, and the groups of the one for GitLab."""

from __future__ import annotations

import re
from urllib.parse import unquote

from forges.github_server import DOCS, GitHubServer
from forges.gitlab_server import GitLabServer
from forges.server import Account, Asked, Refused, Reply


class Teams:
    """`members` are those of each team, by its name. A team that is `hidden` is none for whoever asks. `refusal` is
    what a token without the scope is told, about every team."""

    def __init__(self, server: GitHubServer | GitLabServer) -> None:
        self.server = server
        self.members: dict[str, list[Account]] = {}
        self.hidden: set[str] = set()
        self.blocked: set[Account] = set()
        self.refusal: Reply | None = None
        if isinstance(server, GitHubServer):
            server.route("GET", r"/orgs/([^/]+)/teams/([^/]+)/members", self._of_github)
        else:
            server.route("GET", r"/groups/([^/]+)/members/all", self._of_gitlab)

    def lacks_scope(self) -> None:
        """From now on: GitHub, "Resource not accessible by personal access token"; GitLab, OAuth 2.0 (RFC 6750)."""
        if isinstance(self.server, GitHubServer):
            self.refusal = Reply(403, self.server.forbidden)
        else:
            words = "The request requires higher privileges than provided by the access token."
            said = {"error": "insufficient_scope", "error_description": words, "scope": "api read_api"}
            self.refusal = Reply(403, said)

    def asked(self) -> int:
        """How often somebody has asked who is in a team."""
        return sum("/members" in each for each in self.server.seen)

    def _of_github(self, asked: Asked, match: re.Match[str]) -> Reply:
        """GitHub, "List team members"."""
        found = self._found(f"{match[1]}/{match[2]}", {"message": "Not Found", "documentation_url": DOCS})
        users = [{"login": each.name, "id": each.id, "type": "User", "site_admin": False} for each in found]
        some, number, more = self.server.page(asked, users)
        url = f"{self.server.origin}{asked.path}?page={number + 1}"
        return Reply(200, some, {"Link": f'<{url}>; rel="next"'} if more else {})

    def _of_gitlab(self, asked: Asked, match: re.Match[str]) -> Reply:
        """GitLab, "List all members of a group including inherited and invited members"."""
        found = self._found(unquote(match[1]), {"message": "404 Group Not Found"})
        users = [
            {
                "id": each.id,
                "username": each.name,
                "state": "blocked" if each in self.blocked else "active",
                "membership_state": "active",
                "access_level": 30,
            }
            for each in found
        ]
        some, number, more = self.server.page(asked, users)
        return Reply(200, some, {"X-Next-Page": str(number + 1) if more else "", "X-Page": str(number)})

    def _found(self, team: str, unknown: dict[str, str]) -> list[Account]:
        if self.refusal is not None:
            raise Refused(self.refusal.status, self.refusal.body)
        if team not in self.members or team in self.hidden:
            raise Refused(404, unknown)
        return self.members[team]
