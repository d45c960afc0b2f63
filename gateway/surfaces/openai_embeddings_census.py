"""Every field of an embeddings request (openai 2.54.0), and what becomes of each.

Text is looked at, values are typed and bounded. Whoever adds a field here says which; nothing may
pass because nobody thought of it.
"""

from __future__ import annotations

from typing import Final

from gateway.core.model import Kind, Role
from gateway.surfaces.census import MODEL, Object, Text, Token, Whole, Word
from gateway.surfaces.openai_texts import one_or_more

MOST_INPUTS: Final = 2_048
"""As many texts as OpenAI's API takes at once."""
MOST_DIMENSIONS: Final = 65_536
"""Numbers that one vector may have."""

REQUEST: Final = Object(
    {
        "input": one_or_more(MOST_INPUTS),
        "model": Token(MODEL),
        "dimensions": Whole(1, MOST_DIMENSIONS),
        "encoding_format": Word(("float", "base64")),
        "user": Text(Kind.METADATA, Role.USER),
    },
    required=("input", "model"),
)
"""The whole request body. Unknown top-level names are the model's `extra` to admit."""
