"""`POST /hooks/git/NAMESPACE/REPOSITORY`: a forge says that something has happened to a repository.

The body is signed as it comes and is not kept, so that a large one costs no memory; it is not read for what is new: the
remote is asked. An event that is lost costs one interval of the Repository.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Protocol

from starlette.requests import ClientDisconnect, Request
from starlette.routing import Route

from reconciler.core.webhook import PATH
from reconciler.web.hooks import posted

log = logging.getLogger(__name__)

MAX_BODY = 25 * 1024 * 1024
"""GitHub sends none that is larger (GitHub, "Webhook events and payloads"), and the others far smaller ones."""


class Receiving(Protocol):
    """What takes the body of one request, in the server's thread: it must not wait."""

    def update(self, piece: bytes) -> None:
        """The next piece of the body."""

    def finish(self) -> int:
        """The HTTP status: 202 or 401."""


Begin = Callable[[str, str, Mapping[str, str]], Receiving | int]
"""(namespace, Repository, headers) -> what takes the body, or the HTTP status for a request that is not read: 401, 404
or 503. Called in the server's thread: it must not wait."""

_WORDS = {
    202: "the repository is looked at",
    401: "this is not signed as the forge of this Repository signs, with the secret of its hook",
    404: "no Repository with a spec.webhook is here: POST /hooks/git/NAMESPACE/REPOSITORY",
    413: f"a body of at most {MAX_BODY} bytes, please",
    503: "this controller cannot take it now",
}


def route(begin: Begin) -> Route:
    return posted(f"{PATH}/{{namespace}}/{{repository}}", lambda request: _taken(request, begin), _WORDS)


async def _taken(request: Request, begin: Begin) -> int:
    namespace, name = request.path_params["namespace"], request.path_params["repository"]
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > MAX_BODY:
        return 413
    try:
        receiving = begin(namespace, name, request.headers)
        if isinstance(receiving, int):
            return receiving
        size = 0
        async for piece in request.stream():
            size += len(piece)
            if size > MAX_BODY:
                return 413
            receiving.update(piece)
        return receiving.finish()
    except ClientDisconnect:
        return 400
    except Exception:
        log.exception("an event could not be taken", extra={"key": f"Repository/{namespace}/{name}"})
        return 503
