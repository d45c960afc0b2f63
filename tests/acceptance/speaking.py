"""A model server that says one text in every place where a model can speak, in each engine's dialect.

The model's name chooses the text: `m3` and `a3` say text number 3.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from tests.acceptance.listening import Answer

CUT = 7
"""Characters that each event of a stream has of a text."""


def speaking(texts: Sequence[str], heard: list[bytes]) -> Callable[[str, bytes], Answer]:
    """What it was asked goes into `heard`."""

    def answer(path: str, body: bytes) -> Answer:
        heard.append(body)
        asked = json.loads(body)
        text = texts[int(asked["model"][1:])]
        whole, events = _DIALECTS[path.removeprefix("/v1")](asked, text)
        if asked.get("stream"):
            return 200, "text/event-stream", b"".join(events)
        return 200, "application/json", json.dumps(whole).encode()

    return answer


def _pieces(text: str) -> list[str]:
    return [text[at : at + CUT] for at in range(0, len(text), CUT)]


def _said(text: str) -> str:
    return f"You may write to {text} about it today."


def _arguments(text: str) -> str:
    return json.dumps({"to": text, "n": 1})


def _event(data: Any, name: str | None = None) -> bytes:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data)}\n\n".encode()


USAGE = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}


def _chat(asked: Any, text: str) -> tuple[Any, list[bytes]]:
    call = {"id": "call_1", "type": "function"}
    message = {
        "role": "assistant",
        "content": _said(text),
        "reasoning_content": _said(text),
        "refusal": _said(text),
        "tool_calls": [{**call, "function": {"name": "send", "arguments": _arguments(text)}}],
    }
    head = {"id": "chatcmpl-1", "model": text, "system_fingerprint": text, "extra": text}
    range_n = range(asked.get("n") or 1)
    choices = [{"index": n, "message": message, "finish_reason": "tool_calls"} for n in range_n]
    whole = {**head, "object": "chat.completion", "choices": choices, "usage": USAGE}
    deltas: list[Any] = [{"role": "assistant", "content": ""}]
    for slot in ("reasoning_content", "content", "refusal"):
        deltas += [{slot: piece} for piece in _pieces(_said(text))]
    deltas.append(
        {"tool_calls": [{**call, "index": 0, "function": {"name": "send", "arguments": ""}}]}
    )
    deltas += [
        {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}
        for piece in _pieces(_arguments(text))
    ]
    events = [
        _event({**head, "choices": [{"index": n, "delta": delta, "finish_reason": None}]})
        for delta in deltas
        for n in range_n
    ]
    events += [
        _event({**head, "choices": [{"index": n, "delta": {}, "finish_reason": "tool_calls"}]})
        for n in range_n
    ]
    return whole, [*events, _event({**head, "choices": [], "usage": USAGE}), b"data: [DONE]\n\n"]


def _completions(asked: Any, text: str) -> tuple[Any, list[bytes]]:
    prompts = asked["prompt"] if isinstance(asked["prompt"], list) else [asked["prompt"]]
    numbers = range(len(prompts) * (asked.get("n") or 1))
    choices = [{"index": n, "text": _said(text), "finish_reason": "stop"} for n in numbers]
    whole = {"id": "cmpl-1", "model": text, "choices": choices, "usage": USAGE}
    events = [
        _event({"choices": [{"index": n, "text": piece, "finish_reason": None}]})
        for piece in _pieces(_said(text))
        for n in numbers
    ]
    events += [
        _event({"choices": [{"index": n, "text": "", "finish_reason": "stop"}]}) for n in numbers
    ]
    return whole, [*events, _event({"choices": [], "usage": USAGE}), b"data: [DONE]\n\n"]


def _messages(_: Any, text: str) -> tuple[Any, list[bytes]]:
    usage = {"input_tokens": 3, "output_tokens": 5}
    content: list[Any] = [
        {"type": "thinking", "thinking": _said(text), "signature": ""},
        {"type": "text", "text": _said(text)},
        {"type": "tool_use", "id": "call_1", "name": "send", "input": json.loads(_arguments(text))},
    ]
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": text, "note": text}
    whole = {**head, "content": content, "stop_reason": "tool_use", "usage": usage}
    events: list[tuple[str, Any]] = [
        ("message_start", {"message": {**head, "content": [], "usage": usage}})
    ]
    for index, block in enumerate(content):
        empty, deltas = _block(block, text)
        events.append(("content_block_start", {"index": index, "content_block": empty}))
        events += [("content_block_delta", {"index": index, "delta": delta}) for delta in deltas]
        events.append(("content_block_stop", {"index": index}))
    events += [
        ("message_delta", {"delta": {"stop_reason": "tool_use"}, "usage": usage}),
        ("message_stop", {}),
    ]
    return whole, [_event({"type": name, **data}, name) for name, data in events]


def _block(block: Any, text: str) -> tuple[Any, list[Any]]:
    match block["type"]:
        case "thinking":
            empty = {"type": "thinking", "thinking": "", "signature": ""}
            pieces = _pieces(_said(text))
            return empty, [{"type": "thinking_delta", "thinking": piece} for piece in pieces]
        case "text":
            pieces = _pieces(_said(text))
            return {"type": "text", "text": ""}, [
                {"type": "text_delta", "text": piece} for piece in pieces
            ]
        case _:
            pieces = _pieces(_arguments(text))
            return {**block, "input": {}}, [
                {"type": "input_json_delta", "partial_json": piece} for piece in pieces
            ]


def _embeddings(asked: Any, text: str) -> tuple[Any, list[bytes]]:
    inputs = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
    data = [{"index": n, "embedding": [0.5, -1.0], "note": text} for n in range(len(inputs))]
    return {"data": data, "model": text, "usage": {"prompt_tokens": 3, "total_tokens": 3}}, []


def _rerank(asked: Any, text: str) -> tuple[Any, list[bytes]]:
    results = [
        {"index": n, "relevance_score": 0.5, "document": {"text": text}}
        for n in range(len(asked["documents"]))
    ]
    return {"id": text, "model": text, "results": results, "usage": {"total_tokens": 3}}, []


def _count(_: Any, text: str) -> tuple[Any, list[bytes]]:
    return {"input_tokens": 3, "note": text}, []


_DIALECTS: dict[str, Callable[[Any, str], tuple[Any, list[bytes]]]] = {
    "/chat/completions": _chat,
    "/completions": _completions,
    "/messages": _messages,
    "/messages/count_tokens": _count,
    "/embeddings": _embeddings,
    "/rerank": _rerank,
}
