"""One comment of ours below a pull request, found again by its marker: GitHub and Gitea, whose API is the same here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.adapters.forge.api import Api
from reconciler.adapters.forge.words import mark, marked, same
from reconciler.adapters.http import Answer
from reconciler.ports import PullRequest


def upsert(api: Api, below: PullRequest, marker: str, text: str, *, limit: int, app: str = "") -> None:
    """`app` is the id of the GitHub App that writes, empty for a user's token. Only what we have written ourselves is
    changed: everybody may write a comment that begins as ours does."""
    wanted, line, me = marked(marker, text, limit), mark(marker), ""
    for document in api.pages("issues", below.number, "comments"):
        try:
            if not str(document["body"]).startswith(line):
                continue
            # Who we are is asked only where it matters.
            me = me or _name(api, below)
            if not _ours(document, me, app):
                continue
            if not same(document["body"], wanted):
                api.ask("PATCH", "issues", "comments", int(document["id"]), body={"body": wanted})
        except (KeyError, TypeError, ValueError):
            raise api.strange(Answer(200, document)) from None
        return
    api.ask("POST", "issues", below.number, "comments", body={"body": wanted})


def _ours(document: Mapping[str, Any], me: str, app: str) -> bool:
    by = document.get("performed_via_github_app") or {}
    if app and str(by.get("id")) == app:
        return True
    user = document["user"] or {}
    return bool(me) and str(user.get("login", "")).lower() == me.lower()


def _name(api: Api, below: PullRequest) -> str:
    """The account of the token. One that may not ask (a token of a GitHub App, one without `read:user`) is taken for
    the account that opened the pull request: Dispatch comments on its own."""
    answer = api.ask("GET", "user", expected=(403, 404), above=True)
    return str(answer.body["login"]) if answer.status == 200 and isinstance(answer.body, dict) else below.author
