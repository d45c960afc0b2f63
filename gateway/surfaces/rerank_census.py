"""Every field of a rerank request as Cohere and Jina publish it, and what becomes of each.

Text is looked at, values are typed and bounded, the rest is refused. Whoever adds a field here says
which; nothing may pass because nobody thought of it.
"""

from __future__ import annotations

from typing import Final

from gateway.core.model import Kind, Role
from gateway.surfaces.census import (
    MODEL,
    Either,
    Flag,
    Items,
    Object,
    Refused,
    Text,
    Token,
    Whole,
)

MOST_DOCUMENTS: Final = 2_048
_MAX_INT = 2**63 - 1
_TEXT: Final = Text(Kind.TEXT, Role.USER)
_DOCUMENT: Final = Object(
    {"text": _TEXT, "image": Refused("only text is looked at")}, required=("text",)
)

REQUEST: Final = Object(
    {
        "model": Token(MODEL),
        "query": _TEXT,
        "documents": Items(Either(_TEXT, _DOCUMENT), most=MOST_DOCUMENTS, least=1),
        "instruction": _TEXT,
        "max_chunks_per_doc": Whole(1, _MAX_INT),
        "max_tokens_per_doc": Whole(1, _MAX_INT),
        "priority": Whole(0, 999),
        "rank_fields": Refused("a document is one text here", (["text"],)),
        "return_documents": Flag(),
        "top_n": Whole(1, MOST_DOCUMENTS),
        "truncate": Flag(),
        "user": Text(Kind.METADATA, Role.USER),
    },
    required=("model", "query", "documents"),
)
"""The whole request body. Unknown top-level names are the model's `extra` to admit."""
