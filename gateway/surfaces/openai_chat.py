"""The chat completions dialect: as the Surface that clients speak to and the Codec for engines.

Knows the JSON; decides nothing about what it says.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gateway.core.conversation import Conversation
from gateway.core.model import Call, Chunk
from gateway.surfaces import (
    openai_chat_decode,
    openai_chat_render,
    openai_chat_said,
    openai_chat_written,
    openai_error,
)
from gateway.surfaces.intake import Limits
from gateway.surfaces.openai_chat_calls import Calls
from gateway.surfaces.openai_chat_census import request
from gateway.surfaces.openai_surface import OpenAISurface, engine_body


class OpenAIChat(OpenAISurface):
    """`openai.chat`: a ModelSurface and a Codec in one. `now` is in Unix seconds."""

    path: str = "/chat/completions"

    def __init__(self, limits: Limits | None = None, now: Callable[[], float] = time.time) -> None:
        super().__init__("openai.chat", request(limits or Limits()), limits)
        self._now = now

    # -- what clients send and get

    def parse(self, call_id: str, body: bytes) -> Call:
        """The call. Raise BadRequest naming the path; unknown top-level fields are set aside."""
        call = self.read(call_id, body)
        return replace(call, choices=call.body.get("n") or 1)

    def whole(self, call: Call, chunks: Sequence[Chunk]) -> bytes:
        return openai_chat_render.whole(call, chunks, int(self._now()))

    def writer(self, call: Call) -> ChatWriter:
        return ChatWriter(call, int(self._now()))

    # -- what engines get and send

    def encode(self, call: Call, model: str) -> dict[str, Any]:
        """See `engine_body`."""
        return engine_body(call, model)

    def decode_whole(self, body: Mapping[str, Any], call: Call) -> Chunk:  # noqa: ARG002  the port's shape
        return openai_chat_decode.whole(body)

    def events(self) -> ChatReader:
        return ChatReader()

    # -- the bridge to and from other dialects

    def conversation(self, call: Call) -> Conversation:
        """What the call asks, in no dialect. Raise Unsupported for what only this dialect says."""
        return openai_chat_said.conversation(call.body)

    def encode_conversation(self, said: Conversation, call: Call, model: str) -> dict[str, Any]:
        """The engine's body for a call of another dialect. Raise Unsupported naming its option."""
        return openai_chat_written.body(said, model, stream=call.stream)


@dataclass(frozen=True, slots=True)
class ChatWriter:
    """Every event of this dialect stands for itself: nothing has to be remembered."""

    call: Call
    now: int

    def event(self, chunk: Chunk) -> bytes:
        return openai_chat_render.event(self.call, chunk, self.now)

    def done(self, comment: str) -> bytes:
        return openai_error.done(comment)

    def error(self, *, kind: str, code: str, message: str) -> bytes:
        return openai_error.event(kind=kind, code=code, message=message)


class ChatReader:
    """Reads one stream; `[DONE]` ends it. Of the events before it remembers the tool calls alone."""

    ended: bool = False

    def __init__(self) -> None:
        self._calls: dict[int, Calls] = {}

    def read(self, event: Mapping[str, Any]) -> Chunk:
        return openai_chat_decode.event(event, self._calls)
