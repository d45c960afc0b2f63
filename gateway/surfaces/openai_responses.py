"""The `responses` dialect, as the Surface that clients speak to; engines are asked in another's words.

Knows the JSON; decides nothing about what it says. It keeps no response: every call is whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import orjson

from gateway.core.conversation import Conversation
from gateway.core.model import Call, Chunk
from gateway.surfaces import openai_responses_said
from gateway.surfaces.intake import Limits
from gateway.surfaces.openai_responses_answer import Answer
from gateway.surfaces.openai_responses_census import request
from gateway.surfaces.openai_responses_stream import ResponsesWriter
from gateway.surfaces.openai_surface import OpenAISurface


class OpenAIResponses(OpenAISurface):
    """`openai.responses`: a ModelSurface that can say its calls. `now` is in Unix seconds."""

    def __init__(self, limits: Limits | None = None, now: Callable[[], float] = time.time) -> None:
        super().__init__("openai.responses", request(limits or Limits()), limits)
        self._now = now

    # -- what clients send and get

    def parse(self, call_id: str, body: bytes) -> Call:
        """The call. Raise BadRequest naming the path; unknown top-level fields are set aside."""
        return replace(self.read(call_id, body), usage_wanted=True)

    def whole(self, call: Call, chunks: Sequence[Chunk]) -> bytes:
        answer = Answer(call, int(self._now()))
        for chunk in chunks:
            answer.take(chunk)
        answer.end()
        return orjson.dumps(answer.written())

    def writer(self, call: Call) -> ResponsesWriter:
        return ResponsesWriter(Answer(call, int(self._now())))

    # -- the bridge to other dialects

    def conversation(self, call: Call) -> Conversation:
        """What the call asks, in no dialect. Raise InvalidField for tools that contradict each other."""
        return openai_responses_said.conversation(call.body)
