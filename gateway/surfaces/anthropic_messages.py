"""The Messages dialect: as the Surface that clients speak to and the Codec for engines.

Knows the JSON; decides nothing about what it says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from gateway.core.conversation import Conversation
from gateway.core.errors import UnknownField
from gateway.core.model import Call, Chunk, Path
from gateway.surfaces import (
    anthropic_decode,
    anthropic_error,
    anthropic_render,
    anthropic_said,
    anthropic_written,
)
from gateway.surfaces.anthropic_census import request
from gateway.surfaces.anthropic_events import MessagesReader
from gateway.surfaces.anthropic_stream import MessagesWriter
from gateway.surfaces.census import Object
from gateway.surfaces.extra import admitted, set_aside
from gateway.surfaces.intake import Limits, load
from gateway.surfaces.rewriting import rewritten
from gateway.surfaces.walker import Walk


class AnthropicMessages:
    """`anthropic.messages`: a ModelSurface and a Codec in one."""

    name: str = "anthropic.messages"
    asks_model: bool = True
    path: str = "/messages"

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self.census: Final = request(self._limits)

    # -- what clients send and get

    def parse(self, call_id: str, body: bytes) -> Call:
        """The call. Raise BadRequest naming the path; unknown top-level fields are set aside."""
        return parsed(self.name, self.census, self._limits, call_id, body)

    def admit_extra(self, call: Call, extra: Mapping[str, str]) -> Call:
        """See `extra.admitted`."""
        return admitted(call, extra)

    def rewrite(self, call: Call, texts: Mapping[Path, str]) -> Call:
        """The call with the text at each Field's path replaced, in body and passages."""
        return rewritten(call, texts)

    def whole(self, call: Call, chunks: Sequence[Chunk]) -> bytes:
        return anthropic_render.whole(call, chunks)

    def writer(self, call: Call) -> MessagesWriter:
        return MessagesWriter(call)

    def error(self, *, status: int, kind: str, code: str, message: str, path: str | None) -> bytes:
        return anthropic_error.body(status=status, kind=kind, code=code, message=message, path=path)

    # -- what engines get and send

    def encode(self, call: Call, model: str) -> dict[str, Any]:
        """The engine's body: what was looked at, under the engine's own name for the model.

        Raise UnknownField if nobody admitted the unknown.
        """
        if call.unknown:
            raise UnknownField
        return {**call.body, "model": model}

    def decode_whole(self, body: Mapping[str, Any], call: Call) -> Chunk:  # noqa: ARG002  the port's shape
        return anthropic_decode.whole(body)

    def events(self) -> MessagesReader:
        return MessagesReader()

    # -- the bridge to and from other dialects

    def conversation(self, call: Call) -> Conversation:
        """What the call asks, in no dialect. Raise Unsupported for what only this dialect says."""
        last = len(call.body["messages"]) - 1
        if call.body["messages"][last]["role"] == "assistant":
            # Elsewhere it would be answered, not gone on with.
            raise anthropic_said.unsupported(f"messages.{last}")
        return anthropic_said.conversation(call.body)

    def encode_conversation(self, said: Conversation, call: Call, model: str) -> dict[str, Any]:
        """The engine's body for a call of another dialect. Raise Unsupported naming its option."""
        return anthropic_written.body(said, model, stream=call.stream)


def parsed(name: str, census: Object, limits: Limits, call_id: str, body: bytes) -> Call:
    """The call of a surface of this dialect, walked by its census."""
    tree = load(body, limits)
    strange = set_aside(tree, census.fields)
    walk = Walk()
    walk.visit(census, tree, ())
    return Call(
        id=call_id,
        surface=name,
        model=tree["model"],
        body=tree,
        passages=walk.passages(),
        stream=tree.get("stream") is True,
        media=walk.media,
        unknown=strange,
    )
