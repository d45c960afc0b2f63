"""Phone numbers as Presidio's PhoneRecognizer finds them, at a fraction of its cost.

The matching is `phonenumbers`' own; what is left out is work that cannot change the outcome. Equality
with the stock recognizer is tested on labelled data.
"""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from gateway.detectors.pii.regions import Region

_NEAR = 8
"""Pattern matches closer than this may be read as one by some region: they are looked at together."""
_FEWEST = 4
"""Digits of the shortest valid number (Germany; nowhere fewer, by the metadata of 9.0)."""
_BLOCK = 20
"""`phonenumbers` reads blocks of up to this many digits."""
_PLAIN = re.compile(r"[0-9()\[\]. /~-]*\Z")
"""Digits and the punctuation that `phonenumbers` drops: no plus sign, no extension."""
_REACH = 40
"""Any place in a stretch has a digit this near: leads, gaps and words for an extension are shorter."""
_DIGIT = re.compile(r"\d")
_NOT_DIGITS = re.compile(r"\D")


class Stretch(NamedTuple):
    """A piece of text, [start, end), that phone numbers may sit in."""

    start: int
    end: int


class PhoneFinder:
    """Spans of phone numbers that are valid in one of `regions`."""

    def __init__(self, regions: tuple[str, ...], leniency: int) -> None:
        from phonenumbers import phonenumbermatcher, re_util

        # Metadata patterns outgrow the `re` module's cache; their number is bounded by the metadata.
        re_util.enable_pattern_cache()
        # The matcher's own first step, which it does not hand out.
        self._pattern: Any = getattr(phonenumbermatcher, "_PATTERN")  # noqa: B009
        self._matcher = _matcher_class()
        self._regions = [Region.load(region) for region in regions]
        self._leniency = leniency

    def spans(self, text: str, start: int, end: int) -> set[tuple[int, int]]:
        """(start, end) of the numbers in the stretches that meet [start, end)."""
        found: set[tuple[int, int]] = set()
        if not _DIGIT.search(text, max(0, start - _REACH), end + _REACH):
            return found
        for stretch in self._stretches(text):
            if stretch.start < end and stretch.end > start:
                found.update(self._read(text, stretch))
        return found

    def _stretches(self, text: str) -> Iterator[Stretch]:
        begin = finish = -1
        for match in self._pattern.finditer(text):
            if begin >= 0 and match.start() - finish >= _NEAR:
                yield Stretch(begin, finish)
                begin = -1
            begin, finish = (match.start() if begin < 0 else begin), match.end()
        if begin >= 0:
            yield Stretch(begin, finish)

    def _read(self, text: str, stretch: Stretch) -> Iterator[tuple[int, int]]:
        """Each region's matches that begin in this stretch, as if the whole text had been read."""
        if len(_NOT_DIGITS.sub("", text[stretch.start : stretch.end])) < _FEWEST:
            return
        for region in self._regions:
            matcher = self._matcher(text, region, stretch, self._leniency)
            for match in matcher:
                yield match.start, match.end
                if _fills(text, stretch, match):
                    return


def _fills(text: str, stretch: Stretch, match: Any) -> bool:
    """Whether one region's match fills the stretch, so that another's could only repeat part of it."""
    whole = (match.start, match.end) == (stretch.start, stretch.end)
    inside = text[stretch.start : stretch.end]
    return whole and len(inside) <= _BLOCK and _PLAIN.match(inside) is not None


def _matcher_class() -> Any:
    """A PhoneNumberMatcher that keeps to a stretch and does not parse what cannot be a number."""
    from phonenumbers.phonenumbermatcher import PhoneNumberMatcher

    class StretchMatcher(PhoneNumberMatcher):
        def __init__(self, text: str, region: Region, stretch: Stretch, leniency: int) -> None:
            super().__init__(text, region.name, leniency=leniency)
            self._search_index = stretch.start
            self._stretch_end = stretch.end
            self._region = region

        def _find(self, index: int) -> Any:
            if index >= self._stretch_end:
                return None
            return super()._find(index)

        def _parse_and_verify(self, candidate: str, offset: int) -> Any:
            if _PLAIN.match(candidate):
                digits = _NOT_DIGITS.sub("", candidate)
                if len(digits) < _FEWEST or not self._region.may_own(digits):
                    return None
            return super()._parse_and_verify(candidate, offset)

    return StretchMatcher
