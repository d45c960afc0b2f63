"""The chat completions dialect: as the Surface that clients speak to and the Codec for engines.

Knows the JSON; decides nothing about what it says.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import orjson

from gateway.core.errors import InvalidField, UnknownField
from gateway.core.model import Call, Chunk, Kind, Path, Role
from gateway.surfaces import census, openai_chat_decode, openai_chat_render
from gateway.surfaces.intake import Limits, load, shown
from gateway.surfaces.openai_chat_census import request
from gateway.surfaces.rewriting import rewritten
from gateway.surfaces.walker import Walk, unknown

_EXTRA_LIMIT: Final = 2**63 - 1


class OpenAIChat:
    """`openai.chat`: core.ports.Surface and core.ports.Codec in one. `now` is in Unix seconds."""

    name: str = "openai.chat"
    path: str = "/chat/completions"

    def __init__(self, limits: Limits | None = None, now: Callable[[], float] = time.time) -> None:
        self._limits = limits or Limits()
        self._now = now
        self.census: Final = request(self._limits)

    def parse(self, call_id: str, body: bytes) -> Call:
        """The call. Raise BadRequest naming the path; unknown top-level fields are set aside."""
        tree = load(body, self._limits)
        strange = {name: tree[name] for name in tree if name not in self.census.fields}
        for name in strange:
            del tree[name]
        walk = Walk()
        walk.visit(self.census, tree, ())
        stream = tree.get("stream") is True
        options: dict[str, Any] = tree.get("stream_options") or {}
        if options and not stream:
            raise InvalidField(
                "`stream_options` goes with `stream: true` alone.", path="stream_options"
            )
        return Call(
            id=call_id,
            surface=self.name,
            model=tree["model"],
            body=tree,
            passages=walk.passages(),
            stream=stream,
            usage_wanted=not stream or options.get("include_usage") is True,
            choices=tree.get("n") or 1,
            unknown=strange,
        )

    def admit_extra(self, call: Call, extra: Mapping[str, str]) -> Call:
        """The call with its unknown fields back in the body, checked against `extra`.

        Types are integer, number, boolean and text; text may be a string, an object or a list,
        and is guarded. Raise UnknownField for what is not declared.
        """
        if not call.unknown:
            return call
        walk = Walk()
        for name, value in call.unknown.items():
            if name not in extra:
                raise unknown((shown(name),))
            if value is not None:
                walk.visit(_extra_node(extra[name], value), value, (name,))
        return replace(
            call,
            body={**call.body, **call.unknown},
            passages=(*call.passages, *walk.passages()),
            unknown={},
        )

    def rewrite(self, call: Call, texts: Mapping[Path, str]) -> Call:
        """The call with the text at each Field's path replaced, in body and passages."""
        return rewritten(call, texts)

    def encode(self, call: Call, model: str) -> dict[str, Any]:
        """The engine's body: what was looked at, under the engine's own name for the model.

        A stream always asks for its usage. Raise UnknownField if nobody admitted the unknown.
        """
        if call.unknown:
            raise UnknownField
        body = {**call.body, "model": model}
        if call.stream:
            options: Mapping[str, Any] = call.body.get("stream_options") or {}
            body["stream_options"] = {**options, "include_usage": True}
        return body

    def decode_whole(self, body: Mapping[str, Any]) -> Chunk:
        return openai_chat_decode.whole(body)

    def decode_event(self, event: Mapping[str, Any]) -> Chunk:
        return openai_chat_decode.event(event)

    def whole(self, call: Call, chunks: Sequence[Chunk]) -> bytes:
        return openai_chat_render.whole(call, chunks, int(self._now()))

    def event(self, call: Call, chunk: Chunk) -> bytes:
        return openai_chat_render.event(call, chunk, int(self._now()))

    def done(self, call: Call, comment: str) -> bytes:  # noqa: ARG002  the port's shape
        """The comment on one line, then the terminator."""
        line = " ".join(comment.split())
        return f": {line}\n\ndata: [DONE]\n\n".encode()

    def error(
        self,
        *,
        status: int,  # noqa: ARG002  the port's shape
        kind: str,
        code: str,
        message: str,
        path: str | None,
    ) -> bytes:
        return orjson.dumps(_error(kind, code, message, path))

    def error_event(self, *, kind: str, code: str, message: str) -> bytes:
        """An error inside a stream. No terminator follows it."""
        return b"data: " + orjson.dumps(_error(kind, code, message, None)) + b"\n\n"


def _error(kind: str, code: str, message: str, path: str | None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": path, "code": code}}


def _extra_node(declared: str, value: Any) -> census.Node:
    """What an engine's own field of a declared type may be. Raise ValueError for no such type."""
    match declared:
        case "integer":
            return census.Whole(-_EXTRA_LIMIT, _EXTRA_LIMIT)
        case "number":
            return census.Number(float("-inf"), float("inf"))
        case "boolean":
            return census.Flag()
        case "text" if isinstance(value, dict | list):
            return census.Free(Kind.TEXT, Role.USER, mapping=False)
        case "text":
            return census.Text(Kind.TEXT, Role.USER)
        case _:
            raise ValueError(f"`extra` knows integer, number, boolean and text, not {declared}")
