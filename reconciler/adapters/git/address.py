"""Where a repository is: which URLs are accepted, and how one is shown.

The forms are an allow-list, because git's own list has forms that run a program (`ext::sh -c ...`) or read an option
(`ssh://-oProxyCommand=...`, CVE-2017-1000117). They are matched as a whole rather than parsed by a URL library, which
could see another host in a line than git does.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote

from reconciler.model.outcome import Reason, Terminal

_HOST = r"(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_][A-Za-z0-9_.-]*)"
_USER = r"[A-Za-z0-9_.][A-Za-z0-9_.+=-]*"
_URL = re.compile(
    rf"(?P<scheme>https|http|ssh)://(?:(?P<user>{_USER})@)?{_HOST}(?::(?P<port>[0-9]{{1,5}}))?(?P<path>/[^\s?#\\]*)"
)
_SCP = re.compile(rf"(?P<user>{_USER})@{_HOST}:(?P<path>[^\s:\\-][^\s\\]*)")
_FILE = re.compile(r"(?:file://)?(?P<path>/[^\x00-\x1f\x7f]*)")
_PASSWORD = re.compile(r"(?:[a-z]+://)?[^/@\s]*:[^/\s]*@.*", re.DOTALL)
_LOOPBACK = re.compile(r"localhost|127\.[0-9.]+|\[::1\]")


class Address(NamedTuple):
    """A URL that was checked. `url` is what git is given: for http and https without the user.

    `origin` is scheme, host and port: what a password is bound to. `shown` is for messages.
    """

    scheme: str
    url: str
    origin: str
    user: str
    host: str
    port: int | None
    shown: str


def check(url: str, *, allow_file: bool, allow_http: bool = False) -> Address:
    """The address of a repository. Plain http is for loopback unless `allow_http`; file:// only where `allow_file`.

    Raises Terminal(INVALID_SPEC); the message never repeats a password.
    """
    if _PASSWORD.fullmatch(url) and not _SCP.fullmatch(url):
        raise _refused(url, "has a password in it. Put it into the Secret that credentialsRef names")
    if match := _SCP.fullmatch(url):
        host, path = match["host"], match["path"]
        return Address("ssh", url, f"ssh://{host}", match["user"], host, None, f"{host}:{path}")
    if match := _URL.fullmatch(url):
        return _network(url, match, allow_http)
    if match := _FILE.fullmatch(url):
        if not allow_file:
            raise _refused(url, "is a folder of this machine, which is not allowed here. Use https:// or ssh://")
        target = url if url.startswith("file://") else f"file://{quote(url)}"
        return Address("file", target, "file://", "", "", None, url)
    forms = "https://host/path, ssh://git@host/path, git@host:path"
    raise _refused(url, f"is not a repository URL that can be used. Write one of: {forms}")


def _network(url: str, match: re.Match[str], allow_http: bool) -> Address:
    scheme, user, host, path = match["scheme"], match["user"] or "", match["host"], match["path"]
    if scheme == "http" and not allow_http and not _LOOPBACK.fullmatch(host):
        raise _refused(url, "sends everything in the clear. Use https://")
    port = int(match["port"]) if match["port"] else None
    if port is not None and not 0 < port < 65536:
        raise _refused(url, f"has the port {port}, which is not between 1 and 65535")
    origin = f"{scheme}://{host}" + (f":{port}" if port else "")
    return Address(scheme, url if scheme == "ssh" else origin + path, origin, user, host, port, origin + path)


def masked(url: str) -> str:
    """A URL that could not be read, for a message: without user, password and query, in one line."""
    bare = re.sub(r"^([a-z]+://)?.*@", r"\1", url, flags=re.DOTALL).split("?")[0]
    return "".join(character if character.isprintable() else "?" for character in bare)[:200]


def _refused(url: str, why: str) -> Terminal:
    return Terminal(Reason.INVALID_SPEC, f"the URL {masked(url)!r} {why}.")
