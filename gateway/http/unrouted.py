"""The answer to what no route serves: a clear 404 or 405, in the shape that OpenAI's clients read.

It repeats nothing of the request.
"""

from __future__ import annotations

import json

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send


def error_body(kind: str, code: str, message: str) -> bytes:
    """An error as OpenAI's dialect writes it, for routes that belong to no surface."""
    error = {"message": message, "type": kind, "param": None, "code": code}
    return json.dumps({"error": error}).encode()


class NotHere:
    """Where the router ends up when nothing matched."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            return
        message = "Wardgate serves no such route. The docs list the surfaces that it speaks."
        body = error_body("invalid_request_error", "unknown_route", message)
        await Response(body, 404, media_type="application/json")(scope, receive, send)


async def wrong_method(_: Request, error: Exception) -> Response:
    """The answer to a route that is there, asked for in a way that it does not serve."""
    assert isinstance(error, HTTPException)
    message = "This route does not serve this method; `Allow` names those that it does."
    body = error_body("invalid_request_error", "method_not_allowed", message)
    return Response(body, error.status_code, error.headers, media_type="application/json")


def refuse_the_rest(app: Starlette) -> Starlette:
    """The app, which from now on answers clearly to whatever its routes do not serve."""
    app.router.redirect_slashes = False
    app.router.default = NotHere()
    app.add_exception_handler(405, wrong_method)
    return app
