"""The rerank dialect of Cohere and Jina, which vLLM, Infinity and llama.cpp serve: Surface and Codec.

An answer says which document stands where. The engine's own copies of documents are never passed on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from gateway.core.errors import UnknownField, Unsupported, UpstreamFailed
from gateway.core.model import Call, Chunk, Finished, Opened, Part, Path, Rank, Usage
from gateway.core.ports import EventReader, StreamWriter
from gateway.surfaces import openai_error
from gateway.surfaces.extra import admitted, set_aside
from gateway.surfaces.intake import Limits, load
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
from gateway.surfaces.rerank_census import REQUEST
from gateway.surfaces.rewriting import rewritten
from gateway.surfaces.walker import Walk


class Rerank:
    """`rerank`: a ModelSurface and a Codec in one. It has no streams."""

    name: str = "rerank"
    asks_model: bool = True
    path: str = "/rerank"

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self.census: Final = REQUEST

    # -- what clients send and get

    def parse(self, call_id: str, body: bytes) -> Call:
        """The call. Raise BadRequest naming the path; unknown top-level fields are set aside."""
        tree = load(body, self._limits)
        strange = set_aside(tree, self.census.fields)
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
        """The ranks in the engine's order; with `return_documents`, the call's own rewritten ones.

        Raise UpstreamFailed for the rank of a document that nobody sent.
        """
        documents: list[Any] = call.body["documents"]
        results: list[dict[str, Any]] = []
        body: dict[str, Any] = {"id": f"rerank-{call.id}", "model": call.model, "results": results}
        for part in (part for chunk in chunks for part in chunk.parts):
            if isinstance(part, Rank):
                if part.index >= len(documents):
                    raise UpstreamFailed("The model server ranked a document that it did not get.")
                results.append({"index": part.index, "relevance_score": part.score})
                if call.body.get("return_documents") is True:
                    results[-1]["document"] = _as_object(documents[part.index])
            elif isinstance(part, Usage):
                body |= _counted(part)
        for chunk in reversed(chunks):
            body["id"] = chunk.envelope.get("id", body["id"])
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
        """The ranks in the order in which they came, each document once. Raise UpstreamFailed."""
        ranks = [
            Rank(index(item.get("index"), -1), finite(item.get("relevance_score"), _SCORE))
            for item in listed(body, "results")
        ]
        places = {one.index for one in ranks}
        if len(places) < len(ranks) or -1 in places:
            raise unexpected("results.index")
        parts: list[Part] = [Opened(0), *ranks, Finished(0, "stop")]
        if counted := usage(body) or _cohere_usage(body):
            parts.append(counted)
        return Chunk(tuple(parts), envelope(body))

    def events(self) -> EventReader:
        """There are none: see `writer`."""
        raise UpstreamFailed("This dialect has no streams.")


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
