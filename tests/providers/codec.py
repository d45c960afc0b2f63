"""A codec just large enough for the mock's dialect, so that providers are tested on their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.core.errors import UpstreamFailed
from gateway.core.model import (
    Call,
    Chunk,
    Finished,
    GuardedCall,
    Kind,
    Opened,
    Part,
    Receipt,
    Text,
    Usage,
)


class TinyCodec:
    path = "/chat/completions"

    def encode(self, call: Call, model: str) -> dict[str, Any]:
        return {**call.body, "model": model, "stream": call.stream}

    def decode_whole(self, body: Mapping[str, Any], call: Call) -> Chunk:
        if not isinstance(body.get("choices"), list):
            raise UpstreamFailed("The model server's answer has no choices.")
        parts: list[Part] = []
        for choice in body["choices"]:
            index = choice["index"]
            parts += [
                Opened(index),
                Text(index, "content", Kind.TEXT, choice["message"]["content"] or ""),
                Finished(index, choice["finish_reason"]),
            ]
        parts.append(Usage(body["usage"]["prompt_tokens"], body["usage"]["completion_tokens"]))
        return Chunk(tuple(parts), {"id": body["id"]})

    def events(self) -> TinyReader:
        return TinyReader()


class TinyReader:
    ended: bool = False

    def read(self, event: Mapping[str, Any]) -> Chunk:
        parts: list[Part] = []
        for choice in event.get("choices", ()):
            delta, index = choice["delta"], choice["index"]
            if delta.get("role"):
                parts.append(Opened(index))
            if delta.get("content"):
                parts.append(Text(index, "content", Kind.TEXT, delta["content"]))
            if choice.get("finish_reason"):
                parts.append(Finished(index, choice["finish_reason"]))
        if event.get("usage"):
            parts.append(
                Usage(event["usage"]["prompt_tokens"], event["usage"]["completion_tokens"])
            )
        return Chunk(tuple(parts), {"id": event.get("id")})


TINY = {"openai.chat": TinyCodec()}
"""Codecs by surface, as providers want them."""


def guarded(
    model: str = "mock", *, stream: bool = False, text: str = "hi", **body: Any
) -> GuardedCall:
    """A call as the relay would hand it down."""
    body = {"messages": [{"role": "user", "content": text}], **body}
    call = Call("call_1", "openai.chat", model, body, (), stream=stream)
    return GuardedCall(call, Receipt("rec_1", 1))


def text_of(chunks: list[Chunk], choice: int = 0) -> str:
    return "".join(
        part.text
        for chunk in chunks
        for part in chunk.parts
        if isinstance(part, Text) and part.choice == choice
    )


def parts_of(chunks: list[Chunk], kind: type) -> list[Any]:
    return [part for chunk in chunks for part in chunk.parts if isinstance(part, kind)]
