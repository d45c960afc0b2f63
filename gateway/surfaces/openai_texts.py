"""A field that takes one text or several, and that OpenAI's API lets be tokens too.

Tokens are text that nobody can look at, so they are refused, however they are nested.
"""

from __future__ import annotations

from typing import Any, Final, cast

from gateway.core.model import Kind, Role
from gateway.surfaces.census import Either, Items, Refused, Text
from gateway.surfaces.walker import Walk

_TEXT: Final = Text(Kind.TEXT, Role.USER)
_TOKENS: Final = Refused("tokens are text that nobody can look at; send strings")
_MOST_TOKENS: Final = 2**20


def one_or_more(most: int) -> Either:
    """A string or a list of at most `most` strings, each of them the user's text."""
    tokens = Items(_TOKENS, most=_MOST_TOKENS, least=1)
    return Either(_TEXT, Items(Either(_TEXT, tokens), most=most, least=1))


def refuse_tokens(name: str, value: Any) -> None:
    """Raise Unsupported where the field `name` is one list of tokens, which no census can say."""
    if type(value) is list and any(type(item) is int for item in cast("list[Any]", value)):
        Walk().visit(_TOKENS, value, (name,))


def how_many(value: Any) -> int:
    """How many texts a field holds that has been walked."""
    return len(cast("list[Any]", value)) if type(value) is list else 1
