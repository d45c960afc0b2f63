"""A model's answer as a `response` object while it grows: what the whole and the stream have in common.

Items stand in the order in which their first text came. It adds no text and leaves none out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from gateway.core.model import Call, Chunk, Finished, Kind, Part, Text, ToolOpened, Usage

_TOOLS: Final = "tool_calls."
_PARTS: Final[Mapping[Kind, tuple[str, str]]] = {
    Kind.REASONING: ("reasoning", "reasoning_text"),
    Kind.REFUSAL: ("message", "refusal"),
}
"""In which item, and as which part of it, a text of this kind stands; any other is its words."""
_WORDS: Final = ("message", "output_text")
_INCOMPLETE: Final[Mapping[str, str]] = {
    "length": "max_output_tokens",
    "content_filter": "content_filter",
}
_TIERS: Final = frozenset({"auto", "default", "flex", "scale", "priority", "fast"})


@dataclass(slots=True)
class Spoken:
    """One text: a content part of a message or of reasoning, or a call's arguments."""

    type: str
    index: int
    pieces: list[str] = field(default_factory=list[str])

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    def written(self) -> dict[str, Any]:
        match self.type:
            case "output_text":
                return {
                    "type": self.type,
                    "annotations": [],
                    "logprobs": [],
                    "text": self.text,
                }
            case "refusal":
                return {"type": self.type, "refusal": self.text}
            case _:
                return {"type": self.type, "text": self.text}


@dataclass(slots=True)
class Item:
    """One output item. `call_id` and `name` are a function call's."""

    type: str
    id: str
    index: int
    call_id: str = ""
    name: str = ""
    parts: dict[str, Spoken] = field(default_factory=dict[str, Spoken])

    def written(self, status: str) -> dict[str, Any]:
        head: dict[str, Any] = {"id": self.id, "type": self.type, "status": status}
        match self.type:
            case "function_call":
                return {
                    **head,
                    "call_id": self.call_id,
                    "name": self.name,
                    "arguments": "".join(part.text for part in self.parts.values()),
                }
            case "reasoning":
                return {**head, "summary": [], "content": self._content()}
            case _:
                return {**head, "role": "assistant", "content": self._content()}

    def _content(self) -> list[dict[str, Any]]:
        return [part.written() for part in self.parts.values()]


@dataclass(frozen=True, slots=True)
class Growth:
    """That a part of an item got more text; `opens` and `begins`: the item, the part is new."""

    item: Item
    part: Spoken
    text: str
    opens: bool
    begins: bool


@dataclass(slots=True)
class _Tool:
    """A function call that has been named, perhaps, and has no arguments yet."""

    id: str
    name: list[str] = field(default_factory=list[str])


