"""The moderations dialect of OpenAI (openai 2.54.0), answered by the policy's own detectors.

No model is called. It parses and renders; what is flagged, the policy says.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gateway.core.errors import InvalidField
from gateway.core.model import Call, Kind, Passage, Stage
from gateway.core.policy import Judgement
from gateway.surfaces import openai_moderations_answer
from gateway.surfaces.census import (
    MODEL,
    Either,
    Items,
    Object,
    Refused,
    Tagged,
    Text,
    Token,
    Word,
)
from gateway.surfaces.intake import Limits
from gateway.surfaces.openai_surface import OpenAISurface

_WORDS = Text(Kind.TEXT)
_PART = Tagged(
    "type",
    {
        "text": Object({"type": Word(("text",)), "text": _WORDS}, required=("type", "text")),
        "image_url": Refused("no detector here looks at pictures"),
    },
)


def request(limits: Limits) -> Object:
    """The whole request body: one string, several strings, or the parts of one text."""
    several = Items(Either(_WORDS, _PART), most=limits.messages, least=1)
    return Object(
        {"input": Either(_WORDS, several), "model": Token(MODEL)},
        required=("input",),
    )


class OpenAIModerations(OpenAISurface):
    """`openai.moderations`, a JudgingSurface. `model` only says which policy holds."""

    asks_model: bool = False

    def __init__(self, limits: Limits | None = None) -> None:
        super().__init__("openai.moderations", request(limits or Limits()), limits)

    def parse(self, call_id: str, body: bytes) -> Call:
        """The call. Raise BadRequest naming the path; unknown top-level fields are set aside."""
        call = self.read(call_id, body)
        if not _in_parts(call.body["input"]):
            return call
        fields = tuple(part for passage in call.passages for part in passage.fields)
        return replace(call, passages=(Passage(Stage.INPUT, fields),) if fields else ())

    def judged(self, call: Call, judgement: Judgement) -> bytes:
        return openai_moderations_answer.body(call, judgement)


def _in_parts(asked: Any) -> bool:
    """Whether these are the parts of one text. Raise InvalidField where strings stand among them."""
    if isinstance(asked, str):
        return False
    first = asked[0]
    for index, item in enumerate(asked):
        if type(item) is not type(first):
            raise InvalidField(
                "`input` is a list of strings or a list of parts, not of both.",
                path=f"input.{index}",
            )
    return isinstance(first, dict)
