"""Who is in a team of a forge: GitHub and Gitea have teams of organizations, GitLab has groups."""

from __future__ import annotations

from dataclasses import replace

from reconciler.adapters.forge.api import Api
from reconciler.adapters.http import Answer
from reconciler.model.outcome import Reason, Terminal

_PAGE = 100
_GITEA_PAGE = 50


def of_github(api: Api, team: str) -> frozenset[str]:
    """GitHub, "List team members": those of teams below it are among them; who is only invited is not."""
    asked = _asking(
        api, team, "`read:org`; a fine-grained token and a GitHub App need Members: read of the organization"
    )
    organization, slug = _parts(api, team)
    return _names(asked, "orgs", organization, "teams", slug, "members", page=_PAGE)


def of_gitea(api: Api, team: str) -> frozenset[str]:
    """routers/api/v1/org/team.go. An organization tells its teams to its members, a team its own to them."""
    asked = _asking(api, team, "`read:organization`, and its account must be a member of this team")
    organization, name = _parts(api, team)
    for each in asked.pages("orgs", organization, "teams", page=_GITEA_PAGE, above=True):
        try:
            # No two teams of an organization differ in the case of their letters only.
            if str(each["name"]).lower() == name.lower():
                return _names(asked, "teams", int(each["id"]), "members", page=_GITEA_PAGE)
        except (KeyError, TypeError, ValueError):
            raise api.strange(Answer(200, each)) from None
    where = f"{api.place.shown}: the organization {organization}"
    raise Terminal(Reason.FORGE_DENIED, f"{where} has no team {name}. Write it as its address has it.")


def of_gitlab(api: Api, team: str) -> frozenset[str]:
    """GitLab, "List all members of a group including inherited and invited members"; a blocked account is none."""
    asked = _asking(api, team, "`read_api`, and its account must be at least a guest of this group", "group")
    found = set()
    for each in asked.pages("groups", team, "members", "all", page=_PAGE, above=True):
        try:
            if each["state"] == "active" and each.get("membership_state", "active") == "active":
                found.add(str(each["username"]))
        except (KeyError, TypeError):
            raise api.strange(Answer(200, each)) from None
    return frozenset(found)


def _asking(api: Api, team: str, right: str, kind: str = "team") -> Api:
    return replace(api, right=right, thing=f"{kind} {team}")


def _parts(api: Api, team: str) -> tuple[str, str]:
    organization, _, name = team.partition("/")
    if not name or "/" in name:
        words = f"{api.place.shown} has no team {team}: a team is named `organization/team` there"
        raise Terminal(Reason.FORGE_DENIED, f"{words}.")
    return organization, name


def _names(api: Api, *path: object, page: int) -> frozenset[str]:
    found = set()
    for each in api.pages(*path, page=page, above=True):
        try:
            found.add(str(each["login"]))
        except KeyError:
            raise api.strange(Answer(200, each)) from None
    return frozenset(found)
