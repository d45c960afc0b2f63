"""Alive and ready, for whoever watches. Answers in booleans: no names, no reasons, no keys."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from gateway.wiring import Services


async def healthz(_: Request) -> Response:
    """The process runs."""
    return JSONResponse({"alive": True})


def readyz(services: Services) -> Callable[[Request], Awaitable[Response]]:
    """Weights are loaded, policies are in force, the database and each local model answer."""

    async def ready(_: Request) -> Response:
        checks = {
            "weights": True,  # they load before the first port opens
            "policies": bool(services.relay.policies.policies),
            "database": await services.database_answers(),
            "models": services.local_models_run(),
        }
        whole = all(checks.values())
        return JSONResponse({"ready": whole, **checks}, 200 if whole else 503)

    return ready
