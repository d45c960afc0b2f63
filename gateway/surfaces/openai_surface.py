"""What the OpenAI dialects do alike: one way to parse, rewrite, ask an engine and say an error.

A dialect adds its census and its own words; nothing here knows a field by name but `stream`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gateway.core.errors import InvalidField, UnknownField, Unsupported, UpstreamFailed
from gateway.core.model import Call, Path
from gateway.core.ports import EventReader, StreamWriter
from gateway.surfaces import openai_error
from gateway.surfaces.census import Object
from gateway.surfaces.extra import admitted, set_aside
from gateway.surfaces.intake import Limits, load
from gateway.surfaces.rewriting import rewritten
from gateway.surfaces.walker import Walk


class OpenAISurface:
    """A dialect of OpenAI's, but for what is its own. `check` sees a body before it is walked."""

    asks_model: bool = True

    def __init__(self, name: str, census: Object, limits: Limits | None) -> None:
        self.name = name
        self.census = census
        self._limits = limits or Limits()

    def read(
        self, call_id: str, body: bytes, check: Callable[[Mapping[str, Any]], None] | None = None
    ) -> Call:
        """The call. Raise BadRequest naming the path; unknown top-level fields are set aside."""
        tree = load(body, self._limits)
        strange = set_aside(tree, self.census.fields)
        if check is not None:
            check(tree)
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
            model=tree.get("model") or "",
            body=tree,
            passages=walk.passages(),
            stream=stream,
            usage_wanted=not stream or options.get("include_usage") is True,
            media=walk.media,
            unknown=strange,
        )

    def admit_extra(self, call: Call, extra: Mapping[str, str], /) -> Call:
        """See `extra.admitted`."""
        return admitted(call, extra)

    def rewrite(self, call: Call, texts: Mapping[Path, str]) -> Call:
        """The call with the text at each Field's path replaced, in body and passages."""
        return rewritten(call, texts)

    def error(
        self,
        *,
        status: int,  # noqa: ARG002  the port's shape
        kind: str,
        code: str,
        message: str,
        path: str | None,
    ) -> bytes:
        return openai_error.body(kind=kind, code=code, message=message, path=path)


def engine_body(call: Call, model: str) -> dict[str, Any]:
    """What was looked at, under the engine's own name for the model; a stream asks for its usage.

    Raise UnknownField if nobody admitted the unknown.
    """
    if call.unknown:
        raise UnknownField
    body = {**call.body, "model": model}
    if call.stream:
        options: Mapping[str, Any] = call.body.get("stream_options") or {}
        body["stream_options"] = {**options, "include_usage": True}
    return body


class Unstreamed(OpenAISurface):
    """A dialect in which `stream` is no field, so that no call of it is a stream."""

    def writer(self, call: Call) -> StreamWriter:  # noqa: ARG002  the port's shape
        """There is none."""
        raise Unsupported(path="stream")

    def events(self) -> EventReader:
        """There are none."""
        raise UpstreamFailed("This dialect has no streams.")
