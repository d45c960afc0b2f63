"""Reads one stream of a model server in the Messages dialect, event by event, into Chunks.

Blocks come by number, so a delta counts for nothing but an open block of its own sort.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from gateway.core.errors import UpstreamFailed
from gateway.core.model import Chunk, Finished, Opened, Part, Text
from gateway.surfaces.anthropic_decode import (
    TEXTS,
    arguments,
    called,
    given,
    mapping,
    reason,
    said,
    string,
    unexpected,
    usage,
)

_DROPPED: Final = frozenset({"signature_delta", "citations_delta"})
"""Deltas that add to no text: a signature is the server's own, and citations are not looked at."""
_MOST: Final = 100_000
"""The highest number of a block that is believed."""


@dataclass(slots=True)
class _Block:
    """A block so far. A tool call's has its place among them, and where its input comes from."""

    sort: str
    tool: int = 0
    whole: bool = False
    """Its input came with its opening."""
    growing: bool = False
    """Its input comes in deltas."""
    closed: bool = False


class MessagesReader:
    """An EventReader of one stream; `ended` once `message_stop` has come."""

    __slots__ = ("_blocks", "_started", "_tools", "_usage", "ended")

    def __init__(self) -> None:
        self._blocks: dict[int, _Block] = {}
        self._tools = 0
        self._started = False
        self._usage: dict[str, Any] = {}
        self.ended: bool = False

    def read(self, event: Mapping[str, Any]) -> Chunk:
        """What one event adds. One of a new type adds nothing: the API's reference announces such."""
        read = _READERS.get(string(event.get("type"), "type") or "error")
        return Chunk(read(self, event) if read else ())

    def start(self, event: Mapping[str, Any]) -> tuple[Part, ...]:
        message = mapping(event.get("message"), "message")
        if self._started or message.get("content"):
            raise unexpected("message")
        self._started = True
        self._count(message)
        return (Opened(0),)

    def block(self, event: Mapping[str, Any]) -> tuple[Part, ...]:
        index = _index(event)
        block = mapping(event.get("content_block"), "content_block")
        if not self._started or index in self._blocks:
            raise unexpected("index")
        if block.get("type") != "tool_use":
            texts = said(block)
            self._blocks[index] = _Block(block["type"])
            return tuple(texts)
        tool, filled = self._tools, given(block)
        self._tools += 1
        self._blocks[index] = _Block("tool_use", tool, whole=bool(filled))
        opening = called(block, tool)
        return (*opening, arguments(tool, filled)) if filled else tuple(opening)

    def delta(self, event: Mapping[str, Any]) -> tuple[Part, ...]:
        block = self._known(event)
        delta = mapping(event.get("delta"), "delta")
        sort = string(delta.get("type"), "delta.type")
        if sort in _DROPPED:
            return ()
        if sort == "input_json_delta" and block.sort == "tool_use":
            return self._input(block, string(delta.get("partial_json"), "delta.partial_json"))
        if block.sort not in TEXTS or sort != f"{block.sort}_delta":
            raise unexpected("delta.type")
        slot, kind = TEXTS[block.sort]
        text = string(delta.get(block.sort), f"delta.{block.sort}")
        return (Text(0, slot, kind, text),) if text else ()

    def _input(self, block: _Block, text: str) -> tuple[Part, ...]:
        if not text:
            return ()
        if block.whole:
            # Which of the two would be run, nobody can say.
            raise unexpected("delta.partial_json")
        block.growing = True
        return (arguments(block.tool, text),)

    def stop(self, event: Mapping[str, Any]) -> tuple[Part, ...]:
        block = self._known(event)
        block.closed = True
        if block.sort == "tool_use" and not (block.whole or block.growing):
            return (arguments(block.tool, "{}"),)
        return ()

    def end(self, event: Mapping[str, Any]) -> tuple[Part, ...]:
        parts: list[Part] = []
        if event.get("delta") is not None:
            told = reason(mapping(event["delta"], "delta").get("stop_reason"))
            if told is not None:
                parts.append(Finished(0, told))
        self._count(event)
        if self._usage:
            parts.append(usage(self._usage))
        return tuple(parts)

    def over(self, _event: Mapping[str, Any]) -> tuple[Part, ...]:
        self.ended = True
        return ()

    def failed(self, _event: Mapping[str, Any]) -> tuple[Part, ...]:
        raise UpstreamFailed("The model server reported an error in its stream.")

    def _count(self, holder: Mapping[str, Any]) -> None:
        """Counts are totals: one that comes later stands for those before it."""
        if holder.get("usage") is not None:
            told = mapping(holder["usage"], "usage")
            self._usage |= {name: count for name, count in told.items() if count is not None}

    def _known(self, event: Mapping[str, Any]) -> _Block:
        block = self._blocks.get(_index(event))
        if block is None or block.closed:
            raise unexpected("index")
        return block


_READERS: Final[Mapping[str, Callable[[MessagesReader, Mapping[str, Any]], tuple[Part, ...]]]] = (
    MappingProxyType(
        {
            "message_start": MessagesReader.start,
            "content_block_start": MessagesReader.block,
            "content_block_delta": MessagesReader.delta,
            "content_block_stop": MessagesReader.stop,
            "message_delta": MessagesReader.end,
            "message_stop": MessagesReader.over,
            "error": MessagesReader.failed,
        }
    )
)


def _index(event: Mapping[str, Any]) -> int:
    index = event.get("index")
    if type(index) is not int or not 0 <= index <= _MOST:
        raise unexpected("index")
    return index
