"""How text is read before it is looked at, with a way back: plain, or JSON with its escapes decoded.

A view's looked-at text only ever grows, and is a function of the raw text alone, so that a stream and a
whole read the same. An edit that a view makes keeps JSON valid. It knows nothing of detection.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from gateway.core.redact import Edit

LONGEST_BARE = 4096
"""A number longer than this is not one; the text is plain from there on."""
_STRUCTURE = re.compile(r"[ \t\r\n{}\[\],:]+")
_BARE = re.compile(r'[^ \t\r\n{}\[\],:"]+')
_LITERAL = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null", re.ASCII)
_RUN = re.compile(r'[^"\\]+')
_ESCAPE = re.compile(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})')
_LOW = re.compile(r"\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_SHORT = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class View(Protocol):
    def feed(self, raw: str) -> str:
        """The looked-at text that this much more raw text makes known."""
        ...

    def close(self) -> str:
        """What the end makes known."""
        ...

    def snap(self, looked: int) -> int:
        """The last offset up to `looked` that does not cut an atom."""
        ...

    def raw(self, looked: int) -> int:
        """Where a looked-at offset (one that `snap` gave) lies in the raw text."""
        ...

    def edits(self, start: int, end: int, text: str) -> list[Edit]:
        """Raw edits that put `text` in the place of the looked-at [start, end)."""
        ...

    def stop(self, start: int, end: int) -> int:
        """The first looked-at place in [start, end] where no word can go on: a string's end in JSON."""
        ...


class PlainView:
    """Text as it is."""

    __slots__ = ()

    def feed(self, raw: str) -> str:
        return raw

    def close(self) -> str:
        return ""

    def snap(self, looked: int) -> int:
        return looked

    def raw(self, looked: int) -> int:
        return looked

    def edits(self, start: int, end: int, text: str) -> list[Edit]:
        return [Edit(start, end, text)]

    def stop(self, start: int, end: int) -> int:  # noqa: ARG002 - a port's signature
        return end


class _Sort(Enum):
    STRUCTURE = "brackets, commas, quotes, white space: never edited"
    STRING = "inside a string, one to one"
    ESCAPE = "an escape inside a string: one looked-at character"
    BARE = "a number or literal: replaced whole, by a string"
    PLAIN = "not JSON any more"


_ATOMS = frozenset({_Sort.ESCAPE, _Sort.BARE})
_IN_STRING = frozenset({_Sort.STRING, _Sort.ESCAPE})


@dataclass(frozen=True, slots=True)
class _Segment:
    sort: _Sort
    looked: int
    looked_end: int
    raw: int
    raw_end: int


