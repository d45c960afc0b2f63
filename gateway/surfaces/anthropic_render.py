"""Writes Chunks as one message of the Messages dialect. Adds no text and leaves none out.

The dialect has one choice; for any other it has no words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, cast

import orjson

from gateway.core.model import Call, Chunk, Finished, Kind, Part, Text, ToolOpened, Usage

_TOOLS: Final = "tool_calls."
_STOPS: Final = MappingProxyType(
    {
        "stop": "end_turn",
        "length": "max_tokens",
        "tool_calls": "tool_use",
        "content_filter": "refusal",
    }
)


@dataclass(slots=True)
class _Message:
    """A whole reply while it is put together. No Call or Chunk is altered."""

    texts: dict[str, list[str]] = field(default_factory=dict[str, "list[str]"])
    blocks: dict[str, str] = field(default_factory=dict[str, str])
    """The type of each block, in their order, by its slot; a tool call's by `tool_calls.` and its number."""
    tools: dict[int, str] = field(default_factory=dict[int, str])
    reason: str = "stop"
    usage: Usage | None = None

    def take(self, part: Part) -> None:
        match part:
            case Text(choice=0):
                self._text(part)
            case ToolOpened(choice=0):
                self.tools[part.index] = self.tools.get(part.index) or part.id
            case Finished(choice=0):
                self.reason = part.reason
            case Usage():
                self.usage = part
            case _:
                pass

    def _text(self, part: Text) -> None:
        self.texts.setdefault(part.slot, []).append(part.text)
        if not is_tool(part.slot):
            self.blocks.setdefault(part.slot, "thinking" if part.kind is Kind.REASONING else "text")
            return
        tool = tool_of(part.slot)
        self.tools.setdefault(tool, "")
        if part.slot.endswith(".arguments"):
            self._open_tools(tool)

    def _open_tools(self, last: int) -> None:
        """As the stream opens them: call number `last`, after those before it that are named by now."""
        for tool in sorted(self.tools):
            if tool == last or (tool < last and f"{_TOOLS}{tool}.name" in self.texts):
                self.blocks.setdefault(f"{_TOOLS}{tool}", "tool_use")

    def content(self, call: Call) -> Iterator[dict[str, Any]]:
        """Each field is a block of its own, in the order in which they begin."""
        for tool in sorted(self.tools):
            self.blocks.setdefault(f"{_TOOLS}{tool}", "tool_use")
        texts = {slot: "".join(pieces) for slot, pieces in self.texts.items()}
        for slot, sort in self.blocks.items():
            if sort != "tool_use":
                yield {**opened(sort), sort: texts[slot]}
                continue
            tool = int(slot.removeprefix(_TOOLS))
            called = opened_tool(call, tool, self.tools[tool], texts.get(f"{slot}.name", ""))
            yield {**called, "input": _input(texts.get(f"{slot}.arguments", ""))}


def whole(call: Call, chunks: Sequence[Chunk]) -> bytes:
    """One `message`."""
    message = _Message()
    for chunk in chunks:
        for part in chunk.parts:
            message.take(part)
    body = head(call)
    body["content"] = list(message.content(call))
    body["stop_reason"] = stop_reason(message.reason, called=bool(message.tools))
    body["usage"] = usage(message.usage or Usage(0, 0))
    return orjson.dumps(body)


def head(call: Call) -> dict[str, Any]:
    """A message of which nothing is known yet. The model is named as the client named it."""
    return {
        "id": f"msg_{call.id}",
        "type": "message",
        "role": "assistant",
        "model": call.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage(Usage(0, 0)),
    }


def opened(sort: str) -> dict[str, Any]:
    """A block of text as it begins. Nothing here signs what a model thought."""
    signed = {"signature": ""} if sort == "thinking" else {}
    return {"type": sort, sort: "", **signed}


def opened_tool(call: Call, tool: int, call_id: str, name: str) -> dict[str, Any]:
    """A tool call as it begins, under an id made here where the engine gave none."""
    made = call_id or f"toolu_{call.id}_{tool}"
    return {"type": "tool_use", "id": made, "name": name, "input": {}}


def stop_reason(reason: str, *, called: bool) -> str:
    """Core's reason as this dialect says it, in which an answer that calls tools never just ends."""
    # Chat completions say `stop` of a call that the client asked for by name.
    if called and reason == "stop":
        return "tool_use"
    return _STOPS.get(reason, "end_turn")


def usage(told: Usage) -> dict[str, Any]:
    """The counts. What a cache read or made is counted apart here, and within the prompt in core."""
    prompts, outputs = (
        cast("Mapping[str, int]", told.detail.get(name) or {})
        for name in ("prompt_tokens_details", "completion_tokens_details")
    )
    read, made = prompts.get("cached_tokens", 0), prompts.get("cache_creation_tokens", 0)
    counts: dict[str, Any] = {
        "input_tokens": max(told.prompt - read - made, 0),
        "output_tokens": told.completion,
    }
    if read:
        counts["cache_read_input_tokens"] = read
    if made:
        counts["cache_creation_input_tokens"] = made
    if "reasoning_tokens" in outputs:
        counts["output_tokens_details"] = {"thinking_tokens": outputs["reasoning_tokens"]}
    return counts


def is_tool(slot: str) -> bool:
    return slot.startswith(_TOOLS)


def tool_of(slot: str) -> int:
    return int(slot.split(".", 2)[1])


def _input(text: str) -> Any:
    """A tool call's input: its very text where that is a JSON object, which it has to be here."""
    if not text:
        return {}
    with suppress(orjson.JSONDecodeError):
        if isinstance(orjson.loads(text), dict):
            return orjson.Fragment(text)
    return {"arguments": text}
