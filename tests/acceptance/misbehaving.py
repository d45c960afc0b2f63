"""A model server that says one reply in each engine's dialect, and badly: as its model's name asks.

`m-crlf` is the reply with CRLF line ends, in OpenAI's dialect; `a-crlf` is the same in Messages.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

Event = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """What is said: every place of it, and tools as (id, name, arguments)."""

    thought: str
    content: str
    tools: tuple[tuple[str, str, str], ...]


USAGE: Final = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
COUNTS: Final = {"input_tokens": 11, "output_tokens": 7}


def whole(path: str, reply: Reply, choices: int) -> Event:
    if path == "/v1/messages":
        return _message(reply)
    message = {
        "role": "assistant",
        "reasoning_content": reply.thought,
        "content": reply.content,
        "tool_calls": [
            {"id": key, "type": "function", "function": {"name": name, "arguments": text}}
            for key, name, text in reply.tools
        ],
    }
    said = {"message": message, "finish_reason": "tool_calls"}
    if path == "/v1/completions":
        said = {"text": reply.content, "finish_reason": "stop"}
    return {"choices": [{"index": at, **said} for at in range(choices)], "usage": USAGE}


def _message(reply: Reply) -> Event:
    tools = [
        {"type": "tool_use", "id": key, "name": name, "input": json.loads(text)}
        for key, name, text in reply.tools
    ]
    thought = {"type": "thinking", "thinking": reply.thought, "signature": ""}
    content = [thought, {"type": "text", "text": reply.content}, *tools]
    return {"type": "message", "content": content, "stop_reason": "tool_use", "usage": COUNTS}


# -- the same as a stream


def cut(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def deltas(reply: Reply, size: int) -> list[Event]:
    """A message's deltas; the arguments of its tools take turns."""
    told: list[Event] = [{"role": "assistant", "content": ""}]
    told += [{"reasoning_content": piece} for piece in cut(reply.thought, size)]
    told += [{"content": piece} for piece in cut(reply.content, size)]
    for index, (key, name, _) in enumerate(reply.tools):
        function = {"name": name, "arguments": ""}
        opened = {"index": index, "id": key, "type": "function", "function": function}
        told.append({"tool_calls": [opened]})
    turns = [cut(text, size) for *_, text in reply.tools]
    for at in range(max(map(len, turns))):
        told += [
            {"tool_calls": [{"index": index, "function": {"arguments": pieces[at]}}]}
            for index, pieces in enumerate(turns)
            if at < len(pieces)
        ]
    return told


def stream(path: str, reply: Reply, choices: int, size: int) -> list[Event]:
    if path == "/v1/messages":
        return [*_blocks(reply, size)]
    if path == "/v1/completions":
        said = [{"text": piece, "finish_reason": None} for piece in cut(reply.content, size)]
        said.append({"text": "", "finish_reason": "stop"})
    else:
        said = [{"delta": delta, "finish_reason": None} for delta in deltas(reply, size)]
        said.append({"delta": {}, "finish_reason": "tool_calls"})
    events = [{"choices": [{"index": at, **one}]} for one in said for at in range(choices)]
    return [*events, {"choices": [], "usage": USAGE}]


def _dumped(given: Event) -> str:
    return json.dumps(given, separators=(",", ":"), ensure_ascii=False)


