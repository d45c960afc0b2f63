"""An operator's own words and patterns, all on RE2: nothing that an operator writes can run wild.

Words stand for themselves, in any case, on word borders; patterns are RE2 and see a bounded stretch.
"""
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from gateway.core.canonical import CanonicalView
from gateway.core.model import Finding, Window
from gateway.core.ports import Reach
from gateway.core.views import PlainView
from gateway.detectors.lane import Lane

NAME = "keywords"
PATTERN_REACH = 256
"""How far before and after a core a pattern sees, in code points: what it matches past that is cut."""
PATTERN_RUN_ON = 512
"""How far what a pattern matches up to its window's end is followed to the end of the word."""
_MEMORY = 64 << 20
"""Bytes that one compiled list may take; RE2's own default of 8 MiB is for one pattern."""
_LONGEST_GAP = 8
"""White space between the words of a keyword: one to this many."""

_WORD = r"[\pL\pN\pM_]"
_NOT_WORD = r"[^\pL\pN\pM_]"
_SURROGATE = re.compile("[\ud800-\udfff]")

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Pattern = Annotated[str, StringConstraints(min_length=1)]


class KeywordOptions(BaseModel):
    """What a policy may say under `detectors: {keywords: …}`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lists: dict[Name, Annotated[tuple[Word, ...], Field(min_length=1, max_length=10_000)]] = {}
    """Words by list; a hit is `keyword.<list>`."""
    patterns: Annotated[dict[Name, Pattern], Field(max_length=500)] = {}
    """RE2 patterns by name, of at most 2 KiB each; a hit is `pattern.<name>`."""


@dataclass(frozen=True, slots=True)
class KeywordDetector:
    """The lists and patterns of one policy. Every hit scores 1."""

    options: KeywordOptions
    seekers: Mapping[str, tuple[Seeker, ...]]
    reach: Reach
    lane: Lane
    budget: float = 5.0
    name: str = field(default=NAME, init=False)

    @property
    def version(self) -> str:
        return f"re2-{version('google-re2')}"

    @property
    def emits(self) -> tuple[str, ...]:
        return tuple(self.seekers)

    @property
    def fingerprint(self) -> str:
        options = hashlib.sha256(self.options.model_dump_json().encode()).hexdigest()
        return f"{NAME}/{self.version}/{options}"

    @property
    def ended(self) -> int:
        return self.lane.ended

    async def detect(self, windows: Sequence[Window]) -> Sequence[Sequence[Finding]]:
        return await self.lane.run(self._look, windows)

    def _look(self, windows: Sequence[Window]) -> list[list[Finding]]:
        version = self.version
        return [
            [
                Finding(label, 1.0, start, end, NAME, version)
                for label, start, end in sorted(set(self._hits(window)))
            ]
            for window in windows
        ]

    def _hits(self, window: Window) -> Iterator[tuple[str, int, int]]:
        # RE2 reads UTF-8, which has no lone surrogates; JSON text may. One code point for another.
        text = window.text if window.text.isascii() else _SURROGATE.sub("\ufffd", window.text)
        for label, seekers in self.seekers.items():
            for seeker in seekers:
                for start, end in seeker.spans(text):
                    if start < window.core_end and end > window.core_start:
                        yield label, start, end


@dataclass(frozen=True, slots=True)
class Seeker:
    """A compiled expression; `word` is the group that counts, and hits of a word may overlap."""

    expression: Any
    word: bool

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        if not self.word:
            yield from (m.span() for m in self.expression.finditer(text) if m.end() > m.start())
            return
        at = 0
        while match := self.expression.search(text, at):
            yield match.span(1)
            # From inside the word on: what comes after it may share its border, or begin within it.
            at = match.start(1) if match.start(1) > at else match.start(1) + 1


def build(options: KeywordOptions, lane: Lane) -> KeywordDetector:
    """Compile the lists and patterns. Raise ValueError naming the one that RE2 refuses, and why."""
    lists = {name: _canonical(name, words) for name, words in options.lists.items()}
    seekers = {f"keyword.{name}": _list(name, words) for name, words in lists.items()}
    for name, pattern in options.patterns.items():
        seekers[f"pattern.{name}"] = (_pattern(name, pattern),)
    reach = _reach([word for words in lists.values() for word in words], bool(options.patterns))
    return KeywordDetector(options, seekers, reach, lane)


def _canonical(name: str, words: Sequence[str]) -> list[str]:
    """The words as the text will be: canonical."""
    made: list[str] = []
    for word in words:
        view = CanonicalView(PlainView())
        made.append((view.feed(word) + view.close()).strip())
    if "" in made:
        raise ValueError(f"keywords: list {name!r} has a word that nobody can see. Take it out.")
    return made


def _reach(words: Sequence[str], patterns: bool) -> Reach:
    """Context that holds the longest keyword with its borders, or what patterns are promised."""
    longest = max((_width(word) for word in words), default=0) + 1
    if not patterns:
        return Reach(min=64, max=96, before=longest, after=longest)
    around = max(longest, PATTERN_REACH)
    return Reach(min=128, max=192, before=around, after=around, run_on=PATTERN_RUN_ON)


def _width(word: str) -> int:
    parts = word.split()
    return sum(len(part) for part in parts) + _LONGEST_GAP * (len(parts) - 1)


def _pattern(name: str, pattern: str) -> Seeker:
    size = len(pattern.encode())
    if size > 2048:
        raise ValueError(f"keywords: pattern {name!r} has {size} bytes; at most 2048 are allowed.")
    return Seeker(_compile(f"pattern {name!r}", pattern), word=False)


def _list(name: str, words: Sequence[str]) -> tuple[Seeker, ...]:
    """One expression for each way that words can border on what surrounds them."""
    kinds: dict[tuple[bool, bool], list[str]] = {}
    for word in sorted(set(words), key=lambda word: (-len(word), word)):
        kinds.setdefault((_is_word(word[0]), _is_word(word[-1])), []).append(word)
    return tuple(
        Seeker(
            _compile(f"list {name!r}", _borders(*kind, "|".join(map(_literal, members)))), word=True
        )
        for kind, members in kinds.items()
    )


def _borders(before: bool, after: bool, words: str) -> str:
    r"""RE2 looks neither behind nor ahead, and its \b knows ASCII alone: a border is matched itself."""
    left = f"(?:^|{_NOT_WORD})" if before else ""
    right = f"(?:$|{_NOT_WORD})" if after else ""
    return f"(?i){left}({words}){right}"


def _is_word(character: str) -> bool:
    return character == "_" or character.isalnum() or bool(re.match(r"\w", character))


def _literal(word: str) -> str:
    import re2

    gap = rf"[\s\pZ]{{1,{_LONGEST_GAP}}}"
    return gap.join(re2.escape(part) for part in word.split())


def _compile(what: str, expression: str) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    try:
        return re2.compile(expression, options)
    except re2.error as error:
        reason = error.args[0]
        said = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise ValueError(f"keywords: {what} is not an RE2 expression: {said}.") from None
