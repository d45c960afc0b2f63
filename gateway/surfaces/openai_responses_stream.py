"""Writes a growing `response` as the typed events of its stream.

Items stay open to the end of the answer, for the last of their text may leave late; events say by index
and id which of them they mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson

from gateway.core.model import Chunk
from gateway.surfaces.openai_responses_answer import Answer, Growth, Item, Spoken

_DELTAS: Final[Mapping[str, str]] = {
    "arguments": "response.function_call_arguments.delta",
    "output_text": "response.output_text.delta",
    "reasoning_text": "response.reasoning_text.delta",
    "refusal": "response.refusal.delta",
}


class ResponsesWriter:
    """One stream's. Nothing may be written after `done` or `error`."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._next = 0

    def event(self, chunk: Chunk) -> bytes:
        events = [*self._begun()]
        for growth in self._answer.take(chunk):
            events += self._opened(growth)
            events += self._grown(growth)
        return b"".join(events)

    def done(self, comment: str) -> bytes:
        """What is open closes in order; then the comment on one line and the whole response."""
        events = [*self._begun()]
        for growth in self._answer.end():
            events += self._opened(growth)
        for item in self._answer.items:
            events += self._closed(item)
        events.append(f": {' '.join(comment.split())}\n\n".encode())
        response = {"response": self._answer.written()}
        events.append(self._event(f"response.{self._answer.status}", response))
        return b"".join(events)

    def error(self, *, kind: str, code: str, message: str) -> bytes:
        """Flat as published, and nested too: the official client raises for `error` alone."""
        told = {"code": code, "message": message, "param": None}
        return self._event("error", {**told, "error": {"type": kind, **told}})

    def _begun(self) -> Iterator[bytes]:
        if self._next == 0:
            response = {"response": self._answer.begun()}
            yield self._event("response.created", response)
            yield self._event("response.in_progress", response)

    def _opened(self, growth: Growth) -> Iterator[bytes]:
        item, part = growth.item, growth.part
        if growth.opens:
            written = item.written("in_progress")
            # The text itself comes as a delta.
            bare: dict[str, Any] = {"content": []}
            if item.type == "function_call":
                bare = {"arguments": ""}
            yield self._event(
                "response.output_item.added",
                {"output_index": item.index, "item": {**written, **bare}},
            )
        if growth.begins and part.type != "arguments":
            yield self._event(
                "response.content_part.added",
                {**_place(item, part), "part": Spoken(part.type, part.index).written()},
            )

    def _grown(self, growth: Growth) -> Iterator[bytes]:
        if not growth.text:
            return  # it opens the part, and no more
        more: dict[str, Any] = {**_place(growth.item, growth.part), "delta": growth.text}
        if growth.part.type == "output_text":
            more["logprobs"] = []
        yield self._event(_DELTAS[growth.part.type], more)

    def _closed(self, item: Item) -> Iterator[bytes]:
        for part in item.parts.values():
            yield self._told(item, part)
            if part.type != "arguments":
                yield self._event(
                    "response.content_part.done", {**_place(item, part), "part": part.written()}
                )
        yield self._event(
            "response.output_item.done",
            {"output_index": item.index, "item": item.written(self._answer.status)},
        )

    def _told(self, item: Item, part: Spoken) -> bytes:
        """The whole of a text, once more."""
        told = _place(item, part)
        match part.type:
            case "arguments":
                told |= {"name": item.name, "arguments": part.text}
            case "refusal":
                told |= {"refusal": part.text}
            case "output_text":
                told |= {"text": part.text, "logprobs": []}
            case _:
                told |= {"text": part.text}
        return self._event(_DELTAS[part.type].replace(".delta", ".done"), told)

    def _event(self, name: str, more: Mapping[str, Any]) -> bytes:
        data = orjson.dumps({"type": name, "sequence_number": self._next, **more})
        self._next += 1
        return b"event: " + name.encode() + b"\ndata: " + data + b"\n\n"


def _place(item: Item, part: Spoken) -> dict[str, Any]:
    place: dict[str, Any] = {"item_id": item.id, "output_index": item.index}
    if part.type != "arguments":
        place["content_index"] = part.index
    return place
