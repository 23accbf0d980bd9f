"""Where a repository is at its forge: the address of the API, the owner and the name."""

from __future__ import annotations

import re
from typing import NamedTuple

from reconciler.model.outcome import Reason, Terminal

# https://host:port/prefix/owner/name.git, ssh://git@host:22/owner/name, git@host:owner/name
_HTTP = re.compile(r"(?P<origin>https?://[^/@]+)(?P<above>/.*)?/(?P<owner>[^/]+)/(?P<name>[^/]+)")
_SSH = re.compile(
    r"(?:ssh://(?:[^/@]+@)?|[^/@:]+@)(?P<host>\[[^\]]+\]|[^/:]+)(?::\d+(?=/))?[:/]/?(?:.*/)?"
    r"(?P<owner>[^/]+)/(?P<name>[^/]+)"
)
_LOOPBACK = re.compile(r"http://(localhost|127\.[0-9.]+|\[::1\])([:/].*)?")


class Place(NamedTuple):
    """`api` is the root of the API, without a slash at its end."""

    api: str
    owner: str
    name: str

    @property
    def shown(self) -> str:
        """For messages."""
        return f"{self.owner}/{self.name} at {self.api}"


def place_of(url: str, api_url: str | None, path: str, *, allow_http: bool = False) -> Place:
    """The place of a repository by its Git URL. `path` is where a forge of this kind has its API, below its root.

    Raises Terminal(INVALID_SPEC) for a URL that names no owner and repository, and for plain http beyond loopback: the
    token would be sent in the clear.
    """
    bare = url.rstrip("/").removesuffix(".git")
    if match := _HTTP.fullmatch(bare):
        root = f"{match['origin']}{match['above'] or ''}"
    elif match := _SSH.fullmatch(bare):
        root = f"https://{match['host']}"
    else:
        raise Terminal(
            Reason.INVALID_SPEC, f"spec.url {url} names no repository of a forge: it must end with /owner/name."
        )
    api = (api_url or f"{root}{path}").rstrip("/")
    if api.startswith("http://") and not allow_http and not _LOOPBACK.fullmatch(api):
        raise Terminal(
            Reason.INVALID_SPEC,
            f"the forge's API {api} would be sent the token in the clear. Use https://, or set spec.forge.apiUrl.",
        )
    return Place(api, match["owner"], match["name"])
