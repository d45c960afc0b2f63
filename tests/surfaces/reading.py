"""What a client reads of an answer, whole or as a stream, by choice and field: one name in every dialect.

Fields are `content`, `reasoning`, `refusal`, `name 0` and `arguments 0`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

Read = dict[tuple[int, str], str]


def events(stream: bytes) -> list[Any]:
    """The data of every event but the terminator."""
    lines = stream.decode().split("\n")
    return [json.loads(line[6:]) for line in lines if line.startswith("data: {")]


def read(surface: str, answer: bytes, *, stream: bool) -> Read:
    """Texts by choice and field; empty ones are left out."""
    whole, streamed = _DIALECTS[surface]
    pieces = streamed(events(answer)) if stream else whole(json.loads(answer))
    told: Read = {}
    for choice, name, text in pieces:
        told[choice, name] = told.get((choice, name), "") + (text or "")
    return {key: text for key, text in told.items() if text}


Pieces = Iterator[tuple[int, str, Any]]


def _message(choice: int, message: Any) -> Pieces:
    yield choice, "content", message.get("content")
    yield choice, "refusal", message.get("refusal")
    for name in ("reasoning_content", "reasoning"):
        yield choice, "reasoning", message.get(name)
    for at, call in enumerate(message.get("tool_calls") or ()):
        index = call.get("index", at)
        yield choice, f"name {index}", call["function"].get("name")
        yield choice, f"arguments {index}", call["function"].get("arguments")


def _chat(body: Any) -> Pieces:
    for choice in body["choices"]:
        yield from _message(choice["index"], choice["message"])


def _chat_stream(all_events: list[Any]) -> Pieces:
    for event in all_events:
        for choice in event["choices"]:
            yield from _message(choice["index"], choice["delta"])


def _completions(body: Any) -> Pieces:
    for choice in body["choices"]:
        yield choice["index"], "content", choice["text"]


def _completions_stream(all_events: list[Any]) -> Pieces:
    for event in all_events:
        yield from _completions(event)


def _messages(body: Any) -> Pieces:
    calls = 0
    for block in body["content"]:
        match block["type"]:
            case "text":
                yield 0, "content", block["text"]
            case "thinking":
                yield 0, "reasoning", block["thinking"]
            case _:
                yield 0, f"name {calls}", block["name"]
                yield 0, f"arguments {calls}", json.dumps(block["input"])
                calls += 1


def _messages_stream(all_events: list[Any]) -> Pieces:
    """As the official client gathers it: each delta goes to the block of its index."""
    blocks: dict[int, Any] = {}
    for event in all_events:
        if event["type"] == "content_block_start":
            assert event["index"] == len(blocks)
            blocks[event["index"]] = {**event["content_block"], "json": ""}
        elif event["type"] == "content_block_delta":
            delta, block = event["delta"], blocks[event["index"]]
            for name, into in (
                ("text", "text"),
                ("thinking", "thinking"),
                ("partial_json", "json"),
            ):
                block[into] = block.get(into, "") + delta.get(name, "")
    for block in blocks.values():
        if block["type"] == "tool_use":
            block["input"] = _parsed(block["json"])
    yield from _messages({"content": list(blocks.values())})


def _parsed(text: str) -> Any:
    """A tool's input; text that is no object is given under the name of what it was."""
    try:
        value = json.loads(text or "{}")
    except json.JSONDecodeError:
        return {"arguments": text}
    return value if isinstance(value, dict) else {"arguments": text}


def _responses(body: Any) -> Pieces:
    calls = 0
    for item in body["output"]:
        match item["type"]:
            case "message":
                for part in item["content"]:
                    refusal = part["type"] == "refusal"
                    yield (
                        0,
                        "refusal" if refusal else "content",
                        part["refusal" if refusal else "text"],
                    )
            case "reasoning":
                for part in item["content"]:
                    yield 0, "reasoning", part["text"]
            case _:
                yield 0, f"name {calls}", item["name"]
                yield 0, f"arguments {calls}", item["arguments"]
                calls += 1


_DELTAS = {
    "response.output_text.delta": "content",
    "response.refusal.delta": "refusal",
    "response.reasoning_text.delta": "reasoning",
}


def _responses_stream(all_events: list[Any]) -> Pieces:
    """Deltas alone; what the last event repeats as a whole must be the same and is checked here."""
    names: dict[int, int] = {}
    pieces: list[tuple[int, str, Any]] = []
    for event in all_events:
        kind = event["type"]
        if kind in _DELTAS:
            pieces.append((0, _DELTAS[kind], event["delta"]))
        elif kind == "response.output_item.added" and event["item"]["type"] == "function_call":
            names[event["output_index"]] = len(names)
            pieces.append((0, f"name {names[event['output_index']]}", event["item"]["name"]))
        elif kind == "response.function_call_arguments.delta":
            pieces.append((0, f"arguments {names[event['output_index']]}", event["delta"]))
    last = all_events[-1]
    assert last["type"] in {"response.completed", "response.incomplete"}
    assert _gathered(_responses(last["response"])) == _gathered(iter(pieces))
    yield from pieces


def _gathered(pieces: Pieces) -> Read:
    told: Read = {}
    for choice, name, text in pieces:
        told[choice, name] = told.get((choice, name), "") + (text or "")
    return {key: text for key, text in told.items() if text}


_DIALECTS: dict[str, tuple[Callable[[Any], Pieces], Callable[[list[Any]], Pieces]]] = {
    "openai.chat": (_chat, _chat_stream),
    "openai.completions": (_completions, _completions_stream),
    "openai.responses": (_responses, _responses_stream),
    "anthropic.messages": (_messages, _messages_stream),
}
STREAMING = tuple(_DIALECTS)
