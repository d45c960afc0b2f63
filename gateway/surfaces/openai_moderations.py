"""The moderations dialect of OpenAI (openai 2.54.0), answered by the policy's own detectors.

No model is called. It parses and renders; what is flagged, the policy says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.core.errors import InvalidField
from gateway.core.model import Call, Kind, Passage, Path, Stage
from gateway.core.policy import Judgement
from gateway.surfaces import extra, openai_error, openai_moderations_answer
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
from gateway.surfaces.intake import Limits, load
from gateway.surfaces.rewriting import rewritten
from gateway.surfaces.walker import Walk

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


class OpenAIModerations:
    """`openai.moderations`, a JudgingSurface. `model` only says which policy holds."""

    name: str = "openai.moderations"
    asks_model: bool = False

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self.census: Final = request(self._limits)

    def parse(self, call_id: str, body: bytes) -> Call:
        """The call. Raise BadRequest naming the path; an unknown field is refused at any depth."""
        tree = load(body, self._limits)
        walk = Walk()
        walk.visit(self.census, tree, ())
        passages = walk.passages()
        if _in_parts(tree["input"]):
            fields = tuple(part for passage in passages for part in passage.fields)
            passages = (Passage(Stage.INPUT, fields),) if fields else ()
        return Call(
            id=call_id,
            surface=self.name,
            model=tree.get("model") or "",
            body=tree,
            passages=passages,
        )

    def admit_extra(self, call: Call, extra_types: Mapping[str, str]) -> Call:  # noqa: ARG002
        """The call as it is: there is no engine that could have fields of its own."""
        return extra.admitted(call, {})

    def rewrite(self, call: Call, texts: Mapping[Path, str]) -> Call:
        """The call with the text at each Field's path replaced, in body and passages."""
        return rewritten(call, texts)

    def judged(self, call: Call, judgement: Judgement) -> bytes:
        return openai_moderations_answer.body(call, judgement)

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
