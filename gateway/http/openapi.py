"""`GET /openapi.json`: the document of what this port serves. The same for everybody; asks for no key."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response

from gateway import __version__
from gateway.surfaces.openapi import Described, document

PATH = "/openapi.json"


def published(surfaces: Mapping[str, Described], routes: Mapping[str, str]) -> bytes:
    """The document as it is served and as it stands in `docs/`: a line for each path and schema."""
    return json.dumps(document(surfaces, routes, __version__), indent=1).encode() + b"\n"


def openapi(
    surfaces: Mapping[str, Described], routes: Mapping[str, str]
) -> Callable[[Request], Awaitable[Response]]:
    """The route's endpoint. The document is made once, when the application is."""
    body = published(surfaces, routes)

    async def answer(_: Request) -> Response:
        return Response(body, media_type="application/json")

    return answer