class Answer:
    """One response. `now` (Unix seconds) dates it. A choice beside the first is not this dialect's."""

    def __init__(self, call: Call, now: int) -> None:
        self._call = call
        self._now = now
        self._items: dict[str, Item] = {}
        self._tools: dict[int, _Tool] = {}
        self._usage: Usage | None = None
        self._reason = "stop"
        self._tier: str | None = None

    @property
    def items(self) -> Sequence[Item]:
        """In order of their index."""
        return tuple(self._items.values())

    @property
    def status(self) -> str:
        """How it ended: `completed` or `incomplete`."""
        return "incomplete" if self._reason in _INCOMPLETE else "completed"

    def take(self, chunk: Chunk) -> Sequence[Growth]:
        """What this much more lets grow, in its order."""
        tier = chunk.envelope.get("service_tier")
        if tier in _TIERS and self._tier is None:
            self._tier = tier
        return [growth for part in chunk.parts for growth in self._take(part)]

    def end(self) -> Sequence[Growth]:
        """The calls that never got any arguments, which open last."""
        return [
            self._arguments(index, "")
            for index in sorted(self._tools)
            if f"{_TOOLS}{index}" not in self._items
        ]

    def written(self) -> dict[str, Any]:
        """The response at its end."""
        reason = _INCOMPLETE.get(self._reason)
        return {
            **self.begun(),
            "status": self.status,
            "incomplete_details": {"reason": reason} if reason else None,
            # Which item was cut nobody knows; none of them may be taken for whole.
            "output": [item.written(self.status) for item in self.items],
            "service_tier": self._tier,
            "usage": _usage(self._usage) if self._usage else None,
        }

    def begun(self) -> dict[str, Any]:
        """The response before its first item. What the request said is told from its body alone."""
        return {
            "id": f"resp_{self._call.id}",
            "object": "response",
            "created_at": self._now,
            "status": "in_progress",
            "background": False,
            "error": None,
            "incomplete_details": None,
            "model": self._call.model,
            "output": [],
            "previous_response_id": None,
            "service_tier": None,
            "store": False,
            "truncation": "disabled",
            "usage": None,
            **_asked(self._call.body),
        }

    # -- growing

    def _take(self, part: Part) -> Iterator[Growth]:
        match part:
            case Text(choice=0):
                yield from self._text(part)
            case ToolOpened(choice=0):
                tool = self._tool(part.index)
                tool.id = tool.id or part.id
            case Finished(choice=0):
                self._reason = part.reason
            case Usage():
                self._usage = part
            case _:
                pass

    def _text(self, part: Text) -> Iterator[Growth]:
        if not part.slot.startswith(_TOOLS):
            yield self._words(part)
            return
        _, index, name = part.slot.split(".", 2)
        if name == "arguments":
            named = [one for one in sorted(self._tools) if one < int(index) and self._unopened(one)]
            yield from (self._arguments(one, "") for one in named)
            yield self._arguments(int(index), part.text)
        else:
            self._tool(int(index)).name.append(part.text)

    def _words(self, part: Text) -> Growth:
        item_type, part_type = _PARTS.get(part.kind, _WORDS)
        opens = item_type not in self._items
        if opens:
            prefix = "rs" if item_type == "reasoning" else "msg"
            made = Item(item_type, f"{prefix}_{self._call.id}", len(self._items))
            self._items[item_type] = made
        return _grown(self._items[item_type], part.slot, part_type, part.text, opens=opens)

    def _arguments(self, index: int, text: str) -> Growth:
        """A call opens when its name is surely whole: at its first arguments, or at the end."""
        key = f"{_TOOLS}{index}"
        opens = key not in self._items
        if opens:
            tool = self._tool(index)
            self._items[key] = Item(
                "function_call",
                f"fc_{self._call.id}_{index}",
                len(self._items),
                # Clients need an id to answer a call whose engine gave none.
                tool.id or f"call_{self._call.id}_0_{index}",
                "".join(tool.name),
            )
        return _grown(self._items[key], key, "arguments", text, opens=opens)

    def _unopened(self, index: int) -> bool:
        """Whether the call has its name and no item: it gets no arguments, or late."""
        return bool(self._tools[index].name) and f"{_TOOLS}{index}" not in self._items

    def _tool(self, index: int) -> _Tool:
        return self._tools.setdefault(index, _Tool(""))


def _grown(item: Item, slot: str, part_type: str, text: str, *, opens: bool) -> Growth:
    begins = slot not in item.parts
    if begins:
        item.parts[slot] = Spoken(part_type, len(item.parts))
    part = item.parts[slot]
    part.pieces.append(text)
    return Growth(item, part, text, opens, begins)


_ECHOED: Final[Mapping[str, Any]] = {
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "temperature": None,
    "tool_choice": "auto",
    "tools": [],
    "top_p": None,
    "user": None,
}
"""What of a request its response says again, and what it says where the request did not."""


def _asked(body: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: body.get(name) for name in _ECHOED}
    said: dict[str, Any] = {
        name: silent if told[name] is None else told[name] for name, silent in _ECHOED.items()
    }
    reasoning: Mapping[str, Any] = body.get("reasoning") or {}
    said["reasoning"] = {"effort": reasoning.get("effort"), "summary": None}
    text: Mapping[str, Any] = body.get("text") or {}
    plain = {"format": {"type": "text"}}
    said["text"] = plain | {name: value for name, value in text.items() if value is not None}
    return said


def _usage(usage: Usage) -> dict[str, Any]:
    """The engine's counts, under this dialect's names; a sub-count that it did not tell is 0."""
    read: Mapping[str, Any] = usage.detail.get("prompt_tokens_details") or {}
    made: Mapping[str, Any] = usage.detail.get("completion_tokens_details") or {}
    return {
        "input_tokens": usage.prompt,
        "input_tokens_details": {
            "cached_tokens": read.get("cached_tokens", 0),
            "cache_write_tokens": read.get("cache_write_tokens", 0),
        },
        "output_tokens": usage.completion,
        "output_tokens_details": {"reasoning_tokens": made.get("reasoning_tokens", 0)},
        "total_tokens": usage.prompt + usage.completion,
    }
