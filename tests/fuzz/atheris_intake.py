"""Target: a request's bytes, through `intake.load`: an object of bounded shape, or BadRequest."""

from __future__ import annotations

import orjson

from gateway.core.errors import BadRequest
from gateway.surfaces.intake import Limits, load, measure

LIMITS = Limits(depth=8, keys=32)


def look(data: bytes) -> None:
    told, tree = "", None
    try:
        tree = load(data, LIMITS)
    except BadRequest as error:
        told = error.message
    assert told.isascii(), "an error repeats what the client sent"
    if tree is None:
        return
    names, depth = measure(tree, LIMITS)
    assert names <= LIMITS.keys
    assert depth <= LIMITS.depth
    assert load(orjson.dumps(tree), LIMITS) == tree


SEEDS = (
    b'{"a":[{"b":"\\u00e9\\ud83d\\ude00"},1.5e3,-0,true,null],"c":{"d":{}}}',
    b'{"a":1,"a":2}',
    b'{"a":"\\\\\\"b\\":","c\\"":":"}',
    b"[" * 9 + b"]" * 9,
)
