"""What a call asks of a chat model, in no dialect: the bridge between a surface and a foreign engine.

A surface says its (rewritten) call as a Conversation, a codec of another dialect writes it down. What
one of them cannot say is refused by name, never dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from gateway.core.model import Role


@dataclass(frozen=True, slots=True)
class Said:
    """Plain words."""

    text: str


@dataclass(frozen=True, slots=True)
class Thought:
    """What a model reasoned on its way to an earlier answer."""

    text: str


@dataclass(frozen=True, slots=True)
class Declined:
    """The words of an earlier refusal."""

    text: str


@dataclass(frozen=True, slots=True)
class Shown:
    """Something that is no text: `image`, `audio` or `file`.

    `type` is its media type (`image/png`), `data` is base64, `name` is a file's own.
    """

    kind: str
    type: str
    data: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Called:
    """An earlier call of a tool. `arguments` is JSON as text."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Answered:
    """What a tool gave back to the call of this id."""

    id: str
    parts: tuple[Said | Shown, ...]
    failed: bool = False


Piece: TypeAlias = Said | Thought | Declined | Shown | Called | Answered


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side said at once. Answered pieces stand in turns of the role `tool` alone."""

    role: Role
    pieces: tuple[Piece, ...]
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Tool:
    """A function that the model may call. `schema` is JSON Schema."""

    name: str
    description: str | None = None
    schema: Mapping[str, Any] | None = None
    strict: bool | None = None


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """`mode` is `auto`, `none`, `required` or `named`; `name` goes with `named` alone."""

    mode: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class AnswerFormat:
    """JSON as the answer's form: by this schema, or any object where there is none."""

    schema: Mapping[str, Any] | None = None
    name: str | None = None
    description: str | None = None
    strict: bool | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """One more thing asked for, by the name that chat completions give it.

    `path` is where the client wrote it, for errors. Names in use: `max_tokens`, `temperature`, `top_p`,
    `top_k`, `stop` (a list), `seed`, `n`, `parallel_tool_calls`, `reasoning_effort`, `verbosity`, `user`,
    `metadata`, `service_tier`, and any other field of the client's own dialect, which foreign codecs refuse.
    """

    name: str
    value: Any
    path: str


@dataclass(frozen=True, slots=True)
class Conversation:
    turns: tuple[Turn, ...]
    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    format: AnswerFormat | None = None
    options: tuple[Option, ...] = ()
