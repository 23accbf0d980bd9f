"""The forge of a Repository, by what its spec says."""

from __future__ import annotations

from reconciler.adapters.forge import gitea
from reconciler.adapters.forge.api import Api
from reconciler.adapters.forge.place import place_of
from reconciler.adapters.http import Http
from reconciler.model.outcome import Reason, Terminal
from reconciler.model.repository import RepositorySpec
from reconciler.ports import Forge, GitCredentials


def open_forge(spec: RepositorySpec, credentials: GitCredentials | None, *, allow_http: bool = False) -> Forge | None:
    """None where the spec names no forge. Nothing is asked yet. `allow_http`: plain http also beyond loopback.

    Raises Terminal(INVALID_SPEC) for a URL that names no repository of a forge, Terminal(FORGE_DENIED) without a token.
    """
    if spec.forge is None:
        return None
    place = place_of(spec.url, spec.forge.api_url, gitea.API_PATH, allow_http=allow_http)
    given = credentials or GitCredentials()
    token = given.password.strip()
    if not token or not token.isascii() or not token.isprintable():
        raise Terminal(
            Reason.FORGE_DENIED,
            f"there is no token for {place.shown}: put one that may write to the repository and its pull requests into "
            "the password of the Secret that credentialsRef names.",
        )
    try:
        http = Http(given.ca)
    except ValueError as error:
        raise Terminal(Reason.INVALID_SPEC, f"ca.crt of the Secret that credentialsRef names: {error}.") from None
    return gitea.GiteaForge(Api(http, place, {"Authorization": f"token {token}"}, (token,), spec.timeout))
