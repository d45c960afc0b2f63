"""A YAML file as plain data that remembers its lines. The only file that imports yaml.

Takes a small, safe YAML: no tags, no anchors, no aliases, no duplicate keys, one document. Plain
scalars are read as YAML 1.2 reads them (`no` and `on` are text), so that a list of words stays one.
"""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import yaml

from gateway.core.errors import InvalidDocument, Problem
from gateway.core.model import Path

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32

_Event: TypeAlias = Any
"""An event of yaml's parser; yaml's own types do not say which attributes each has."""

_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
# No leading zeros (YAML 1.1 reads octal, 1.2 decimal) and few digits: whatever is odd stays text.
_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(
    r"[-+]?(\.[0-9]{1,18}|(0|[1-9][0-9]{0,17})(\.[0-9]{0,18})?)([eE][-+]?[0-9]{1,2})?"
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a file. Lines and columns count from 1."""

    file: str
    line: int
    column: int = 1


@dataclass(frozen=True, slots=True)
class Document:
    """Plain data (dict, list, str, int, float, bool, None) and the place of every value in it."""

    file: str
    data: Any
    places: Mapping[Path, Place]

    def at(self, path: Path) -> Place:
        """The place of the value at `path`, or of the nearest thing around it."""
        for length in range(len(path), -1, -1):
            place = self.places.get(path[:length])
            if place is not None:
                return place
        return Place(self.file, 1)

    def problem(self, path: Path, what: str, mend: str) -> Problem:
        place = self.at(path)
        return Problem(place.file, place.line, what, mend)


def read(path: pathlib.Path, *, name: str | None = None) -> Document:
    """The file at `path`, called `name` in problems. Raise InvalidDocument."""
    file = name or str(path)
    try:
        with path.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise _invalid(file, 1, f"cannot be read: {error.strerror}.", "Check the path.") from None
    return parse(content, file)


def parse(content: bytes, file: str) -> Document:
    """The document in `content`; an empty one is an empty mapping. Raise InvalidDocument."""
    if len(content) > MAX_BYTES:
        raise _invalid(file, 1, f"is larger than {MAX_BYTES} bytes.", "Split it.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _invalid(file, line, "is not UTF-8.", "Save it as UTF-8.") from None
    try:
        return _Builder(file, text).document()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise _invalid(file, line, "holds a control character.", "Remove it.") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = f"is not valid YAML: {error.problem or 'cannot be parsed'}."
        mend = "Check indentation and quotes on this line and the one before."
        raise _invalid(file, mark.line + 1 if mark else 1, what, mend) from None


def scalar(text: str) -> Any:
    """What a plain scalar means: null, true or false, a number, or text."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def _invalid(file: str, line: int, what: str, mend: str) -> InvalidDocument:
    return InvalidDocument((Problem(file, line, what, mend),))


class _Builder:
    """One walk over the parser's events; recursion is bounded by MAX_DEPTH."""

    def __init__(self, file: str, text: str) -> None:
        loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self._file = file
        self._events: Iterator[_Event] = iter(yaml.parse(text, Loader=loader))
        self._places: dict[Path, Place] = {}
        self._problems: list[Problem] = []

    def document(self) -> Document:
        next(self._events)  # the stream's start
        data: Any = None
        if isinstance(next(self._events), yaml.DocumentStartEvent):
            data = self._value(next(self._events), ())
            next(self._events)  # the document's end
            following = next(self._events)
            if not isinstance(following, yaml.StreamEndEvent):
                self._refuse(following, "holds a second document.", "Keep one per file.")
        if self._problems:
            raise InvalidDocument(tuple(self._problems))
        return Document(self._file, {} if data is None else data, self._places)

    def _value(self, event: _Event, path: Path) -> Any:
        self._places.setdefault(path, self._place(event))
        self._check(event, path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path)
        return self._text(event) if event.style else scalar(event.value)

    def _check(self, event: _Event, path: Path) -> None:
        if event.__class__ is yaml.AliasEvent or event.anchor is not None:
            self._refuse(event, "uses an anchor or alias (`&`, `*`).", "Write it out or quote it.")
        if event.tag is not None:
            self._refuse(event, "uses a tag (`!`).", "Remove the tag, or quote the text.")
        if len(path) > MAX_DEPTH:
            self._refuse(event, f"is nested deeper than {MAX_DEPTH}.", "Make it flatter.")

    def _text(self, event: _Event) -> str:
        text: str = event.value
        if any("\ud800" <= character <= "\udfff" for character in text):
            self._refuse(event, "holds half of a surrogate pair.", r"Write \U and eight digits.")
        return text

    def _sequence(self, path: Path) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._value(event, (*path, len(items))))
        return items

    def _mapping(self, path: Path) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent) or event.tag or event.anchor:
                self._refuse(event, "has a key that is not text.", "Write a plain or quoted key.")
            key = self._text(event)
            at = (*path, key)
            if key in entries:
                first = self._places[at].line
                what = f"has the key `{key[:64]}` twice; line {first} has it first."
                place = self._place(event)
                self._problems.append(Problem(self._file, place.line, what, "Keep one of the two."))
            self._places.setdefault(at, self._place(event))
            entries[key] = self._value(next(self._events), at)
        return entries

    def _place(self, event: _Event) -> Place:
        return Place(self._file, event.start_mark.line + 1, event.start_mark.column + 1)

    def _refuse(self, event: _Event, what: str, mend: str) -> None:
        raise _invalid(self._file, self._place(event).line, what, mend)