@dataclass(slots=True)
class JsonView:
    """JSON read as it grows; from the first thing that cannot be JSON on, plain text."""

    _segments: list[_Segment] = field(default_factory=list[_Segment])
    _starts: list[int] = field(default_factory=list[int])
    _waiting: str = ""
    _raw: int = 0
    _looked: int = 0
    _inside: bool = False
    _plain: bool = False

    def feed(self, raw: str) -> str:
        return self._read(self._waiting + raw, closing=False)

    def close(self) -> str:
        return self._read(self._waiting, closing=True)

    def _read(self, data: str, *, closing: bool) -> str:
        pieces: list[str] = []
        at = 0
        while at < len(data):
            step = (
                self._step_plain(data, at)
                if self._plain
                else self._step_inside(data, at, closing=closing)
                if self._inside
                else self._step_outside(data, at, closing=closing)
            )
            if step is None:
                break
            sort, end, text = step
            if end > at:
                self._add(sort, end - at, len(text))
                pieces.append(text)
                at = end
        self._waiting = data[at:]
        return "".join(pieces)

    def _step_plain(self, data: str, at: int) -> tuple[_Sort, int, str]:
        return _Sort.PLAIN, len(data), data[at:]

    def _step_outside(self, data: str, at: int, *, closing: bool) -> tuple[_Sort, int, str] | None:
        if structure := _STRUCTURE.match(data, at):
            return _Sort.STRUCTURE, structure.end(), structure.group()
        if data[at] == '"':
            self._inside = True
            return _Sort.STRUCTURE, at + 1, '"'
        bare = _BARE.match(data, at)
        assert bare is not None
        if bare.end() - at > LONGEST_BARE:
            self._plain = True
        elif bare.end() == len(data) and not closing:
            return None
        elif not _LITERAL.fullmatch(bare.group()):
            self._plain = True
        if self._plain:
            return self._step_plain(data, at)
        return _Sort.BARE, bare.end(), bare.group()

    def _step_inside(self, data: str, at: int, *, closing: bool) -> tuple[_Sort, int, str] | None:
        if run := _RUN.match(data, at):
            return _Sort.STRING, run.end(), run.group()
        if data[at] == '"':
            self._inside = False
            return _Sort.STRUCTURE, at + 1, '"'
        escape = _ESCAPE.match(data, at)
        if escape is not None:
            return _step_escape(data, at, escape.group(), closing=closing)
        if not closing and _could_be_escape(data[at : at + 6]):
            return None
        return _Sort.STRING, at + 1, "\\"

    def _add(self, sort: _Sort, raw: int, looked: int) -> None:
        self._starts.append(self._looked)
        self._segments.append(
            _Segment(sort, self._looked, self._looked + looked, self._raw, self._raw + raw)
        )
        self._raw += raw
        self._looked += looked

    def _at(self, looked: int) -> _Segment:
        return self._segments[bisect_right(self._starts, looked) - 1]

    def snap(self, looked: int) -> int:
        if looked >= self._looked or not self._segments:
            return looked
        segment = self._at(looked)
        return segment.looked if segment.sort in _ATOMS else looked

    def raw(self, looked: int) -> int:
        if looked >= self._looked or not self._segments:
            return self._raw
        segment = self._at(looked)
        return segment.raw + (looked - segment.looked)

    def edits(self, start: int, end: int, text: str) -> list[Edit]:
        made: list[Edit] = []
        index = max(bisect_right(self._starts, start) - 1, 0)
        previous: _Sort | None = None
        for segment in self._segments[index:]:
            if segment.looked >= end:
                break
            if segment.sort is _Sort.STRUCTURE or segment.looked_end <= start:
                previous = segment.sort
                continue
            raw_start, raw_end = _raw_range(segment, start, end)
            if made and made[-1].end == raw_start and previous in _IN_STRING | {_Sort.PLAIN}:
                made[-1] = Edit(made[-1].start, raw_end, made[-1].text)
            else:
                made.append(Edit(raw_start, raw_end, _written(segment.sort, "" if made else text)))
            previous = segment.sort
        return made

    def stop(self, start: int, end: int) -> int:
        index = max(bisect_right(self._starts, start) - 1, 0)
        while index < len(self._segments) and self._segments[index].looked < end:
            segment = self._segments[index]
            if segment.sort is _Sort.STRUCTURE and segment.looked_end > start:
                return max(segment.looked, start)
            index += 1
        return end


def _step_escape(
    data: str, at: int, escape: str, *, closing: bool
) -> tuple[_Sort, int, str] | None:
    """An escape, or the two of a surrogate pair; a half of a pair reads as U+FFFD."""
    end = at + len(escape)
    if not _is_high(escape):
        return _Sort.ESCAPE, end, _decoded(escape)
    if _LOW.match(data, end):
        return _Sort.ESCAPE, end + 6, _decoded(data[at : end + 6])
    if not closing and _could_be_low(data[end : end + 6]):
        return None
    return _Sort.ESCAPE, end, "\ufffd"


def _raw_range(segment: _Segment, start: int, end: int) -> tuple[int, int]:
    if segment.sort in _ATOMS:
        return segment.raw, segment.raw_end
    return (
        segment.raw + max(start - segment.looked, 0),
        segment.raw + min(end, segment.looked_end) - segment.looked,
    )


def _written(sort: _Sort, text: str) -> str:
    if sort is _Sort.PLAIN:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return quoted if sort is _Sort.BARE else quoted[1:-1]


def _is_high(escape: str) -> bool:
    return escape[1] == "u" and 0xD800 <= _unit(escape[2:]) <= 0xDBFF


def _unit(digits: str) -> int:
    return int(digits, 16)


def _decoded(escape: str) -> str:
    if len(escape) == 12:
        high, low = _unit(escape[2:6]), _unit(escape[8:12])
        return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))
    if escape[1] != "u":
        return _SHORT.get(escape[1], escape[1])
    point = _unit(escape[2:])
    return "\ufffd" if 0xDC00 <= point <= 0xDFFF else chr(point)


def _could_be_escape(text: str) -> bool:
    if len(text) == 1:
        return True
    return len(text) < 6 and text[1] == "u" and all(c in _HEX for c in text[2:])


def _could_be_low(text: str) -> bool:
    pattern = ("\\", "u", "dD", "cdefCDEF", _HEX, _HEX)
    return len(text) < 6 and all(
        character in allowed for character, allowed in zip(text, pattern, strict=False)
    )


_HEX = "0123456789abcdefABCDEF"
