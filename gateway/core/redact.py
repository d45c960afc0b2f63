"""Operators, and how overlapping spans become one rewriting. Pure; knows nothing of detection or policy.

Every character of a cluster is rewritten and no other is changed. What an operator returns depends on
the cluster's label and text alone.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, TypeAlias


@dataclass(frozen=True, slots=True)
class Replace:
    """`<EMAIL_ADDRESS>`, or the operator's own words."""

    strictness: ClassVar[int] = 2
    text: str | None = None

    def rewrite(self, label: str, _text: str, _secret: bytes) -> str:
        return self.text if self.text is not None else f"<{placeholder(label)}>"


@dataclass(frozen=True, slots=True)
class Mask:
    """Each character becomes `character`, but for the last `keep_last` (0 and up), which stay.

    A mark at the head of those goes as well: it belongs to a character that does not stay.
    """

    strictness: ClassVar[int] = 0
    keep_last: int = 0
    character: str = "*"

    def rewrite(self, _label: str, text: str, _secret: bytes) -> str:
        masked = max(len(text) - self.keep_last, 0)
        while 0 < masked < len(text) and unicodedata.category(text[masked])[0] == "M":
            masked += 1
        return self.character * masked + text[masked:]


@dataclass(frozen=True, slots=True)
class Hash:
    """`<EMAIL_ADDRESS:` and 16 hex digits of a keyed hash `>`: equal texts stay equal, unreadable."""

    strictness: ClassVar[int] = 1

    def rewrite(self, label: str, text: str, secret: bytes) -> str:
        digest = hmac.new(secret, text.encode("utf-8", "surrogatepass"), hashlib.sha256)
        return f"<{placeholder(label)}:{digest.hexdigest()[:16]}>"


@dataclass(frozen=True, slots=True)
class Remove:
    """Nothing is left."""

    strictness: ClassVar[int] = 3

    def rewrite(self, _label: str, _text: str, _secret: bytes) -> str:
        return ""


Operator: TypeAlias = Replace | Mask | Hash | Remove


def placeholder(label: str) -> str:
    """The last part of a label in capitals: `pii.email_address` is `EMAIL_ADDRESS`."""
    return label.rpartition(".")[2].upper()


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of text that a ruling wants rewritten."""

    start: int
    end: int
    label: str
    score: float
    operator: Operator


@dataclass(frozen=True, slots=True)
class Cluster:
    """Spans that overlap or touch, rewritten once."""

    start: int
    end: int
    spans: tuple[Span, ...]

    @property
    def leading(self) -> Span:
        """The span that names the cluster: strictest operator, then longest, best, first."""
        return min(
            self.spans,
            key=lambda s: (-s.operator.strictness, s.start - s.end, -s.score, s.start, s.label),
        )

    def rewrite(self, text: str, secret: bytes) -> str:
        """What stands in the place of `text`, the cluster's own text."""
        lead = self.leading
        return lead.operator.rewrite(lead.label, text, secret)


def clusters(spans: Iterable[Span]) -> list[Cluster]:
    """Group spans that overlap or touch, in order of place. Empty spans rewrite nothing."""
    grouped: list[Cluster] = []
    ordered = sorted(
        (span for span in spans if span.start < span.end),
        key=lambda span: (span.start, span.end, span.label),
    )
    for span in ordered:
        if grouped and span.start <= grouped[-1].end:
            last = grouped[-1]
            grouped[-1] = Cluster(last.start, max(last.end, span.end), (*last.spans, span))
        else:
            grouped.append(Cluster(span.start, span.end, (span,)))
    return grouped


@dataclass(frozen=True, slots=True)
class Edit:
    """Put `text` in the place of [start, end). Edits of one text never overlap."""

    start: int
    end: int
    text: str


def apply(text: str, edits: Sequence[Edit], start: int = 0) -> str:
    """`text`, which begins at offset `start`, with the edits done; edits are in order of place."""
    pieces: list[str] = []
    at = start
    for edit in edits:
        pieces.append(text[at - start : edit.start - start])
        pieces.append(edit.text)
        at = edit.end
    pieces.append(text[at - start :])
    return "".join(pieces)


def share(edits: Sequence[Edit], lengths: Sequence[int]) -> list[list[Edit]]:
    """Deal the edits of a joined text to the pieces it was joined from.

    An edit that crosses a border puts its text into the first piece it meets and cuts the others.
    """
    dealt: list[list[Edit]] = []
    begin = 0
    for length in lengths:
        end = begin + length
        dealt.append(
            [
                Edit(
                    max(edit.start, begin) - begin,
                    min(edit.end, end) - begin,
                    edit.text if edit.start >= begin else "",
                )
                for edit in edits
                if edit.start < end and edit.end > begin
            ]
        )
        begin = end
    return dealt
