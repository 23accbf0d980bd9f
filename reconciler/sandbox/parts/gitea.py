"""Gitea on SQLite: an API, git over HTTP, reviews, protection and webhooks, with one administrator."""

from __future__ import annotations

import json
import os
import re
import secrets
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import urllib3

from reconciler.sandbox import process, tools
from reconciler.sandbox.errors import SandboxError
from reconciler.sandbox.home import Home, write_private
from reconciler.sandbox.parts.part import Part, Spec

ADMINISTRATOR = "dispatch"
# The first line must stand before every section (Gitea's app.example.ini).
_CONFIGURATION = """\
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = {root}
APP_NAME = Dispatch sandbox
RUN_MODE = prod
WORK_PATH = {work}

[server]
PROTOCOL = http
HTTP_ADDR = 127.0.0.1
HTTP_PORT = {port}
ROOT_URL = {url}/
STATIC_ROOT_PATH = {static}
DISABLE_SSH = true
OFFLINE_MODE = true
LFS_START_SERVER = false

[database]
DB_TYPE = sqlite3
PATH = {work}/gitea.db
SQLITE_JOURNAL_MODE = WAL

[security]
INSTALL_LOCK = true
SECRET_KEY = {secret}
INTERNAL_TOKEN = {internal}
; A password is asked on every git request; the default, made to resist theft, takes a tenth of a second each time.
PASSWORD_HASH_ALGO = pbkdf2_v1

[service]
DISABLE_REGISTRATION = true
[repository]
DEFAULT_BRANCH = main
[webhook]
ALLOWED_HOST_LIST = loopback
DELIVER_TIMEOUT = 5
[actions]
ENABLED = false
[packages]
ENABLED = false
[cron]
ENABLED = false
[session]
PROVIDER = memory
[log]
MODE = console
LEVEL = Warn
"""


def configuration_file(home: Home) -> Path:
    return home.data("gitea") / "app.ini"


def url(home: Home) -> str:
    return f"http://127.0.0.1:{home.port('gitea')}"


def environment(home: Home) -> Mapping[str, str]:
    """Gitea runs git; the user's own git settings (hooks, signing) must not reach it."""
    return {"HOME": str(home.data("gitea")), "USER": os.environ.get("USER", ""), "GIT_CONFIG_NOSYSTEM": "1"}


def command(home: Home, binary: Path, port: int) -> Sequence[str]:
    return [str(binary), "web", "--config", str(configuration_file(home)), "--work-path", str(home.data("gitea"))]


def prepare(home: Home) -> None:
    """Write app.ini for the port just chosen; its secrets outlive a restart."""
    path = configuration_file(home)
    kept = dict(re.findall(r"^(SECRET_KEY|INTERNAL_TOKEN) = (.+)$", path.read_text(), re.M)) if path.exists() else {}
    text = _CONFIGURATION.format(
        root="true" if os.geteuid() == 0 else "false",
        work=home.data("gitea"),
        port=home.port("gitea"),
        url=url(home),
        static=tools.share("gitea", "."),
        secret=kept.get("SECRET_KEY") or secrets.token_urlsafe(48),
        internal=kept.get("INTERNAL_TOKEN") or secrets.token_urlsafe(64),
    )
    write_private(path, text)


def ready(home: Home) -> bool:
    try:
        answer = urllib3.request("GET", f"{url(home)}/api/healthz", retries=False, timeout=5)
    except urllib3.exceptions.HTTPError:
        return False
    return answer.status == 200


def finish(home: Home) -> None:
    """Make the administrator once; Gitea draws the password and the token, so neither is on a command line."""
    if home.gitea_access.exists():
        access = json.loads(home.gitea_access.read_text(encoding="utf-8"))
        write_private(home.gitea_access, json.dumps(access | {"url": url(home)}))
        return
    binary = tools.find("gitea")
    options = ["--username", ADMINISTRATOR, "--email", f"{ADMINISTRATOR}@sandbox.invalid", "--admin"]
    drawn = ["--random-password", "--random-password-length", "24", "--must-change-password=false"]
    token = ["--access-token", "--access-token-name", "sandbox", "--access-token-scopes", "all"]
    argv = [str(binary), "--config", str(configuration_file(home)), "--work-path", str(home.data("gitea"))]
    try:
        told = process.output(
            [*argv, "admin", "user", "create", *options, *drawn, *token], env=os.environ | environment(home)
        )
    except subprocess.SubprocessError as error:
        # Its output may hold the password, so it is not shown.
        raise SandboxError(f"gitea could not make its administrator: {type(error).__name__}") from None
    password = re.search(r"generated random password is '([^']+)'", told)
    secret = re.search(r"successfully created[^\n]*?([0-9a-f]{40})", told)
    if not (password and secret):
        raise SandboxError("gitea made its administrator, but its answer shows no password and token")
    access = {"url": url(home), "username": ADMINISTRATOR, "password": password[1], "token": secret[1]}
    write_private(home.gitea_access, json.dumps(access))


SPEC = Spec(
    part=Part.GITEA,
    tool="gitea",
    title="Gitea",
    command=command,
    ready=ready,
    port=True,
    prepare=prepare,
    finish=finish,
    environment=environment,
)
