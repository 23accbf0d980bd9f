"""A Git repository at a host, and what lets us in there and at registries of images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class GitHubApp(NamedTuple):
    """An installation of a GitHub App, whose tokens let git and the API in for an hour each. `api` is the root of the
    API, `repository` the name of the one repository that a token is for; `private_key` is PEM.
    """

    id: str
    installation: str
    private_key: str
    api: str
    repository: str

    def __repr__(self) -> str:
        """Without the key: a value that is printed by mistake must not tell a secret."""
        return f"GitHubApp({self.id}, installation {self.installation}, {self.repository} at {self.api})"


class GitCredentials(NamedTuple):
    """What a Secret gave: `password` (with or without `username`), `ssh_key` with `known_hosts`, or a GitHub App that
    gives passwords."""

    username: str = ""
    password: str = ""
    ssh_key: str = ""
    known_hosts: str = ""
    ca: str = ""
    app: GitHubApp | None = None

    def __repr__(self) -> str:
        """Which are given, never what they are: a value that is printed by mistake must not tell a secret."""
        given = [name for name, value in self._asdict().items() if value]
        return f"GitCredentials({', '.join(f'{name}=***' for name in given)})"


class Remote(NamedTuple):
    """A repository to read. `signing_key` is the SSH key that signs the commits which are made for it; empty: none."""

    url: str
    credentials: GitCredentials | None
    timeout: float
    signing_key: str = ""

    def __repr__(self) -> str:
        """Without the key: a value that is printed by mistake must not tell a secret."""
        return f"Remote({self.url!r}, {self.credentials!r}{', signing_key=***' if self.signing_key else ''})"


class RegistryLogin(NamedTuple):
    """Who we are at registries: (user, password) by host or `host/path`, and a certificate authority (PEM)."""

    logins: Mapping[str, tuple[str, str]] = {}
    ca: str = ""

    def __repr__(self) -> str:
        """For which hosts, never what: a value that is printed by mistake must not tell a secret."""
        return f"RegistryLogin({', '.join(sorted(self.logins))}{', ca=***' if self.ca else ''})"
