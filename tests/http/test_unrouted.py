"""What no route serves is refused clearly, whatever protocol asks."""

from __future__ import annotations

import json
from typing import Any

from gateway.http.unrouted import NotHere, error_body


async def answered(scope: dict[str, Any]) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(dict(message))

    await NotHere()(scope, receive, send)
    return sent


async def test_http_gets_a_404_that_names_no_path() -> None:
    start, body = await answered(
        {"type": "http", "method": "GET", "path": "/canary", "headers": []}
    )

    assert start["status"] == 404
    assert json.loads(body["body"])["error"]["code"] == "unknown_route"
    assert b"canary" not in body["body"]


async def test_a_websocket_is_closed() -> None:
    assert await answered({"type": "websocket", "path": "/"}) == [
        {"type": "websocket.close", "code": 1008}
    ]


def test_an_error_has_the_four_parts_that_clients_read() -> None:
    assert json.loads(error_body("a_type", "a_code", "Words.")) == {
        "error": {"message": "Words.", "type": "a_type", "param": None, "code": "a_code"}
    }
