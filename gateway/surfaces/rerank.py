"""The rerank dialect of Cohere and Jina, which vLLM, Infinity and llama.cpp serve: Surface and Codec.

An answer says which document stands where. The engine's own copies of documents are never passed on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from gateway.core.errors import UpstreamFailed
from gateway.core.model import Call, Chunk, Finished, Opened, Part, Rank, Usage
from gateway.surfaces.intake import Limits
from gateway.surfaces.openai_answer import (
    count,
    envelope,
    finite,
    index,
    listed,
    mapping,
    unexpected,
    usage,
)
from gateway.surfaces.openai_surface import Unstreamed, engine_body
from gateway.surfaces.rerank_census import REQUEST


class Rerank(Unstreamed):
    """`rerank`: a ModelSurface and a Codec in one."""

    path: str = "/rerank"

    def __init__(self, limits: Limits | None = None) -> None:
        super().__init__("rerank", REQUEST, limits)

    # -- what clients send and get

    def parse(self, call_id: str, body: bytes) -> Call:
        """The call. Raise BadRequest naming the path; unknown top-level fields are set aside."""
        return self.read(call_id, body)

    def whole(self, call: Call, chunks: Sequence[Chunk]) -> bytes:
        """The ranks in the engine's order; with `return_documents`, the call's own rewritten ones."""
        documents: list[Any] = call.body["documents"]
        results: list[dict[str, Any]] = []
        body: dict[str, Any] = {"id": f"rerank-{call.id}", "model": call.model, "results": results}
        for part in (part for chunk in chunks for part in chunk.parts):
            if isinstance(part, Rank):
                results.append({"index": part.index, "relevance_score": part.score})
                if call.body.get("return_documents") is True:
                    results[-1]["document"] = _as_object(documents[part.index])
            elif isinstance(part, Usage):
                body |= _counted(part)
        for chunk in reversed(chunks):
            body["id"] = chunk.envelope.get("id", body["id"])
        return orjson.dumps(body)

    # -- what engines get and send

    def encode(self, call: Call, model: str) -> dict[str, Any]:
        """See `engine_body`."""
        return engine_body(call, model)

    def decode_whole(self, body: Mapping[str, Any], call: Call) -> Chunk:
        """The ranks in the order in which they came, each document once. Raise UpstreamFailed."""
        ranks = [
            Rank(index(item.get("index"), -1), finite(item.get("relevance_score"), _SCORE))
            for item in listed(body, "results")
        ]
        places = {one.index for one in ranks}
        if len(places) < len(ranks) or -1 in places:
            raise unexpected("results.index")
        if max(places, default=0) >= len(call.body["documents"]):
            raise UpstreamFailed("The model server ranked a document that it did not get.")
        parts: list[Part] = [Opened(0), *ranks, Finished(0, "stop")]
        if counted := usage(body) or _cohere_usage(body):
            parts.append(counted)
        return Chunk(tuple(parts), envelope(body))


_SCORE: Final = "results.relevance_score"


def _as_object(document: Any) -> dict[str, Any]:
    return {"text": document} if isinstance(document, str) else {"text": document["text"]}


def _counted(usage: Usage) -> dict[str, Any]:
    """What was counted, as clients of Jina's dialect read it and as those of Cohere's do."""
    total = usage.prompt + usage.completion
    tokens = {"input_tokens": usage.prompt, "output_tokens": usage.completion}
    return {
        "usage": {"prompt_tokens": usage.prompt, "total_tokens": total},
        "meta": {"tokens": tokens},
    }


def _cohere_usage(body: Mapping[str, Any]) -> Usage | None:
    tokens = mapping(body.get("meta") or {}, "meta").get("tokens")
    if tokens is None:
        return None
    counts = mapping(tokens, "meta.tokens")
    read, written = (
        count(counts.get(name), f"meta.tokens.{name}") for name in ("input_tokens", "output_tokens")
    )
    return Usage(read, written)
