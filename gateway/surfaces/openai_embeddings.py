"""The embeddings dialect: as the Surface that clients speak to and the Codec for engines.

The texts are looked at before they are embedded; a vector is no text, and nobody looks at it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from gateway.core.errors import UnknownField, Unsupported, UpstreamFailed
from gateway.core.model import Call, Chunk, Finished, Opened, Part, Path, Usage, Vector
from gateway.core.ports import EventReader, StreamWriter
from gateway.surfaces import openai_error
from gateway.surfaces.extra import admitted, set_aside
from gateway.surfaces.intake import Limits, load
from gateway.surfaces.openai_answer import envelope, index, listed, unexpected, usage
from gateway.surfaces.openai_embeddings_census import REQUEST
from gateway.surfaces.openai_embeddings_vectors import as_base64, as_numbers, decoded
from gateway.surfaces.openai_texts import how_many, refuse_tokens
from gateway.surfaces.rewriting import rewritten
from gateway.surfaces.walker import Walk


class OpenAIEmbeddings:
    """`openai.embeddings`: a ModelSurface and a Codec in one. It has no streams."""

    name: str = "openai.embeddings"
    asks_model: bool = True
    path: str = "/embeddings"

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self.census: Final = REQUEST

    # -- what clients send and get

    def parse(self, call_id: str, body: bytes) -> Call:
        """The call. Raise BadRequest naming the path; unknown top-level fields are set aside."""
        tree = load(body, self._limits)
        strange = set_aside(tree, self.census.fields)
        refuse_tokens("input", tree.get("input"))
        walk = Walk()
        walk.visit(self.census, tree, ())
        return Call(
            id=call_id,
            surface=self.name,
            model=tree["model"],
            body=tree,
            passages=walk.passages(),
            unknown=strange,
        )

    def admit_extra(self, call: Call, extra: Mapping[str, str]) -> Call:
        """See `extra.admitted`."""
        return admitted(call, extra)

    def rewrite(self, call: Call, texts: Mapping[Path, str]) -> Call:
        """The call with the text at each Field's path replaced, in body and passages."""
        return rewritten(call, texts)

    def whole(self, call: Call, chunks: Sequence[Chunk]) -> bytes:
        """One `list` of embeddings, as the client asked for them to be written.

        Raise UpstreamFailed where the engine embedded more texts than it got, or fewer.
        """
        parts = [part for chunk in chunks for part in chunk.parts]
        vectors = sorted(
            (part for part in parts if isinstance(part, Vector)), key=lambda one: one.index
        )
        if [one.index for one in vectors] != [*range(how_many(call.body["input"]))]:
            raise UpstreamFailed("The model server did not give one vector for each input.")
        write = as_base64 if call.body.get("encoding_format") == "base64" else as_numbers
        body: dict[str, Any] = {
            "object": "list",
            "data": [
                {"object": "embedding", "index": one.index, "embedding": write(one.values)}
                for one in vectors
            ],
            "model": call.model,
        }
        for part in parts:
            if isinstance(part, Usage):
                body["usage"] = {"prompt_tokens": part.prompt, "total_tokens": part.prompt}
        return orjson.dumps(body)

    def writer(self, call: Call) -> StreamWriter:  # noqa: ARG002  the port's shape
        """There is none: `stream` is no field of this dialect, so no call of it is a stream."""
        raise Unsupported(path="stream")

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

    # -- what engines get and send

    def encode(self, call: Call, model: str) -> dict[str, Any]:
        """The engine's body: what was looked at, under the engine's own name for the model.

        Raise UnknownField if nobody admitted the unknown.
        """
        if call.unknown:
            raise UnknownField
        return {**call.body, "model": model}

    def decode_whole(self, body: Mapping[str, Any]) -> Chunk:
        """The vectors in order of index, each from 0 on once. Raise UpstreamFailed."""
        vectors = sorted(
            (
                Vector(index(item.get("index"), position), decoded(item.get("embedding")))
                for position, item in enumerate(listed(body, "data"))
            ),
            key=lambda one: one.index,
        )
        if [one.index for one in vectors] != [*range(len(vectors))]:
            raise unexpected("data.index")
        parts: list[Part] = [Opened(0), *vectors, Finished(0, "stop")]
        if counted := usage(body):
            parts.append(counted)
        return Chunk(tuple(parts), envelope(body))

    def events(self) -> EventReader:
        """There are none: see `writer`."""
        raise UpstreamFailed("This dialect has no streams.")
