"""Asking on each surface, and what a stream of it tells: how it ended, and the text of every field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import aiohttp

from gateway.http.app import ROUTES

PATHS = {surface: path for path, surface in ROUTES.items()}
_ASKED = [{"role": "user", "content": "hello"}]
BODIES: dict[str, dict[str, Any]] = {
    "openai.chat": {"messages": _ASKED},
    "openai.completions": {"prompt": "hello"},
    "openai.responses": {"input": "hello"},
    "anthropic.messages": {"messages": _ASKED, "max_tokens": 100},
    "anthropic.count_tokens": {"messages": _ASKED},
    "openai.embeddings": {"input": "hello"},
    "rerank": {"query": "hello", "documents": ["one", "two"]},
}
"""A small call on each surface that asks a model."""
_TERMINATORS = (
    b"data: [DONE]",
    b"event: message_stop",
    b"event: response.completed",
    b"event: response.incomplete",
    b"event: response.failed",
)


@dataclass(frozen=True)
class Answer:
    """What a client has of its call."""

    surface: str
    call: str
    status: int
    body: bytes

    @property
    def events(self) -> list[Any]:
        lines = self.body.decode().split("\n")
        return [json.loads(line[6:]) for line in lines if line.startswith("data: {")]

    @property
    def end(self) -> str:
        """`whole`, `blocked`, or the code of the error; `open` where the stream just stops.

        A terminator beside an error, a second one, or anything after either fails the test.
        """
        if self.status != 200:
            return json.loads(self.body)["error"]["code"]
        told = self.events
        terminators = sum(self.body.count(one) for one in _TERMINATORS)
        errors = [one["error"]["code"] for one in told if one.get("error")]
        assert terminators + len(errors) <= 1
        if errors:
            assert told[-1].get("error")
            assert self.body.endswith(b"\n\n")
            return errors[0]
        if not terminators:
            return "open"
        assert self.body[self.body.rindex(b"\n", 0, -2) :].startswith((b"\ndata:", b"\nevent:"))
        return "blocked" if any(_cut_short(one) for one in told) else "whole"

    @property
    def texts(self) -> dict[Any, str]:
        """What came of each field."""
        told: dict[Any, str] = {}
        for event in self.events if self.status == 200 else ():
            for key, text in _grown(event):
                told[key] = told.get(key, "") + text
        return {key: text for key, text in told.items() if text}


def _cut_short(event: Any) -> bool:
    """Whether it says that a filter ended the answer."""
    if any(one.get("finish_reason") == "content_filter" for one in event.get("choices") or ()):
        return True
    if (event.get("delta") or "") and isinstance(event["delta"], dict):
        return event["delta"].get("stop_reason") == "refusal"
    details = (event.get("response") or {}).get("incomplete_details") or {}
    return details.get("reason") == "content_filter"


def _grown(event: Any) -> Iterator[tuple[Any, str]]:
    for choice in event.get("choices") or ():
        delta = choice.get("delta") or {"text": choice.get("text")}
        for call in delta.get("tool_calls") or ():
            yield (
                ("arguments", choice["index"], call["index"]),
                call["function"].get("arguments", ""),
            )
        for name in ("content", "reasoning_content", "reasoning", "refusal", "text"):
            yield (name, choice["index"]), delta.get(name) or ""
    delta = event.get("delta")
    if isinstance(delta, str):
        yield (event["type"], event["output_index"]), delta
    elif event.get("type") == "content_block_delta":
        for name in ("text", "thinking", "partial_json"):
            yield (name, event["index"]), delta.get(name, "")


async def asked(
    http: aiohttp.ClientSession, base_url: str, key: str, surface: str, model: str, **more: Any
) -> Answer:
    """One call, read to its end."""
    async with calling(http, base_url, key, surface, model, **more) as answer:
        body = await answer.read()
        return Answer(surface, answer.headers["x-wardgate-call"], answer.status, body)


def calling(
    http: aiohttp.ClientSession, base_url: str, key: str, surface: str, model: str, **more: Any
) -> Any:
    """One call, to be entered and read."""
    url = base_url.removesuffix("/v1") + PATHS[surface]
    body = {**BODIES[surface], "model": model, **more}
    return http.post(url, json=body, headers={"Authorization": f"Bearer {key}"})
