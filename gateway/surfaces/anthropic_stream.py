"""Writes Chunks as the events of the Messages dialect. Adds no text and leaves none out.

A block stays open until the end: what was held back of one field may leave after another has begun, and
clients tell blocks by their number.
"""

from __future__ import annotations

from gateway.core.model import Call, Chunk, Finished, Kind, Part, Text, ToolOpened, Usage
from gateway.surfaces.anthropic_error import event as error_event
from gateway.surfaces.anthropic_error import named
from gateway.surfaces.anthropic_render import (
    head,
    is_tool,
    opened,
    opened_tool,
    stop_reason,
    tool_of,
    usage,
)


class MessagesWriter:
    """A StreamWriter of one call. It keeps names and numbers of blocks, and no other text."""

    __slots__ = ("_blocks", "_call", "_ids", "_names", "_reason", "_started", "_usage")

    def __init__(self, call: Call) -> None:
        self._call = call
        self._blocks: dict[str, int] = {}
        """The number of each open block, by its slot; a tool call's by that of its arguments."""
        self._ids: dict[int, str] = {}
        self._names: dict[int, str] = {}
        self._reason = "stop"
        self._usage: Usage | None = None
        self._started = False

    def event(self, chunk: Chunk) -> bytes:
        """One delta for each field that the chunk adds to, after what opens its block."""
        texts: dict[str, list[str]] = {}
        kinds: dict[str, Kind] = {}
        for part in chunk.parts:
            self._take(part)
            if isinstance(part, Text) and part.choice == 0:
                texts.setdefault(part.slot, []).append(part.text)
                kinds[part.slot] = part.kind
        events = [self._begin()] if chunk.parts else []
        for slot, pieces in texts.items():
            text = "".join(pieces)
            if not is_tool(slot):
                sort = "thinking" if kinds[slot] is Kind.REASONING else "text"
                events += (self._open(slot, sort), self._delta(slot, f"{sort}_delta", sort, text))
            elif slot.endswith(".arguments"):
                events.append(self._open_tools(tool_of(slot)))
                events.append(self._delta(slot, "input_json_delta", "partial_json", text))
        return b"".join(events)

    def done(self, comment: str) -> bytes:
        """Every block's end, the message's, the comment on one line, the terminator."""
        events = [self._begin(), *(self._open_tools(tool) for tool in sorted(self._names))]
        events += [
            named("content_block_stop", {"type": "content_block_stop", "index": index})
            for index in self._blocks.values()
        ]
        reason = stop_reason(self._reason, called=bool(self._names))
        told = {"stop_reason": reason, "stop_sequence": None}
        counts = usage(self._usage or Usage(0, 0))
        events.append(
            named("message_delta", {"type": "message_delta", "delta": told, "usage": counts})
        )
        events.append(f": {' '.join(comment.split())}\n\n".encode())
        events.append(named("message_stop", {"type": "message_stop"}))
        return b"".join(events)

    def error(self, *, kind: str, code: str, message: str) -> bytes:
        return error_event(kind=kind, code=code, message=message)

    def _take(self, part: Part) -> None:
        """Remember what is said at another place than where it came."""
        match part:
            case Text(choice=0) if part.slot.endswith(".name") and is_tool(part.slot):
                tool = tool_of(part.slot)
                assert f"tool_calls.{tool}.arguments" not in self._blocks, "a name comes first"
                self._names[tool] = self._names.get(tool, "") + part.text
            case Text(choice=0) if is_tool(part.slot):
                self._names.setdefault(tool_of(part.slot), "")
            case ToolOpened(choice=0):
                self._names.setdefault(part.index, "")
                self._ids[part.index] = self._ids.get(part.index) or part.id
            case Finished(choice=0):
                self._reason = part.reason
            case Usage():
                self._usage = part
            case _:
                pass

    def _begin(self) -> bytes:
        if self._started:
            return b""
        self._started = True
        message = head(self._call)
        if self._usage:
            message["usage"] = {**usage(self._usage), "output_tokens": 0}
        return named("message_start", {"type": "message_start", "message": message})

    def _open_tools(self, last: int) -> bytes:
        """Open tool call number `last`, and those before it that are named and silent so far."""
        return b"".join(
            self._open(f"tool_calls.{tool}.arguments", "tool_use")
            for tool, name in sorted(self._names.items())
            if tool == last or (tool < last and name)
        )

    def _open(self, slot: str, sort: str) -> bytes:
        if slot in self._blocks:
            return b""
        index = self._blocks[slot] = len(self._blocks)
        block = opened(sort) if sort != "tool_use" else self._tool(tool_of(slot))
        told = {"type": "content_block_start", "index": index, "content_block": block}
        return named("content_block_start", told)

    def _tool(self, tool: int) -> dict[str, object]:
        return opened_tool(self._call, tool, self._ids.get(tool, ""), self._names[tool])

    def _delta(self, slot: str, sort: str, name: str, text: str) -> bytes:
        if not text:
            return b""  # it opens the block, and no more
        told = {
            "type": "content_block_delta",
            "index": self._blocks[slot],
            "delta": {"type": sort, name: text},
        }
        return named("content_block_delta", told)
