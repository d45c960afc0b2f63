"""Many calls at once against a running gateway, and what each of them was told."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import aiohttp


@dataclass(slots=True)
class Told:
    """What a client knows of its call: `whole` when the answer came to its proper end."""

    call: str | None = None
    status: int | None = None
    text: bytes = b""
    whole: bool = False


async def ask(
    session: aiohttp.ClientSession,
    base_url: str,
    key: str,
    model: str,
    *,
    stream: bool = False,
    text: str = "hello",
    leave_after: float | None = None,
    **more: Any,
) -> Told:
    """One call. A client that leaves does so `leave_after` seconds on."""
    told = Told()
    body = {
        "model": model,
        "stream": stream,
        "messages": [{"role": "user", "content": text}],
        **more,
    }
    headers = {"Authorization": f"Bearer {key}"}
    try:
        async with (
            asyncio.timeout(leave_after),
            session.post(f"{base_url}/chat/completions", json=body, headers=headers) as answer,
        ):
            told.status = answer.status
            told.call = answer.headers.get("x-wardgate-call")
            async for piece in answer.content.iter_any():
                told.text += piece
            told.whole = not stream or told.text.rstrip().endswith(b"[DONE]")
    except (aiohttp.ClientError, TimeoutError, ConnectionError):
        pass
    return told


def session(at_once: int) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=at_once), timeout=aiohttp.ClientTimeout(total=60)
    )