def _blocks(reply: Reply, size: int) -> Iterator[Event]:
    message = {"role": "assistant", "content": [], "usage": {**COUNTS, "output_tokens": 0}}
    yield {"type": "message_start", "message": message}
    for index, block in enumerate(_message(reply)["content"]):
        sort = block["type"]
        name = "partial_json" if sort == "tool_use" else sort
        text = _dumped(block["input"]) if "input" in block else block[sort]
        empty = {**block, "input": {}} if "input" in block else {"type": sort, sort: ""}
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        kind = {"partial_json": "input_json_delta"}.get(name, f"{sort}_delta")
        for piece in cut(text, size):
            delta = {"type": kind, name: piece}
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    yield {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": COUNTS}
    yield {"type": "message_stop"}


# -- badly


def _each_delta(change: Callable[[Event], Event]) -> Callable[[list[Event]], list[Event]]:
    def changed(events: list[Event]) -> list[Event]:
        for event in events:
            for choice in event.get("choices", ()):
                if "delta" in choice:
                    choice["delta"] = change(choice["delta"])
        return events

    return changed


def _each_call(change: Callable[[Event], Event]) -> Callable[[list[Event]], list[Event]]:
    def changed(delta: Event) -> Event:
        if "tool_calls" in delta:
            return {**delta, "tool_calls": [change(call) for call in delta["tool_calls"]]}
        return delta

    return _each_delta(changed)


def _usage_in_each(events: list[Event]) -> list[Event]:
    return [{**event, "usage": USAGE} if "choices" in event else event for event in events]


def _reason_with_text(events: list[Event]) -> list[Event]:
    """The last event of each choice has its reason, and no event comes for it alone."""
    reasons = [event for event in events if _reason(event)]
    kept = [event for event in events if not _reason(event)]
    for ended in reasons:
        [choice] = ended["choices"]
        own = [one for event in kept for one in event["choices"] if one["index"] == choice["index"]]
        own[-1]["finish_reason"] = choice["finish_reason"]
    return kept


def _reason(event: Event) -> Any:
    return next((one["finish_reason"] for one in event.get("choices", ())), None)


def _unlooked_at(events: list[Event]) -> list[Event]:
    """Text in places that no dialect has, or that nobody asked for."""
    for event in events:
        event["note"] = "zebra"
        for choice in event.get("choices", ()):
            choice["logprobs"] = {"content": [{"token": "zebra", "logprob": -1.0}]}
            choice["stop_reason"] = choice["token_text"] = "zebra"
    return events


def _pings(events: list[Event]) -> list[Event]:
    ping: Event = {"type": "ping"} if "type" in events[0] else {"choices": []}
    return [one for event in events for one in (event, ping)][:-1]


def _again(call: Event) -> Event:
    """Id and name are told again with every piece."""
    key, name = [("c1", "send_mail"), ("c2", "read")][call["index"]]
    return {**call, "id": key, "function": {**call["function"], "name": name}}


def _as_they_are(events: list[Event]) -> list[Event]:
    return events


EVENTS: Final[dict[str, Callable[[list[Event]], list[Event]]]] = {
    "role": _each_delta(lambda delta: {"role": "assistant", **delta}),
    "norole": _each_delta(lambda delta: {k: v for k, v in delta.items() if k != "role"}),
    "nulls": _each_delta(lambda d: {"content": None, "tool_calls": None, "refusal": None, **d}),
    "usage": _usage_in_each,
    "reason": _reason_with_text,
    "extra": _unlooked_at,
    "pings": _pings,
    "again": _each_call(_again),
    "noid": _each_call(lambda call: {k: v for k, v in call.items() if k != "id"}),
}
"""What a word in the model's name does to the events of a stream."""
SIZES: Final = {"characters": 1, "words": 7, "once": 1_000_000}
"""Characters of a text that each event has."""


def written(events: Sequence[Event], model: str) -> list[bytes]:
    """The events as they are sent, each item in a write of its own."""
    end = b"\r\n" if "crlf" in model else b"\n"
    head = b": zebra" + 2 * end if "comments" in model else b""
    sent: list[bytes] = []
    for event in events:
        name = b"event: " + event["type"].encode() + end if "type" in event else b""
        data = json.dumps(event, ensure_ascii="ascii" in model).encode()
        sent.append(head + name + b"data: " + data + 2 * end)
    if "type" not in events[0]:
        sent.append(b"data: [DONE]" + 2 * end)
    if "bytes" in model:
        joined = b"".join(sent)
        return [joined[at : at + 5] for at in range(0, len(joined), 5)]
    return [b"".join(sent)] if "together" in model else sent


@contextmanager
def misbehaving(reply: Reply) -> Iterator[str]:
    """A server on loopback; yields its base URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            model, choices = asked["model"], asked.get("n") or 1
            self.send_response(200)
            if not asked.get("stream"):
                self._send(
                    "application/json", [json.dumps(whole(self.path, reply, choices)).encode()]
                )
                return
            size = next((many for name, many in SIZES.items() if name in model), 3)
            events = stream(self.path, reply, choices, size)
            for name, change in EVENTS.items():
                events = change(events) if f"-{name}" in model else events
            self._send("text/event-stream", written(events, model))

        def _send(self, kind: str, pieces: Sequence[bytes]) -> None:
            self.send_header("content-type", kind)
            self.end_headers()
            for piece in pieces:
                self.wfile.write(piece)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        server.server_close()
