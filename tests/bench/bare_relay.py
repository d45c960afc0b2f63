"""The floor: a raw ASGI application that hands a body on by aiohttp and hands the answer back.

It knows no keys, policies or records, and looks at nothing. Run: `bare_relay.py PORT UPSTREAM_URL`.
"""

from __future__ import annotations

import sys
from typing import Any

import aiohttp
import uvicorn


class BareRelay:
    """POST anything to `upstream`; a reply without a length is streamed as it comes."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._session: aiohttp.ClientSession | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "GET":  # it is asked whether it is up
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        body = b""
        more = True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0), auto_decompress=False
            )
        headers = {"content-type": "application/json"}
        async with self._session.post(self._upstream, data=body, headers=headers) as reply:
            kind = reply.headers["content-type"].encode()
            start = {"type": "http.response.start", "status": reply.status}
            if reply.content_length is None:
                await send({**start, "headers": [(b"content-type", kind)]})
                async for piece in reply.content.iter_any():
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                await send({"type": "http.response.body", "body": b""})
                return
            whole = await reply.read()
            length = str(len(whole)).encode()
            await send({**start, "headers": [(b"content-type", kind), (b"content-length", length)]})
            await send({"type": "http.response.body", "body": whole})


def main() -> None:
    port, upstream = int(sys.argv[1]), sys.argv[2]
    uvicorn.run(
        BareRelay(upstream),
        port=port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
