"""A Codec for calls of one dialect on engines of another, by way of core's Conversation.

It reads and writes no JSON of its own: each dialect says and writes itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from gateway.core.conversation import Conversation
from gateway.core.errors import UnknownField
from gateway.core.model import Call, Chunk, Kind, Part, Text
from gateway.core.ports import EventReader
from gateway.surfaces.census import Object


class Says(Protocol):
    """A dialect whose calls can be said in no dialect."""

    @property
    def census(self) -> Object: ...
    def conversation(self, call: Call) -> Conversation: ...


class Writes(Protocol):
    """A dialect that an engine speaks and that can write any conversation down."""

    @property
    def path(self) -> str: ...
    def encode_conversation(self, said: Conversation, call: Call, model: str) -> dict[str, Any]: ...
    def decode_whole(self, body: Mapping[str, Any], call: Call) -> Chunk: ...
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
        """Raise Unsupported for what the target cannot say, UnknownField for what nobody admitted.

        Fields that the operator declared as the engine's own go to it as they are.
        """
        if call.unknown:
            raise UnknownField
        known = self.source.census.fields
        own = {name: value for name, value in call.body.items() if name in known}
        said = self.source.conversation(replace(call, body=own))
        declared = {name: value for name, value in call.body.items() if name not in known}
        return {**declared, **self.target.encode_conversation(said, call, model)}

    def decode_whole(self, body: Mapping[str, Any], call: Call) -> Chunk:
        return _thought_once(self.target.decode_whole(body, call))

    def events(self) -> EventReader:
        return _Reader(self.target.events())


class _Reader:
    def __init__(self, target: EventReader) -> None:
        self._target = target

    @property
    def ended(self) -> bool:
        return self._target.ended

    def read(self, event: Mapping[str, Any]) -> Chunk:
        return _thought_once(self._target.read(event))


def _thought_once(chunk: Chunk) -> Chunk:
    """Some engines say what they think under two names at once; elsewhere there is one place for it."""
    said: set[tuple[int, str]] = set()
    parts: list[Part] = []
    for part in chunk.parts:
        if isinstance(part, Text) and part.kind is Kind.REASONING:
            if part.slot == "reasoning" and (part.choice, part.text) in said:
                continue
            said.add((part.choice, part.text))
        parts.append(part)
    return chunk if len(parts) == len(chunk.parts) else replace(chunk, parts=tuple(parts))
