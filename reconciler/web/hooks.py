"""`POST /hooks/images/NAMESPACE/FEED`: a pipeline says that it has pushed an image.

The body is signed as it came (`X-Dispatch-Signature: sha256=HEX`, HMAC-SHA256) and is not read for anything else: the
registry is asked what is there. A push that is lost costs one interval of the feed.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

log = logging.getLogger(__name__)

MAX_BODY = 64 * 1024
SIGNATURE = "x-dispatch-signature"

Take = Callable[[str, str, bytes, str], int]
"""(namespace, feed, body, signature) -> 202, 401 or 404. Called in the server's thread: it must not wait."""

_WORDS = {
    202: "the feed looks at its registry",
    401: f"{SIGNATURE} is not sha256=HMAC of this body with the token of spec.secretRef",
    404: "no ImageFeed with a spec.secretRef is here: POST /hooks/images/NAMESPACE/FEED",
    413: f"a body of at most {MAX_BODY} bytes, please",
    503: "this controller cannot take it now: send it again",
}


def route(take: Take) -> Route:
    return posted("/hooks/images/{namespace}/{feed}", lambda request: _taken(request, take), _WORDS)


def posted(path: str, taken: Callable[[Request], Awaitable[int]], words: Mapping[int, str]) -> Route:
    """A hook: `taken` gives the HTTP status, which is answered with its words."""

    async def hook(request: Request) -> Response:
        status = await taken(request)
        return PlainTextResponse(f"{words.get(status, 'no')}\n", status_code=status)

    return Route(path, hook, methods=["POST"])


async def _taken(request: Request, take: Take) -> int:
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                return 413
    except ClientDisconnect:
        return 400
    namespace, feed = request.path_params["namespace"], request.path_params["feed"]
    try:
        return take(namespace, feed, bytes(body), request.headers.get(SIGNATURE, ""))
    except Exception:
        log.exception("a push could not be taken", extra={"key": f"ImageFeed/{namespace}/{feed}"})
        return 503
