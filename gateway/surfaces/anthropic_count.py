"""The counting of a prompt's tokens: as the Surface that clients speak to and the Codec for engines.

An engine of another dialect counts by answering with one token, of which nothing is passed on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NoReturn

import orjson

from gateway.core.conversation import Conversation, Option
from gateway.core.errors import UnknownField, UpstreamFailed
from gateway.core.model import Call, Chunk, Path, Usage
from gateway.surfaces import anthropic_decode, anthropic_error, anthropic_said
from gateway.surfaces.anthropic_census import count_request
from gateway.surfaces.anthropic_messages import parsed
from gateway.surfaces.extra import admitted
from gateway.surfaces.intake import Limits
from gateway.surfaces.rewriting import rewritten

_ONE_TOKEN: Final = Option("max_tokens", 1, "max_tokens")


class AnthropicCountTokens:
    """`anthropic.count_tokens`: a ModelSurface and a Codec in one. It never streams."""

    name: str = "anthropic.count_tokens"
    asks_model: bool = True
    path: str = "/messages/count_tokens"

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self.census: Final = count_request(self._limits)

    # -- what clients send and get

    def parse(self, call_id: str, body: bytes) -> Call:
        """The call. Raise BadRequest naming the path; unknown top-level fields are set aside."""
        return parsed(self.name, self.census, self._limits, call_id, body)

    def admit_extra(self, call: Call, extra: Mapping[str, str]) -> Call:
        """See `extra.admitted`."""
        return admitted(call, extra)

    def rewrite(self, call: Call, texts: Mapping[Path, str]) -> Call:
        """The call with the text at each Field's path replaced, in body and passages."""
        return rewritten(call, texts)

    def whole(self, call: Call, chunks: Sequence[Chunk]) -> bytes:  # noqa: ARG002  the port's shape
        """The count. Raise UpstreamFailed where the engine gave none: a guess would be believed."""
        counts = [part for chunk in chunks for part in chunk.parts if isinstance(part, Usage)]
        if not counts:
            raise UpstreamFailed("The model server did not count the prompt.")
        return orjson.dumps({"input_tokens": counts[-1].prompt})

    def writer(self, call: Call) -> NoReturn:
        raise AssertionError(f"{call.surface} has no stream")

    def error(self, *, status: int, kind: str, code: str, message: str, path: str | None) -> bytes:
        return anthropic_error.body(status=status, kind=kind, code=code, message=message, path=path)

    # -- what engines get and send

    def encode(self, call: Call, model: str) -> dict[str, Any]:
        """The engine's body. Raise UnknownField if nobody admitted the unknown."""
        if call.unknown:
            raise UnknownField
        return {**call.body, "model": model}

    def decode_whole(self, body: Mapping[str, Any], call: Call) -> Chunk:  # noqa: ARG002  the port's shape
        return anthropic_decode.counted(body)

    def events(self) -> NoReturn:
        raise AssertionError(f"{self.name} has no stream")

    # -- the bridge to other dialects

    def conversation(self, call: Call) -> Conversation:
        """What makes the prompt, to be answered with one token. Raise Unsupported as Messages do."""
        said = anthropic_said.conversation(call.body)
        return replace(said, options=(*said.options, _ONE_TOKEN))
