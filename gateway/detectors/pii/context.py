"""Presidio's context words: a weak match scores higher after a word such as "card" or "ssn".

Scores are those of Presidio's LemmaContextAwareEnhancer with its defaults, on lower-case words in the
place of lemmas; it makes no spaCy pipeline run and no deep copy of results. Keeps no text.
"""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, NamedTuple

_BOOST = 0.35
_AT_LEAST = 0.4
_WORDS_BEFORE = 5
_FAR = 100
"""Code points in which six words that count are mostly found; else the whole text is read."""

_STOPS_INFLECTED = """
asked asking asks called calling calls did does doing done gave gets getting given gives
giving goes going gone got gotten had has having keeps keeping kept made makes making
moved moves moving named names naming parts puts putting said saw saying says seeing
seemed seeming seems seen sees served serves serving showed showing shown shows sides
taken takes taking took tops used uses using went
"""
"""Forms of spaCy's stop words: its lemmatizer would make each a stop word, so none is context."""


def _is_punct(word: str) -> bool:
    """As spaCy's: punctuation alone. Most words end this at their first letter."""
    return all(unicodedata.category(character)[0] == "P" for character in word)


class ContextWords:
    """Raises scores by the words before a match. `nlp` is a blank spaCy pipeline; not thread-safe."""

    def __init__(self, nlp: Any) -> None:
        self._nlp = nlp
        # What spaCy works out about each word it has not met (shape, likeness to a number, …); the
        # words below need none of it, and a memory zone meets every word anew.
        nlp.vocab.lex_attr_getters = {}
        self._stop_words = (
            frozenset(nlp.Defaults.stop_words) | set(_STOPS_INFLECTED.split()) | {"be", "-pron-"}
        )

    def near(self, text: str) -> Nearby:
        return Nearby(text, self)

    def read(self, text: str) -> Words:
        # spaCy's vocabulary would remember every new word for good; a memory zone forgets it.
        with self._nlp.memory_zone():
            tokens = [(token.idx, token.text) for token in self._nlp.make_doc(text)]
        # A lower-case form can be longer than the word.
        ends = [start + len(word) for start, word in tokens]
        words = [word.lower() for _, word in tokens]
        return Words(ends, words, [self._counts(word) for word in words])

    def _counts(self, word: str) -> bool:
        """Whether a word is context. Presidio splits at colons, so a word with one is never found."""
        return word not in self._stop_words and ":" not in word and not _is_punct(word)


class Words(NamedTuple):
    """A text's words: where each ends, its lower-case form, and whether it counts as context."""

    ends: list[int]
    words: list[str]
    counts: list[bool]

    def around(self, start: int) -> tuple[list[str], bool]:
        """The counting words before, at and first after `start`; whether more text would add none."""
        at = bisect_right(self.ends, start)
        before = [
            self.words[i] for i in range(min(at, len(self.words) - 1), -1, -1) if self.counts[i]
        ]
        after = next((self.words[i] for i in range(at, len(self.words)) if self.counts[i]), None)
        taken = before[: _WORDS_BEFORE + 1]
        complete = len(taken) > _WORDS_BEFORE and after is not None
        return ([*taken, after] if after is not None else taken), complete


class Nearby:
    """The words of one text, read when first asked for and no further than needed."""

    def __init__(self, text: str, words: ContextWords) -> None:
        self._text = text
        self._lower = text.lower()
        self._words = words
        self._known: dict[int, list[str]] = {}

    def score(self, score: float, start: int, context: Sequence[str]) -> float:
        """The score of a match at `start` whose recognizer knows these (lower-case) context words."""
        if score >= 1.0 or not any(word in self._lower for word in context):
            return score
        if start not in self._known:
            self._known[start] = self._around(start)
        around = self._known[start]
        if not any(word in near for word in context for near in around):
            return score
        return min(max(score + _BOOST, _AT_LEAST), 1.0)

    def _around(self, start: int) -> list[str]:
        """The keywords near the word that covers `start`: six at most before it, one after."""
        begin = self._text.rfind(" ", 0, max(0, start - _FAR)) + 1
        end = self._text.find(" ", start + _FAR // 4)
        around, complete = self._words.read(self._text[begin : end if end > 0 else None]).around(
            start - begin
        )
        if complete or (begin == 0 and end < 0):
            return around
        return self._words.read(self._text).around(start)[0]
