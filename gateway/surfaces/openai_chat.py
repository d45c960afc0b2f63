"""The chat completions dialect: as the Surface that clients speak to and the Codec for engines.

Knows the JSON; decides nothing about what it says.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway.core.conversation import Conversation
from gateway.core.errors import InvalidField, UnknownField
from gateway.core.model import Call, Chunk, Path
from gateway.surfaces import (
    extra,
    openai_chat_decode,
    openai_chat_render,
    openai_chat_said,
    openai_chat_written,
    openai_error,
)
from gateway.surfaces.intake import Limits, load
from gateway.surfaces.openai_chat_census import request
from gateway.surfaces.rewriting import rewritten
from gateway.surfaces.walker import Walk


class OpenAIChat:
    """`openai.chat`: a ModelSurface and a Codec in one. `now` is in Unix seconds."""

    name: str = "openai.chat"
    asks_model: bool = True
    path: str = "/chat/completions"

    def __init__(self, limits: Limits | None = None, now: Callable[[], float] = time.time) -> None:
        self._limits = limits or Limits()
        self._now = now
        self.census: Final = request(self._limits)

    # -- what clients send and get

    def parse(self, call_id: str, body: bytes) -> Call:
        """The call. Raise BadRequest naming the path; unknown top-level fields are set aside."""
        tree = load(body, self._limits)
        strange = extra.set_aside(tree, self.census.fields)
        walk = Walk()
        walk.visit(self.census, tree, ())
        stream = tree.get("stream") is True
        options: dict[str, Any] = tree.get("stream_options") or {}
        if options and not stream:
            raise InvalidField(
                "`stream_options` goes with `stream: true` alone.", path="stream_options"
            )
        return Call(
            id=call_id,
            surface=self.name,
            model=tree["model"],
            body=tree,
            passages=walk.passages(),
            stream=stream,
            usage_wanted=not stream or options.get("include_usage") is True,
            choices=tree.get("n") or 1,
            media=walk.media,
            unknown=strange,
        )

    def admit_extra(self, call: Call, extra_types: Mapping[str, str]) -> Call:
        """See `extra.admitted`."""
        return extra.admitted(call, extra_types)

    def rewrite(self, call: Call, texts: Mapping[Path, str]) -> Call:
        """The call with the text at each Field's path replaced, in body and passages."""
        return rewritten(call, texts)

    def whole(self, call: Call, chunks: Sequence[Chunk]) -> bytes:
        return openai_chat_render.whole(call, chunks, int(self._now()))

    def writer(self, call: Call) -> ChatWriter:
        return ChatWriter(call, int(self._now()))

    def error(
        self,
        *,
        status: int,  # noqa: ARG002  the port's shape
        kind: str,
        code: str,
        message: str,
        path: str | None,
    ) -> bytes:
        return openai_error.body(kind=kind, code=code, message=message, path=path)

    # -- what engines get and send

    def encode(self, call: Call, model: str) -> dict[str, Any]:
        """The engine's body: what was looked at, under the engine's own name for the model.

        A stream always asks for its usage. Raise UnknownField if nobody admitted the unknown.
        """
        if call.unknown:
            raise UnknownField
        body = {**call.body, "model": model}
        if call.stream:
            options: Mapping[str, Any] = call.body.get("stream_options") or {}
            body["stream_options"] = {**options, "include_usage": True}
        return body

    def decode_whole(self, body: Mapping[str, Any]) -> Chunk:
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
    """Every event stands for itself; `[DONE]` ends the stream."""

    ended: bool = False

    def read(self, event: Mapping[str, Any]) -> Chunk:
        return openai_chat_decode.event(event)
