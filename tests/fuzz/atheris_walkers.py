"""Target: a request's bytes, through each dialect's parser: a Call that can be rewritten, or BadRequest."""

from __future__ import annotations

import orjson

from gateway.core.errors import BadRequest
from gateway.core.model import Call
from gateway.core.ports import Surface
from tests.fuzz.seeds import bodies
from tests.fuzz.spoken import NAMES, SURFACES, codecs, marked


def look(data: bytes) -> None:
    """The first byte says which dialect."""
    if not data:
        return
    surface = SURFACES[NAMES[data[0] % len(NAMES)]]
    try:
        call = surface.admit_extra(surface.parse("call_1", data[1:]), {})
    except BadRequest:
        return
    rewrites(surface, call)


def rewrites(surface: Surface, call: Call) -> None:
    """Each Field is a place of its own that holds its text, and can be given another."""
    fields = {part.path: part for passage in call.passages for part in passage.fields}
    assert sum(len(passage.fields) for passage in call.passages) == len(fields)
    same = surface.rewrite(call, {path: part.text for path, part in fields.items()})
    assert same.body == call.body
    clean = surface.rewrite(call, marked(call))
    orjson.dumps(clean.body)
    for codec in codecs(surface.name):
        try:
            orjson.dumps(codec.encode(clean, "engine-model"))
        except BadRequest:
            continue


SEEDS = tuple(
    bytes([place]) + orjson.dumps(body) for place, name in enumerate(NAMES) for body in bodies(name)
)
