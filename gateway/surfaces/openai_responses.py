"""The `responses` dialect, as the Surface that clients speak to; engines are asked in another's words.

Knows the JSON; decides nothing about what it says. It keeps no response: every call is whole.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import orjson

from gateway.core.conversation import Conversation
from gateway.core.errors import InvalidField
from gateway.core.model import Call, Chunk, Path
from gateway.surfaces import extra, openai_error, openai_responses_said
from gateway.surfaces.intake import Limits, load
from gateway.surfaces.openai_responses_answer import Answer
from gateway.surfaces.openai_responses_census import request
from gateway.surfaces.openai_responses_stream import ResponsesWriter
from gateway.surfaces.rewriting import rewritten
from gateway.surfaces.walker import Walk


class OpenAIResponses:
    """`openai.responses`: a ModelSurface that can say its calls. `now` is in Unix seconds."""

    name: str = "openai.responses"
    asks_model: bool = True

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
        if tree.get("stream_options") and not stream:
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
        answer = Answer(call, int(self._now()))
        for chunk in chunks:
            answer.take(chunk)
        answer.end()
        return orjson.dumps(answer.written())

    def writer(self, call: Call) -> ResponsesWriter:
        return ResponsesWriter(Answer(call, int(self._now())))

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

    # -- the bridge to other dialects

    def conversation(self, call: Call) -> Conversation:
        """What the call asks, in no dialect. Raise InvalidField for tools that contradict each other."""
        return openai_responses_said.conversation(call.body)
