"""Every field of a (legacy) completions request (openai 2.54.0), and what becomes of each.

Text is looked at, values are typed and bounded, the rest is refused. Whoever adds a field here says
which; nothing may pass because nobody thought of it.
"""

from __future__ import annotations

import re

from gateway.core.model import Kind, Role
from gateway.surfaces.census import (
    MODEL,
    Either,
    Flag,
    Items,
    Keyed,
    Number,
    Object,
    Refused,
    Text,
    Token,
    Whole,
)
from gateway.surfaces.intake import Limits
from gateway.surfaces.openai_texts import one_or_more

_MAX_INT = 2**63 - 1
_STOP = Text(Kind.TEXT, Role.USER)


def request(limits: Limits) -> Object:
    """The whole request body. Unknown top-level names are the model's `extra` to admit."""
    return Object(
        {
            "model": Token(MODEL),
            "prompt": one_or_more(limits.parts),
            "best_of": Whole(1, limits.choices),
            "echo": Refused("an engine would give back the prompt as its own words", (False,)),
            "frequency_penalty": Number(-2, 2),
            "logit_bias": Keyed(re.compile(r"[0-9]{1,9}"), Number(-100, 100)),
            "logprobs": Refused("alternative tokens repeat text that was redacted"),
            "max_tokens": Whole(0, _MAX_INT),
            "n": Whole(1, limits.choices),
            "presence_penalty": Number(-2, 2),
            "seed": Whole(-_MAX_INT - 1, _MAX_INT),
            "stop": Either(_STOP, Items(_STOP, most=limits.stops)),
            "stream": Flag(),
            "stream_options": _STREAM_OPTIONS,
            "suffix": Text(Kind.TEXT, Role.USER),
            "temperature": Number(0, 2),
            "top_p": Number(0, 1),
            "user": Text(Kind.METADATA, Role.USER),
        },
        required=("model", "prompt"),
    )


_STREAM_OPTIONS = Object(
    {
        "include_usage": Flag(),
        "include_obfuscation": Refused("events are written anew, without padding", (False,)),
    }
)
