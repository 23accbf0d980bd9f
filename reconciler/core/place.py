"""Where a repository is at its forge: the address of the API, and its name there."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from reconciler.model.outcome import Reason, Terminal

# https://host:port/prefix/owner/name, ssh://git@host:22/owner/name, git@host:owner/name
_HTTP = re.compile(r"(?P<scheme>https?)://(?P<host>[^/@]+)/(?P<path>.+)")
_SSH = re.compile(r"(?:ssh://(?:[^/@]+@)?|[^/@:]+@)(?P<host>\[[^\]]+\]|[^/:]+)(?::\d+(?=/))?[:/]/?(?P<path>.+)")
_LOOPBACK = re.compile(r"http://(localhost|127\.[0-9.]+|\[::1\])([:/].*)?")
_GITHUB = frozenset({"github.com", "www.github.com", "ssh.github.com"})
# GitHub Enterprise Cloud with data residency has its API at a host of its own, like github.com.
_RESIDENT = ".ghe.com"


class Place(NamedTuple):
    """`api` is the root of the API, without a slash at its end. `owner` is a user, an organisation, or at GitLab a
    group with its parents (`group/subgroup`). `below` are the segments of the repository below the root.
    """

    api: str
    owner: str
    name: str
    below: tuple[str, ...]

    @property
    def path(self) -> str:
        """The full name of the repository at its forge."""
        return f"{self.owner}/{self.name}"

    @property
    def shown(self) -> str:
        """For messages."""
        return f"{self.path} at {self.api}"


def place_of(kind: str, url: str, api_url: str | None, *, allow_http: bool = False) -> Place:
    """The place of a repository by its Git URL; `kind` is gitea, github or gitlab.

    Raises Terminal(INVALID_SPEC) for a URL that names no owner and repository, and for plain http beyond loopback: the
    token would be sent in the clear.
    """
    bare = url.rstrip("/").removesuffix(".git")
    match = _HTTP.fullmatch(bare) or _SSH.fullmatch(bare)
    parts = [part for part in match["path"].split("/") if part] if match else []
    if match is None or len(parts) < 2:
        raise Terminal(
            Reason.INVALID_SPEC, f"spec.url {url} names no repository of a forge: it must end with /owner/name."
        )
    scheme = match["scheme"] if "scheme" in match.re.groupindex else "https"
    if kind == "gitlab":
        # A project may be some groups deep, so a prefix of the whole server is told only by the address of its API.
        above = _prefix(api_url, "/api/v4") if api_url and scheme in bare else []
        if parts[: len(above)] == above and len(parts) > len(above) + 1:
            parts = parts[len(above) :]
        root, owner = f"{scheme}://{match['host']}", "/".join(parts[:-1])
    else:
        # An ssh URL has no room for a prefix of the web server.
        above = parts[:-2] if scheme == "http" or bare.startswith("https:") else []
        root, owner = "/".join((f"{scheme}://{match['host']}", *above)), parts[-2]
    api = (api_url or _api(kind, root)).rstrip("/")
    if api.startswith("http://") and not allow_http and not _LOOPBACK.fullmatch(api):
        raise Terminal(
            Reason.INVALID_SPEC,
            f"the forge's API {api} would be sent the token in the clear. Use https://, or set spec.forge.apiUrl.",
        )
    below = ("projects", f"{owner}/{parts[-1]}") if kind == "gitlab" else ("repos", owner, parts[-1])
    return Place(api, owner, parts[-1], below)


def _api(kind: str, root: str) -> str:
    """Where a forge has its API when the user does not say it: GitHub's "REST API of Enterprise Server", GitLab's "REST
    API", Gitea's "API usage"."""
    if kind == "gitlab":
        return f"{root}/api/v4"
    if kind == "gitea":
        return f"{root}/api/v1"
    host = root.partition("://")[2].lower()
    if host in _GITHUB:
        return "https://api.github.com"
    return f"https://api.{host}" if host.endswith(_RESIDENT) else f"{root}/api/v3"


def _prefix(api_url: str, end: str) -> list[str]:
    """The segments before the API's own path."""
    return [part for part in urlsplit(api_url).path.rstrip("/").removesuffix(end).split("/") if part]
