"""Writes Chunks as a text completion or as its events. Adds no text and leaves none out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from gateway.core.model import Call, Chunk, Finished, Opened, Text, Usage


def whole(call: Call, chunks: Sequence[Chunk], now: int) -> bytes:
    """One `text_completion`. `now` (Unix seconds) dates it when the engine did not."""
    texts: dict[int, list[str]] = {}
    reasons: dict[int, str] = {}
    usage: Usage | None = None
    envelope: dict[str, Any] = {}
    for chunk in chunks:
        envelope = {**chunk.envelope, **envelope}
        for part in chunk.parts:
            match part:
                case Text():
                    texts.setdefault(part.choice, []).append(part.text)
                case Opened():
                    texts.setdefault(part.choice, [])
                case Finished():
                    texts.setdefault(part.choice, [])
                    reasons[part.choice] = part.reason
                case Usage():
                    usage = part
                case _:
                    pass
    body = _head(call, envelope, now)
    body["choices"] = [
        _choice(index, "".join(texts[index]), reasons.get(index, "stop")) for index in sorted(texts)
    ]
    if usage is not None:
        body["usage"] = _usage(usage)
    return orjson.dumps(body)


def event(call: Call, chunk: Chunk, now: int) -> bytes:
    """The chunk as few events: one per choice for its text, one per end, one for the usage."""
    texts: dict[int, str] = {}
    tail: list[dict[str, Any]] = []
    usage: Usage | None = None
    for part in chunk.parts:
        match part:
            case Text():
                texts[part.choice] = texts.get(part.choice, "") + part.text
            case Finished():
                tail.append(_choice(part.choice, "", part.reason))
            case Usage():
                usage = part
            case _:
                pass
    head = _head(call, chunk.envelope, now)
    if call.usage_wanted:
        head["usage"] = None
    bodies = [_choice(index, text, None) for index, text in texts.items()]
    pieces = [_event({**head, "choices": [choice]}) for choice in (*bodies, *tail)]
    if usage is not None and call.usage_wanted:
        pieces.append(_event({**head, "choices": [], "usage": _usage(usage)}))
    return b"".join(pieces)


def _event(body: Mapping[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(body) + b"\n\n"


def _choice(index: int, text: str, reason: str | None) -> dict[str, Any]:
    return {"index": index, "text": text, "logprobs": None, "finish_reason": reason}


def _head(call: Call, envelope: Mapping[str, Any], now: int) -> dict[str, Any]:
    """What every body begins with. The model is named as the client named it."""
    head: dict[str, Any] = {
        "id": envelope.get("id") or f"cmpl-{call.id}",
        "object": "text_completion",
        "created": envelope.get("created", now),
        "model": call.model,
    }
    if "system_fingerprint" in envelope:
        head["system_fingerprint"] = envelope["system_fingerprint"]
    return head


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion,
        **usage.detail,
    }
