"""The application of the admin port: start page, metrics, health. Shows no text of any message."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from gateway.http.admin.start_page import HEADERS, start_page
from gateway.http.health import healthz, readyz
from gateway.http.unrouted import refuse_the_rest
from gateway.wiring import Services

PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8"


def admin_app(services: Services) -> Starlette:
    """The pages of one running gateway."""

    async def metrics(_: Request) -> Response:
        return PlainTextResponse(services.telemetry.page(), media_type=PROMETHEUS)

    async def start(_: Request) -> Response:
        return HTMLResponse(start_page(services), headers=HEADERS)

    routes = [
        Route("/", start, methods=["GET"]),
        Route("/metrics", metrics, methods=["GET"]),
        Route("/healthz", healthz, methods=["GET"]),
        Route("/readyz", readyz(services), methods=["GET"]),
    ]
    return refuse_the_rest(Starlette(routes=routes))
