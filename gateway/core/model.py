"""The words of the house, one meaning each: what a call, its text, a finding and a chunk are.

Immutable data only. Rules on these words live beside this file; nothing here does I/O.
Offsets count Unicode code points, end exclusive, everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any, TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""Where something sits in a wire body, from the root down: `("messages", 2, "content")`."""

NOTHING: Mapping[str, Any] = MappingProxyType({})


def dotted(path: Path) -> str:
    """A path as people and records write it: `messages.2.content`."""
    return ".".join(str(step) for step in path)


class Stage(StrEnum):
    """Which gate: before inference or after it."""

    INPUT = "input"
    OUTPUT = "output"


class Role(StrEnum):
    """Who a text speaks for. A developer message is `system`."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class Kind(StrEnum):
    """What a text is for."""

    TEXT = "text"
    NAME = "name"
    TOOL_NAME = "tool_name"
    TOOL_ARGUMENTS = "tool_arguments"
    TOOL_RESULT = "tool_result"
    TOOL_DEFINITION = "tool_definition"
    RESPONSE_FORMAT = "response_format"
    REASONING = "reasoning"
    REFUSAL = "refusal"
    METADATA = "metadata"


class Action(IntEnum):
    """What a rule asks for, in order: the strictest wins."""

    ALLOW = 0
    FLAG = 1
    REDACT = 2
    HOLD = 3
    BLOCK = 4

    @property
    def word(self) -> str:
        """The action as policies, records and headers spell it."""
        return self.name.lower()


class Form(StrEnum):
    """How a Field's text is written: which view detectors need to read it."""

    PLAIN = "plain"
    JSON_TEXT = "json_text"
    """A string that should itself be JSON, such as a tool call's arguments."""
    JSON_VALUE = "json_value"
    """A JSON value of the body (a schema), looked at as its serialised text."""


@dataclass(frozen=True, slots=True)
class Field:
    """One place in a wire body that carries text. `path` never holds a client's own words."""

    path: Path
    text: str
    role: Role
    kind: Kind
    form: Form = Form.PLAIN
    tool: str | None = None
    """The called tool's name, for its name, arguments and result."""


@dataclass(frozen=True, slots=True)
class Passage:
    """Text looked at as one: a Field, or the adjacent text parts of one message joined."""

    stage: Stage
    fields: tuple[Field, ...]

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.fields)

    @property
    def role(self) -> Role:
        return self.fields[0].role

    @property
    def kind(self) -> Kind:
        return self.fields[0].kind

    @property
    def form(self) -> Form:
        return self.fields[0].form

    @property
    def tool(self) -> str | None:
        return self.fields[0].tool

    @property
    def origin(self) -> str:
        """The dotted path of its first Field; what records call the passage."""
        return dotted(self.fields[0].path)


@dataclass(frozen=True, slots=True)
class Media:
    """Something in a request that is no text and that nobody can look at: a picture, sound, a file."""

    path: Path
    kind: str
    """`image`, `audio` or `file`."""
    subtype: str
    """`png`, `wav`, `pdf`; empty where the request does not say."""

    @property
    def label(self) -> str:
        """What policies and records call it: `media.image.png`."""
        return ".".join(part for part in ("media", self.kind, self.subtype) if part)


@dataclass(frozen=True, slots=True)
class Window:
    """What a detector looks at: `text`, of which it owns [core_start, core_end) (offsets into `text`).

    `start` is where `text` begins in its passage. A finding that does not meet the core is another
    window's to report. `hidden` are the places in `text` where characters that no reader sees stood
    (an empty range) or were made readable.
    """

    text: str
    start: int
    core_start: int
    core_end: int
    hidden: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What was seen, never the text itself. Score is in [0, 1]; start and end are code points.

    A detector gives offsets into `Window.text`; the guard moves them to the passage.
    """

    label: str
    score: float
    start: int
    end: int
    detector: str
    version: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: a key, its team and its owner."""

    key: str
    team: str
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One client request, parsed. `body` is never changed in place; rewriting makes a new Call."""

    id: str
    surface: str
    model: str
    body: Mapping[str, Any]
    passages: tuple[Passage, ...]
    stream: bool = False
    usage_wanted: bool = True
    """Whether a stream ends with a usage event; a whole reply always carries usage."""
    choices: int = 1
    media: tuple[Media, ...] = ()
    unknown: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
    """Fields that the surface does not know, by dotted path, with their values."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The ledger's proof that a record is durable. Made by the store alone."""

    record: str
    seq: int


@dataclass(frozen=True, slots=True)
class GuardedCall:
    """A Call that has passed the outer gate, with the Receipt of its intent. Made by the relay alone."""

    call: Call
    receipt: Receipt


# A reply: one sequence of parts, in upstream order, cut anywhere into chunks.


@dataclass(frozen=True, slots=True)
class Opened:
    """A choice begins, in this role."""

    choice: int
    role: str = "assistant"


@dataclass(frozen=True, slots=True)
class ToolOpened:
    """A tool call begins: its place in the choice and its id. Its name comes as Text."""

    choice: int
    index: int
    id: str


@dataclass(frozen=True, slots=True)
class Text:
    """Some text of one field of one choice.

    `slot` is `content`, `reasoning_content`, `refusal`, `tool_calls.0.name` or `.arguments`.
    """

    choice: int
    slot: str
    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Finished:
    """A choice is at its normal end; all its fields end here."""

    choice: int
    reason: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the engine counted them. `detail` is the engine's numeric sub-counts."""

    prompt: int
    completion: int
    detail: Mapping[str, Any] = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True, slots=True)
class Vector:
    """The embedding of input number `index`: numbers, or float32s in little-endian bytes."""

    index: int
    values: tuple[float, ...] | bytes


@dataclass(frozen=True, slots=True)
class Rank:
    """How well document number `index` of the request answers its query."""

    index: int
    score: float


Part: TypeAlias = Opened | ToolOpened | Text | Finished | Usage | Vector | Rank


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a reply on its way out. A whole reply is a stream of one chunk.

    `envelope` holds the reply's own values that carry no text (`id`, `created`, …).
    """

    parts: tuple[Part, ...]
    envelope: Mapping[str, Any] = field(default_factory=lambda: NOTHING)
