"""The (legacy) completions dialect: as the Surface that clients speak to and the Codec for engines.

Knows the JSON; decides nothing about what it says.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gateway.core.model import Call, Chunk
from gateway.surfaces import (
    openai_completions_decode,
    openai_completions_render,
    openai_error,
)
from gateway.surfaces.intake import Limits
from gateway.surfaces.openai_completions_census import request
from gateway.surfaces.openai_surface import OpenAISurface, engine_body
from gateway.surfaces.openai_texts import how_many, refuse_tokens


class OpenAICompletions(OpenAISurface):
    """`openai.completions`: a ModelSurface and a Codec in one. `now` is in Unix seconds."""

    path: str = "/completions"

    def __init__(self, limits: Limits | None = None, now: Callable[[], float] = time.time) -> None:
        super().__init__("openai.completions", request(limits or Limits()), limits)
        self._now = now

    # -- what clients send and get

    def parse(self, call_id: str, body: bytes) -> Call:
        """The call, with as many choices as it asks of all its prompts together.

        Raise BadRequest naming the path; unknown top-level fields are set aside.
        """
        call = self.read(call_id, body, lambda tree: refuse_tokens("prompt", tree.get("prompt")))
        choices = (call.body.get("n") or 1) * how_many(call.body["prompt"])
        return replace(call, choices=choices)

    def whole(self, call: Call, chunks: Sequence[Chunk]) -> bytes:
        return openai_completions_render.whole(call, chunks, int(self._now()))

    def writer(self, call: Call) -> CompletionWriter:
        return CompletionWriter(call, int(self._now()))

    # -- what engines get and send

    def encode(self, call: Call, model: str) -> dict[str, Any]:
        """See `engine_body`."""
        return engine_body(call, model)

    def decode_whole(self, body: Mapping[str, Any], call: Call) -> Chunk:  # noqa: ARG002  the port's shape
        return openai_completions_decode.whole(body)

    def events(self) -> CompletionReader:
        return CompletionReader()


@dataclass(frozen=True, slots=True)
class CompletionWriter:
    """Every event of this dialect stands for itself: nothing has to be remembered."""

    call: Call
    now: int

    def event(self, chunk: Chunk) -> bytes:
        return openai_completions_render.event(self.call, chunk, self.now)

    def done(self, comment: str) -> bytes:
        return openai_error.done(comment)

    def error(self, *, kind: str, code: str, message: str) -> bytes:
        return openai_error.event(kind=kind, code=code, message=message)


class CompletionReader:
    """Every event stands for itself; `[DONE]` ends the stream."""

    ended: bool = False

    def read(self, event: Mapping[str, Any]) -> Chunk:
        return openai_completions_decode.event(event)
