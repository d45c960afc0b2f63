"""The text that detectors see: NFKC, nothing invisible in it, tag characters read out, one hyphen.

It stands over a plain or a JSON view and is a function of the raw text alone, so that a stream and a
whole read the same: text is normalised segment by segment, a segment being a character and what joins
it. It knows nothing of detection.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from dataclasses import dataclass

from gateway.core.characters import (
    COMPOSING,
    DASHES,
    EXTENDING,
    IGNORED,
    MODIFIERS,
    OVERRIDES,
    REGIONAL,
    SCRIPT_BOUND,
    SPECIAL,
    TAGS,
    ZWJ,
    continues,
    is_mark,
    is_plain,
    is_word,
    needs_no_joiner,
)
from gateway.core.model import Form
from gateway.core.offsets import Change, Offsets
from gateway.core.redact import Edit
from gateway.core.views import JsonView, PlainView, View

MARKS = 32
"""Characters that join a segment at most; the next begins another, whatever it is."""
OPEN = MARKS + 1
"""Characters that may wait, at most, for the segment that they stand in to be known."""
_SEEN = TAGS | DASHES
_BLOCK = 64
"""How much text is tried at once for being canonical as it stands."""


@dataclass(slots=True)
class _Dropped:
    """A run of dropped characters that is still going on, from the inner offset `start`."""

    start: int
    joined: int
    hides: bool = False
    hides_where_needless: bool = False
    zwj: bool = False


class CanonicalView:
    """Over `inner`. Looked-at offsets are those of the canonical text, raw ones those of the Field."""

    def __init__(self, inner: View) -> None:
        self._inner = inner
        self._offsets = Offsets()
        self._glued: list[int] = []
        self._read = 0
        self._looked = 0
        self._segment = ""
        self._start = 0
        self._end = 0
        self._dropped: _Dropped | None = None
        self._override = False
        self._half_flag = False
        self._before = ""
        self.hidden: list[tuple[int, int]] = []
        """Looked-at places of what hides something, in order: decoded tags, or (p, p) for a drop."""

    # -- reading

    def feed(self, raw: str) -> str:
        """The canonical text that this much more raw text makes known."""
        text = self._inner.feed(raw)
        if self._dropped or not (text and is_plain(text) and self._segment.isascii()):
            return self._feed(text)
        # Most text: this is all that it costs.
        held, last = self._segment, text[-1]
        self._read += len(text)
        self._start, self._end = self._read - 1, self._read
        self._before = last
        self._half_flag = False
        self._segment = last if last in COMPOSING else ""
        text = held + text[: len(text) - len(self._segment)]
        self._looked += len(text)
        return text

    def close(self) -> str:
        """What the end makes known."""
        text = self._feed(self._inner.close()) + self._flush()
        self._end_dropped(self._read)
        return text

    def _feed(self, text: str) -> str:
        pieces: list[str] = []
        at = 0
        while at < len(text):
            end = self._block(text, at)
            stable = at
            if end - at > 1 and unicodedata.is_normalized("NFKC", text[at:end]):
                stable = end - 1
                while stable > at and continues(text[stable]):
                    stable -= 1
            if stable > at:
                pieces.append(self._pass(text[at:stable]))
            pieces.extend([self._take(character) for character in text[stable:end]])
            at = end
        return "".join(pieces)

    def _block(self, text: str, at: int) -> int:
        """Where to read to from `at` in one go: no special character comes before."""
        if self._dropped or self._override or continues(text[at]):
            return at + 1
        end = min(at + _BLOCK, len(text))
        special = SPECIAL.search(text, at, end)
        return max(special.start(), at + 1) if special else end

    def _pass(self, text: str) -> str:
        """Whole segments that are canonical as they stand."""
        held = self._flush()
        self._read += len(text)
        self._looked += len(text)
        self._before = next(one for one in reversed(text) if not continues(one))
        self._half_flag = False
        return held + text

    def _take(self, character: str) -> str:
        self._read += 1
        if character in IGNORED:
            self._drop(character)
            return ""
        continuing = continues(character)
        if continuing and self._segment and len(self._segment) <= MARKS:
            self._segment += character
            self._end = self._read
            self._dropped = None
            self._half_flag = False
            return ""
        return self._begin(character, continuing=continuing)

    def _begin(self, character: str, *, continuing: bool) -> str:
        """A segment begins, so the one before it is known."""
        text = self._flush()
        seen = character if character < "\u2010" else character.translate(_SEEN)
        if self._dropped or self._override:
            self._judge_dropped(seen)
        if self._joins(character, split=continuing and text != ""):
            self._glued.append(self._looked)
        if self._dropped:
            self._end_dropped(self._read - 1)
        if seen != character and ord(character) in TAGS:
            self._hide(self._looked, 1)
        self._segment = seen
        if not continuing:
            self._before = seen
        self._start, self._end = self._read - 1, self._read
        if seen.isascii() and seen not in COMPOSING:
            text += self._flush()
        return text

    def _flush(self) -> str:
        """The segment in canonical form; it cannot change any more."""
        segment, self._segment = self._segment, ""
        if segment.isascii():
            self._looked += len(segment)
            return segment
        text = unicodedata.normalize("NFKC", segment).translate(DASHES)
        width = self._end - self._start
        looked_end = self._looked + len(text)
        if len(text) != width or (width > 1 and text != segment):
            self._offsets.add(Change(self._looked, looked_end, self._start, self._end, self._end))
        elif width > 1:
            self._glued.extend(
                self._looked + at for at, one in enumerate(text) if at and not is_mark(one)
            )
        self._looked = looked_end
        return text

    # -- what is dropped

    def _drop(self, character: str) -> None:
        at = self._read - 1
        run = self._dropped or _Dropped(at, at)
        if run.joined == at and character in EXTENDING:
            run.joined = self._read
        if character in SCRIPT_BOUND:
            run.hides_where_needless = True
        else:
            run.hides = True
        run.zwj = character == ZWJ
        self._override = self._override or character in OVERRIDES
        self._dropped = run

    def _judge_dropped(self, after: str) -> None:
        """Whether what was dropped before the character `after` hid something."""
        run, before = self._dropped, self._before
        if self._override:
            self._hide(self._looked, 0)
        elif run and before and is_word(before) and is_word(after):
            needless = needs_no_joiner(before) and needs_no_joiner(after)
            if run.hides or (run.hides_where_needless and needless):
                self._hide(self._looked, 0)

    def _end_dropped(self, end: int) -> None:
        if run := self._dropped:
            self._offsets.add(Change(self._looked, self._looked, run.start, end, run.joined))
            self._dropped = None

    def _hide(self, looked: int, length: int) -> None:
        self._override = False
        start = looked
        if length and self.hidden and self.hidden[-1][0] < self.hidden[-1][1] == looked:
            start = self.hidden.pop()[0]
        self.hidden.append((start, looked + length))

    def _joins(self, character: str, *, split: bool) -> bool:
        """Whether a segment that begins so belongs, to a reader, to the one before it. Marks do anyhow."""
        second = character in REGIONAL and self._half_flag
        self._half_flag = character in REGIONAL and not second
        if not self._looked:
            return False
        return (
            second
            or character in MODIFIERS
            or ord(character) in TAGS
            or (split and not is_mark(character))
            or (
                self._dropped is not None
                and self._dropped.zwj
                and unicodedata.category(character) in {"So", "Sm"}
            )
        )

    # -- the way back

    @property
    def regular(self) -> bool:
        """Whether, as far as is remembered, the canonical text runs beside the one below."""
        return not self._glued and not len(self._offsets)

    def snap(self, looked: int) -> int:
        """The last offset up to `looked` that cuts no atom, of this view or of the one below."""
        start, _ = self._offsets.atom(looked)
        inner = self._offsets.end_of(start)
        return start - (inner - self._inner.snap(inner))

    def atom(self, looked: int) -> tuple[int, int]:
        """The bounds of the atom that `looked` stands inside of, else (looked, looked)."""
        return self._offsets.atom(looked)

    def glued(self, looked: int) -> bool:
        """Whether the character at `looked` goes with the one before it, though it is no mark."""
        at = bisect_left(self._glued, looked)
        return at < len(self._glued) and self._glued[at] == looked

    def start(self, looked: int) -> int:
        """Where in the raw text the character at `looked` begins."""
        return self._inner.raw(self._offsets.start_of(looked))

    def end(self, looked: int) -> int:
        """Where in the raw text the character before `looked` ends."""
        return self._inner.raw(self._offsets.end_of(looked))

    def cut(self, looked: int) -> int:
        """The same, with the dropped characters that belong to that character."""
        return self._inner.raw(self._offsets.joined_end_of(looked))

    def edits(self, start: int, end: int, text: str) -> list[Edit]:
        """Raw edits that put `text` in the place of the looked-at [start, end)."""
        inner_start = self._offsets.start_of(start)
        return self._inner.edits(inner_start, self._offsets.joined_end_of(end), text)

    def stop(self, start: int, end: int) -> int:
        """The first place in looked-at [start, end] where what is written there stops for good."""
        inner_end = self._offsets.end_of(end)
        stop = self._inner.stop(self._offsets.start_of(start), inner_end)
        return end if stop >= inner_end else self._offsets.looked_of(stop)

    def forget(self, looked: int) -> None:
        """Nobody asks about text before `looked` any more."""
        self._offsets.forget(looked)
        del self._glued[: bisect_left(self._glued, looked)]
        at = bisect_left(self.hidden, (looked, 0))
        if at and self.hidden[at - 1][1] > looked:
            at -= 1
        del self.hidden[:at]


def view_of(form: Form) -> CanonicalView:
    """The view that a Field of this form is read by."""
    return CanonicalView(PlainView() if form is Form.PLAIN else JsonView())
