"""What is answered over HTTP: `/gates/NAMESPACE/ROLLOUT/HASH/STEP`, `/healthz`, `/readyz`, and hooks where they are
taken (hooks.py, git_hooks.py). Nothing else is served.

Argo Rollouts asks a gate as a web metric (its `metricproviders/webmetric`): an answer that is not 2xx counts as an
Error of the analysis, and one that is not JSON is compared as text. So a gate is always answered with 200 and a
verdict, whatever was asked and whatever goes wrong here; what is not sure is `wait`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from reconciler.model.rollout import Verdict
from reconciler.web import git_hooks
from reconciler.web.git_hooks import Begin
from reconciler.web.hooks import Take, route

log = logging.getLogger(__name__)

Answer = Callable[[str, str, str, int], tuple[Verdict, str]]
"""(namespace, Rollout, pod hash, step) -> the verdict and why. Called in the server's thread: it must not wait."""

_METHODS = ["GET", "POST", "PUT"]
"""Those that a web metric may use."""


def application(
    answer: Answer,
    ready: Callable[[], bool],
    take: Take | None = None,
    standing: Callable[[], str] = lambda: "",
    begin: Begin | None = None,
) -> Starlette:
    """The ASGI application. `ready` says whether the controller works: it leads and has listed its kinds. `take` takes
    pushes of images, `standing` says in words who leads (empty: nobody else could), `begin` takes events of forges."""

    async def gate(request: Request) -> Response:
        verdict, why = _judged(answer, request.path_params["asked"])
        return JSONResponse({"verdict": verdict.value, "why": why}, headers={"Cache-Control": "no-store"})

    async def healthz(request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(request: Request) -> Response:
        role = standing()
        if ready():
            return PlainTextResponse(f"{role or 'ok'}\n")
        waits = "the controller has not listed its kinds yet"
        return PlainTextResponse(f"{role}; {waits}\n" if role else f"{waits}\n", status_code=503)

    routes = [
        Route("/gates/{asked:path}", gate, methods=_METHODS),
        Route("/healthz", healthz, methods=["GET"]),
        Route("/readyz", readyz, methods=["GET"]),
        *([route(take)] if take is not None else []),
        *([git_hooks.route(begin)] if begin is not None else []),
    ]
    served = Starlette(routes=routes)
    served.router.redirect_slashes = False
    return served


def _judged(answer: Answer, asked: str) -> tuple[Verdict, str]:
    parts = asked.split("/")
    if len(parts) != 4 or not all(parts):
        return Verdict.WAIT, "this is no gate: ask /gates/NAMESPACE/ROLLOUT/HASH/STEP"
    namespace, rollout, pod_hash, step = parts
    if not (step.isascii() and step.isdecimal() and len(step) <= 6):
        return Verdict.WAIT, f"{step[:40]!r} is no step: it must be a number from 0"
    try:
        return answer(namespace, rollout, pod_hash, int(step))
    except Exception as error:
        # Not known is not passed, and must not abort a good version either.
        log.exception("a gate could not be judged", extra={"key": f"Rollout/{namespace}/{rollout}"})
        return Verdict.WAIT, f"the gate could not be judged: {type(error).__name__}"
