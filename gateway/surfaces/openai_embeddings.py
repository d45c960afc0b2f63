"""The embeddings dialect: as the Surface that clients speak to and the Codec for engines.

The texts are looked at before they are embedded; a vector is no text, and nobody looks at it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from gateway.core.errors import UpstreamFailed
from gateway.core.model import Call, Chunk, Finished, Opened, Part, Usage, Vector
from gateway.surfaces.intake import Limits
from gateway.surfaces.openai_answer import envelope, index, listed, usage
from gateway.surfaces.openai_embeddings_census import REQUEST
from gateway.surfaces.openai_embeddings_vectors import as_base64, as_numbers, decoded
from gateway.surfaces.openai_surface import Unstreamed, engine_body
from gateway.surfaces.openai_texts import how_many, refuse_tokens


class OpenAIEmbeddings(Unstreamed):
    """`openai.embeddings`: a ModelSurface and a Codec in one."""

    path: str = "/embeddings"

    def __init__(self, limits: Limits | None = None) -> None:
        super().__init__("openai.embeddings", REQUEST, limits)

    # -- what clients send and get

    def parse(self, call_id: str, body: bytes) -> Call:
        """The call. Raise BadRequest naming the path; unknown top-level fields are set aside."""
        return self.read(call_id, body, lambda tree: refuse_tokens("input", tree.get("input")))

    def whole(self, call: Call, chunks: Sequence[Chunk]) -> bytes:
        """One `list` of embeddings, as the client asked for them to be written."""
        parts = [part for chunk in chunks for part in chunk.parts]
        vectors = sorted(
            (part for part in parts if isinstance(part, Vector)), key=lambda one: one.index
        )
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

    # -- what engines get and send

    def encode(self, call: Call, model: str) -> dict[str, Any]:
        """See `engine_body`."""
        return engine_body(call, model)

    def decode_whole(self, body: Mapping[str, Any], call: Call) -> Chunk:
        """The vectors in order of index, one for each input. Raise UpstreamFailed."""
        vectors = sorted(
            (
                Vector(index(item.get("index"), position), decoded(item.get("embedding")))
                for position, item in enumerate(listed(body, "data"))
            ),
            key=lambda one: one.index,
        )
        if [one.index for one in vectors] != [*range(how_many(call.body["input"]))]:
            raise UpstreamFailed("The model server did not give one vector for each input.")
        parts: list[Part] = [Opened(0), *vectors, Finished(0, "stop")]
        if counted := usage(body):
            parts.append(counted)
        return Chunk(tuple(parts), envelope(body))
