"""The guard's own dialect, `wardgate.guard`: text or messages in, what was decided on them out.

No model is called. It parses and renders; it decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from gateway.core.errors import InvalidField
from gateway.core.model import Call, Field, Form, Kind, Passage, Role, Stage
from gateway.core.policy import Judgement
from gateway.surfaces import guard_answer, openai_chat_census
from gateway.surfaces.census import MODEL, Node, Object, Text, Token, Word
from gateway.surfaces.intake import Limits
from gateway.surfaces.openai_surface import OpenAISurface

_SPEAKER: Final[Mapping[Stage, Role]] = {Stage.INPUT: Role.USER, Stage.OUTPUT: Role.ASSISTANT}


def request(limits: Limits) -> Object:
    """The whole request body. `messages` are those of chat completions."""
    return Object(
        {
            "text": Text(Kind.TEXT),
            "messages": _messages(limits),
            "model": Token(MODEL),
            "stage": Word(tuple(Stage)),
            "role": Word(tuple(Role)),
            "kind": Word(tuple(Kind)),
        }
    )


def _messages(limits: Limits) -> Node:
    return openai_chat_census.request(limits).fields["messages"]


class GuardText(OpenAISurface):
    """`wardgate.guard`, a JudgingSurface. `model` only says which policy holds."""

    asks_model: bool = False

    def __init__(self, limits: Limits | None = None) -> None:
        super().__init__("wardgate.guard", request(limits or Limits()), limits)

    def parse(self, call_id: str, body: bytes) -> Call:
        """The call. Raise BadRequest naming the path; unknown top-level fields are set aside."""
        call = self.read(call_id, body)
        _one_of_two(call.body)
        return replace(call, passages=tuple(_asked(call.passages, call.body)))

    def judged(self, call: Call, judgement: Judgement) -> bytes:
        return guard_answer.body(call, judgement)


def _one_of_two(tree: Mapping[str, Any]) -> None:
    """Raise InvalidField unless there is a `text` or there are `messages`, and what goes with them."""
    has_text, has_messages = (tree.get(name) is not None for name in ("text", "messages"))
    if has_text == has_messages:
        said = "not both" if has_text else "and neither is here"
        raise InvalidField(f"Send `text` or `messages`, {said}.", path="text")
    for name in ("role", "kind"):
        if has_messages and tree.get(name) is not None:
            raise InvalidField(
                f"`{name}` goes with `text` alone; messages say it themselves.", path=name
            )


def _asked(passages: tuple[Passage, ...], tree: Mapping[str, Any]) -> Iterator[Passage]:
    """The passages at the asked stage; the text of `text` as the asked role and kind."""
    stage = Stage(tree.get("stage") or Stage.INPUT)
    for passage in passages:
        fields = passage.fields
        if tree.get("text") is not None:
            fields = (_spoken(fields[0], stage, tree),)
        yield Passage(stage, fields)


def _spoken(field: Field, stage: Stage, tree: Mapping[str, Any]) -> Field:
    """The field as it would stand in a call: arguments are JSON, a tool's name names the tool."""
    kind = Kind(tree.get("kind") or Kind.TEXT)
    return replace(
        field,
        role=Role(tree.get("role") or _SPEAKER[stage]),
        kind=kind,
        form=Form.JSON_TEXT if kind is Kind.TOOL_ARGUMENTS else Form.PLAIN,
        tool=field.text if kind is Kind.TOOL_NAME else None,
    )
