"""What an administrator makes once in a Gitea, played in the sandbox's: an organisation with a repository, an account
for Dispatch and one for its webhook, and two people who review.

    python town.py make FOLDER        # writes who they are into FOLDER, readable by you alone
    python town.py protect FOLDER     # from now on only Dispatch's account may push to main and merge
    python town.py approve FOLDER NUMBER --by ada
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
from base64 import b64encode
from pathlib import Path
from typing import Any

import urllib3

OWNER, REPOSITORY = "acme", "config"
BOT = "dispatch-bot"
KEEPER = "hook-keeper"
"""Makes the repository's webhook. That is an administrator's right, which Dispatch's own account must not have: it
would merge past the rules of a branch.
"""
PEOPLE = ("ada", "bob")
SCOPES = ["write:repository", "write:issue"]
"""The least that Dispatch needs (docs/forges.md); people who push and review need no more."""
HTTP = urllib3.PoolManager(retries=False, timeout=30)


class Town:
    """The Gitea that $GITEA_ACCESS_FILE tells of. `folder` keeps `people.json`, `git-credentials` and what is put into
    Secrets: `bot-token`, `hook-token` (random) and `hook-password`.
    """

    def __init__(self, folder: Path) -> None:
        access = json.loads(Path(os.environ["GITEA_ACCESS_FILE"]).read_text())
        self.url = str(access["url"])
        self._administrator = f"token {access['token']}"
        self._folder = folder

    def make(self) -> str:
        """The address of the repository; it is empty, and all of them may write to it."""
        self._ask("POST", "/orgs", {"username": OWNER, "full_name": "Acme"})
        self._ask("POST", f"/orgs/{OWNER}/repos", {"name": REPOSITORY, "default_branch": "main"})
        people = {name: self._person(name) for name in (BOT, KEEPER, *PEOPLE)}
        for name in people:
            right = "admin" if name == KEEPER else "write"
            self._ask("PUT", self._at(f"/collaborators/{name}"), {"permission": right})
        self._keep("people.json", json.dumps(people, indent=2) + "\n")
        self._keep("bot-token", people[BOT]["token"])
        self._keep("hook-token", secrets.token_hex(32))
        self._keep("hook-password", people[KEEPER]["token"])
        scheme, _, host = self.url.partition("://")
        self._keep("git-credentials", f"{scheme}://ada:{people['ada']['token']}@{host}\n")
        return f"{self.url}/{OWNER}/{REPOSITORY}"

    def protect(self) -> None:
        """People change main by pull requests alone. How many approve is counted by Dispatch's own gate."""
        only = {"enable_push": True, "enable_push_whitelist": True, "push_whitelist_usernames": [BOT]}
        merging = {"enable_merge_whitelist": True, "merge_whitelist_usernames": [BOT]}
        rule = {"rule_name": "main", **only, **merging, "dismiss_stale_approvals": True}
        self._ask("POST", self._at("/branch_protections"), rule)

    def approve(self, number: int, by: str) -> None:
        person = json.loads((self._folder / "people.json").read_text())[by]
        review = {"event": "APPROVED", "body": "Looks good."}
        self._ask("POST", self._at(f"/pulls/{number}/reviews"), review, f"token {person['token']}")

    def _person(self, name: str) -> dict[str, str]:
        password = secrets.token_urlsafe(18)
        account = {"username": name, "email": f"{name}@example.com", "password": password}
        self._ask("POST", "/admin/users", {**account, "must_change_password": False})
        basic = b64encode(f"{name}:{password}".encode()).decode()
        token = self._ask("POST", f"/users/{name}/tokens", {"name": "demo", "scopes": SCOPES}, f"Basic {basic}")
        return {"password": password, "token": token["sha1"]}

    def _at(self, path: str) -> str:
        return f"/repos/{OWNER}/{REPOSITORY}{path}"

    def _ask(self, method: str, path: str, body: dict[str, Any], authorization: str = "") -> Any:
        headers = {"Authorization": authorization or self._administrator, "Content-Type": "application/json"}
        answer = HTTP.request(method, f"{self.url}/api/v1{path}", body=json.dumps(body).encode(), headers=headers)
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: HTTP {answer.status} {answer.data.decode(errors='replace')}")
        return json.loads(answer.data) if answer.data else None

    def _keep(self, name: str, text: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / name
        file.touch(mode=0o600)
        file.write_text(text)


def main() -> None:
    options = parsed()
    town = Town(Path(options.folder))
    if options.verb == "make":
        print(town.make())
    elif options.verb == "protect":
        town.protect()
    else:
        town.approve(options.number, options.by)
        print(f"{options.by} approved pull request {options.number}")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb in ("make", "protect", "approve"):
        given = verbs.add_parser(verb)
        given.add_argument("folder")
    given.add_argument("number", type=int)
    given.add_argument("--by", choices=PEOPLE, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
