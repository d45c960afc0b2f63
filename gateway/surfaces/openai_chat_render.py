"""Writes Chunks as a chat completion or as its events. Adds no text and leaves none out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from gateway.core.model import Call, Chunk, Finished, Opened, Rank, Text, ToolOpened, Usage, Vector

_TOOLS = "tool_calls."


def whole(call: Call, chunks: Sequence[Chunk], now: int) -> bytes:
    """One `chat.completion`. `now` (Unix seconds) dates it when the engine did not."""
    choices: dict[int, _Choice] = {}
    usage: Usage | None = None
    envelope: dict[str, Any] = {}
    for chunk in chunks:
        envelope = {**chunk.envelope, **envelope}
        for part in chunk.parts:
            if isinstance(part, Usage):
                usage = part
            elif not isinstance(part, Vector | Rank):
                choices.setdefault(part.choice, _Choice()).take(part)
    body = _head(call, "chat.completion", envelope, now)
    body["choices"] = [choices[index].written(call, index) for index in sorted(choices)]
    if usage is not None:
        body["usage"] = _usage(usage)
    return orjson.dumps(body)


@dataclass(slots=True)
class _Choice:
    """A choice of a whole reply while it is put together. No Call or Chunk is altered."""

    texts: dict[str, list[str]] = field(default_factory=dict[str, "list[str]"])
    tools: dict[int, str] = field(default_factory=dict[int, str])
    reason: str = "stop"

    def take(self, part: Opened | ToolOpened | Text | Finished) -> None:
        match part:
            case Text():
                self.texts.setdefault(part.slot, []).append(part.text)
                if part.slot.startswith(_TOOLS):
                    self.tools.setdefault(_tool_index(part.slot), "")
            case ToolOpened():
                self.tools[part.index] = self.tools.get(part.index) or part.id
            case Finished():
                self.reason = part.reason
            case Opened():
                pass

    def written(self, call: Call, index: int) -> dict[str, Any]:
        texts = {slot: "".join(pieces) for slot, pieces in self.texts.items()}
        silent = None if self.tools or texts.get("refusal") else ""
        message: dict[str, Any] = {
            "role": "assistant",
            "content": texts.get("content") or silent,
            "refusal": texts.get("refusal"),
        }
        for slot, text in texts.items():
            if not slot.startswith(_TOOLS):
                message[slot] = text or message.get(slot)
        if self.tools:
            message["tool_calls"] = [
                {
                    "id": self.tools[tool] or _made_id(call, index, tool),
                    "type": "function",
                    "function": {
                        "name": texts.get(f"{_TOOLS}{tool}.name", ""),
                        "arguments": texts.get(f"{_TOOLS}{tool}.arguments", ""),
                    },
                }
                for tool in sorted(self.tools)
            ]
        return {
            "index": index,
            "message": message,
            "logprobs": None,
            "finish_reason": self.reason,
        }


def event(call: Call, chunk: Chunk, now: int) -> bytes:
    """The chunk as few events: one per choice for its texts, one per end, one for the usage."""
    head = _head(call, "chat.completion.chunk", chunk.envelope, now)
    deltas: dict[int, dict[str, Any]] = {}
    tail: list[dict[str, Any]] = []
    usage: Usage | None = None
    for part in chunk.parts:
        if isinstance(part, Usage):
            usage = part
        elif isinstance(part, Finished):
            tail.append(_choice(part.choice, {}, part.reason))
        elif not isinstance(part, Vector | Rank):
            delta = deltas.get(part.choice)
            if delta is None:
                delta = deltas[part.choice] = {}
            _add(call, delta, part)
    bodies = [_choice(index, _closed(delta), None) for index, delta in deltas.items()]
    return _events(call, head, [*bodies, *tail], usage)


def _add(call: Call, delta: dict[str, Any], part: Opened | ToolOpened | Text) -> None:
    """Put a part into the delta of its choice."""
    match part:
        case Text(text=""):
            pass  # here a field needs no opening
        case Text() if not part.slot.startswith(_TOOLS):
            delta[part.slot] = delta.get(part.slot, "") + part.text
        case Text():
            function = _tool(delta, _tool_index(part.slot))["function"]
            name = part.slot.rpartition(".")[2]
            function[name] = function.get(name, "") + part.text
        case ToolOpened():
            made = part.id or _made_id(call, part.choice, part.index)
            _tool(delta, part.index).update(id=made, type="function")
        case Opened():
            delta["role"] = part.role


def _tool(delta: dict[str, Any], index: int) -> dict[str, Any]:
    tools: dict[int, dict[str, Any]] = delta.setdefault("tool_calls", {})
    return tools.setdefault(index, {"index": index, "function": {}})


def _closed(delta: dict[str, Any]) -> dict[str, Any]:
    """The delta as clients expect it: an opening has content, a tool's opening has arguments."""
    tools = delta.get("tool_calls")
    if tools is not None:
        delta["tool_calls"] = list(tools.values())
        for tool in delta["tool_calls"]:
            if "id" in tool:
                tool["function"].setdefault("arguments", "")
    if "role" in delta and len(delta) == 1:
        delta["content"] = ""
    return delta


def _events(
    call: Call, head: dict[str, Any], choices: Iterable[dict[str, Any]], usage: Usage | None
) -> bytes:
    pieces: list[bytes] = []
    for choice in choices:
        head["choices"] = [choice]
        if call.usage_wanted:
            head["usage"] = None
        pieces += (b"data: ", orjson.dumps(head), b"\n\n")
    if usage is not None and call.usage_wanted:
        head["choices"] = []
        head["usage"] = _usage(usage)
        pieces += (b"data: ", orjson.dumps(head), b"\n\n")
    return b"".join(pieces)


def _choice(index: int, delta: dict[str, Any], reason: str | None) -> dict[str, Any]:
    return {"index": index, "delta": delta, "logprobs": None, "finish_reason": reason}


def _head(call: Call, kind: str, envelope: Mapping[str, Any], now: int) -> dict[str, Any]:
    """What every body begins with. The model is named as the client named it."""
    head: dict[str, Any] = {
        "id": envelope.get("id") or f"chatcmpl-{call.id}",
        "object": kind,
        "created": envelope.get("created", now),
        "model": call.model,
    }
    for name in ("service_tier", "system_fingerprint"):
        if name in envelope:
            head[name] = envelope[name]
    return head


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion,
        **usage.detail,
    }


def _tool_index(slot: str) -> int:
    return int(slot.split(".", 2)[1])


def _made_id(call: Call, choice: int, tool: int) -> str:
    """An id for a tool call whose engine gave none; clients need one to answer it."""
    return f"call_{call.id}_{choice}_{tool}"
