"""The vocabulary in which a dialect declares every field of its request, so that none is missed.

Data only: the walker runs from it, tables and tests are made from it; it must never read a body.
`expected` says in words what a value must be, for error messages and tables.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from gateway.core.model import Form, Kind, Path, Role

ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
"""What a typed identifier may look like: too narrow for prose."""
TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
"""The names that OpenAI's API takes for tools and schemas."""
BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
MODEL = re.compile(r"[\w./:@~=+-]{1,256}", re.ASCII)


def _string(pattern: re.Pattern[str] | None) -> str:
    return f"a string matching {pattern.pattern}" if pattern else "a string"


@dataclass(frozen=True, slots=True)
class Text:
    """A string that becomes a Field. Without `role` it speaks for whoever the message is from.

    `named` marks the name of the tool that this place asks for, so that rules on tools meet it.
    """

    kind: Kind
    role: Role | None = None
    form: Form = Form.PLAIN
    pattern: re.Pattern[str] | None = None
    named: bool = False

    @property
    def expected(self) -> str:
        return _string(self.pattern)


@dataclass(frozen=True, slots=True)
class Free:
    """Any JSON (an object only, if `mapping`), looked at as one serialised text, names included."""

    kind: Kind
    role: Role
    mapping: bool = True

    @property
    def expected(self) -> str:
        return "an object" if self.mapping else "an object or a list"


@dataclass(frozen=True, slots=True)
class Flag:
    """true or false."""

    @property
    def expected(self) -> str:
        return "true or false"


@dataclass(frozen=True, slots=True)
class Whole:
    """An integer from `low` to `high`; true is not 1."""

    low: int
    high: int

    @property
    def expected(self) -> str:
        return f"an integer from {self.low} to {self.high}"


@dataclass(frozen=True, slots=True)
class Number:
    """An integer or a fraction from `low` to `high`."""

    low: float
    high: float

    @property
    def expected(self) -> str:
        return f"a number from {self.low:g} to {self.high:g}"


@dataclass(frozen=True, slots=True)
class Token:
    """A short typed string that the whole of `pattern` describes; not looked at."""

    pattern: re.Pattern[str] = ID

    @property
    def expected(self) -> str:
        return _string(self.pattern)


@dataclass(frozen=True, slots=True)
class Word:
    """One of a few fixed strings."""

    options: tuple[str, ...]

    @property
    def expected(self) -> str:
        return "one of " + ", ".join(self.options)


@dataclass(frozen=True, slots=True)
class Blob:
    """Something that is no text, as base64 or as a `data:` URL; a policy allows or blocks it."""

    pattern: re.Pattern[str]
    expected: str = "base64 data"


@dataclass(frozen=True, slots=True)
class Object:
    """Named fields and no others. A field that is not `required` may also be null.

    `speaker` is the role of the text below. `calls` says where, below, the called tool's name
    stands, and `call_id` the field beside it that holds the call's id; `answers` names the field
    that holds the id of the call that this is the result of. An object with a `media` (`image`,
    `audio`, `file`) is no text; `typed_by` says where, below, its type stands: `png`, `image/png`
    or a `data:` URL.
    """

    fields: Mapping[str, Node]
    required: tuple[str, ...] = ()
    speaker: Role | None = None
    calls: tuple[str, ...] = ()
    answers: str = ""
    call_id: str = "id"
    media: str = ""
    typed_by: tuple[str, ...] = ()

    @property
    def expected(self) -> str:
        return "an object"


@dataclass(frozen=True, slots=True)
class Items:
    """A list of `least` to `most` of one thing. `joined`: adjacent texts in it are one Passage."""

    item: Node
    most: int
    least: int = 0
    joined: bool = False

    @property
    def expected(self) -> str:
        return f"a list of {self.least} to {self.most} items"


@dataclass(frozen=True, slots=True)
class Keyed:
    """An object with free keys that `key` describes wholly: typed too, not looked at."""

    key: re.Pattern[str]
    item: Node

    @property
    def expected(self) -> str:
        return "an object"


@dataclass(frozen=True, slots=True)
class Tagged:
    """An object whose field `tag` says which of the variants it is; without it, it is `default`."""

    tag: str
    variants: Mapping[str, Object | Refused | Tagged]
    default: str = ""

    @property
    def expected(self) -> str:
        return "an object"


@dataclass(frozen=True, slots=True)
class Either:
    """One thing or another, told apart by their JSON type."""

    string: Node
    other: Items | Tagged | Object

    @property
    def expected(self) -> str:
        return f"{self.string.expected}, or {self.other.expected}"


@dataclass(frozen=True, slots=True)
class Refused:
    """Known, and refused as not guarded yet, but for the `neutral` values that ask for nothing."""

    reason: str
    neutral: tuple[Any, ...] = ()

    @property
    def expected(self) -> str:
        return "left out"


Node: TypeAlias = (
    Text
    | Free
    | Flag
    | Whole
    | Number
    | Token
    | Word
    | Blob
    | Object
    | Items
    | Keyed
    | Tagged
    | Either
    | Refused
)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a dialect's table: where, its fate (guarded, typed, by policy, refused), and how."""

    path: str
    fate: str
    detail: str


def rows(node: Node, path: Path = ()) -> Iterator[Row]:
    """The table of everything below `node`, in order of declaration, leaves only."""
    match node:
        case Object():
            if node.media:
                yield Row(_joined(path), "by policy", f"media.{node.media}")
            for name, child in node.fields.items():
                yield from rows(child, (*path, name))
        case Tagged():
            for tag, variant in node.variants.items():
                yield from rows(variant, (*path[:-1], f"{path[-1]}<{tag}>"))
        case Items() | Keyed():
            yield from rows(node.item, (*path[:-1], f"{path[-1]}[]"))
        case Either():
            yield from rows(node.string, path)
            yield from rows(node.other, path)
        case _:
            yield _row(node, _joined(path))


FATES = ("guarded", "typed", "by policy", "refused")


def fates(table: Iterable[Row]) -> dict[str, int]:
    """How many places meet each fate, in this order."""
    counted = Counter(row.fate for row in table)
    return {fate: counted[fate] for fate in FATES}


def _joined(path: Path) -> str:
    return ".".join(str(step) for step in path)


def _row(node: Node, path: str) -> Row:
    match node:
        case Text():
            return Row(path, "guarded", node.kind.value)
        case Free():
            return Row(path, "guarded", f"{node.kind.value}, as JSON")
        case Refused():
            return Row(path, "refused", node.reason)
        case _:
            return Row(path, "typed", node.expected)
