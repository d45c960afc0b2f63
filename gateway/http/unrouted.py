"""The answer to what no route serves: a clear 404 or 405, in the shape that OpenAI's clients read."""

from __future__ import annotations

import json

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
