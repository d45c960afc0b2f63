"""A Codec for calls of one dialect on engines of another, by way of core's Conversation.

It reads and writes no JSON of its own: each dialect says and writes itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.core.conversation import Conversation
from gateway.core.errors import UnknownField
from gateway.core.model import Call, Chunk
from gateway.core.ports import EventReader


class Says(Protocol):
    """A dialect whose calls can be said in no dialect."""

    def conversation(self, call: Call) -> Conversation: ...


class Writes(Protocol):
    """A dialect that an engine speaks and that can write any conversation down."""

    @property
    def path(self) -> str: ...
    def encode_conversation(self, said: Conversation, call: Call, model: str) -> dict[str, Any]: ...
    def decode_whole(self, body: Mapping[str, Any]) -> Chunk: ...
    def events(self) -> EventReader: ...


@dataclass(frozen=True, slots=True)
class Translated:
    """From `source`, which the client spoke, to `target`, which the engine speaks."""

    source: Says
    target: Writes

    @property
    def path(self) -> str:
        return self.target.path

    def encode(self, call: Call, model: str) -> dict[str, Any]:
        """Raise Unsupported for what the target cannot say, UnknownField for what nobody admitted."""
        if call.unknown:
            raise UnknownField
        return self.target.encode_conversation(self.source.conversation(call), call, model)

    def decode_whole(self, body: Mapping[str, Any]) -> Chunk:
        return self.target.decode_whole(body)

    def events(self) -> EventReader:
        return self.target.events()
