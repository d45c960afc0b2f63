"""A strand driven by plain functions as detectors: what the property tests of core compare."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

from gateway.core.model import Form, Window
from gateway.core.ports import Reach
from gateway.core.redact import Operator, Replace, Span
from gateway.core.strand import Due, Strand

Look = Callable[[Window], list[tuple[int, int]]]


def finder(pattern: str) -> Look:
    compiled = re.compile(pattern)
    return lambda window: [match.span() for match in compiled.finditer(window.text)]


def spans(due: Due, look: Look, label: str, operator: Operator) -> list[Span]:
    window = due.window
    if window is None:
        return []
    core = window.start + window.core_start
    end = window.start + window.core_end
    return [
        Span(max(window.start + start, core), window.start + stop, label, 1.0, operator)
        for start, stop in look(window)
        if window.start + start < end and window.start + stop > core
    ]


def weave(
    pieces: Sequence[str],
    detectors: Sequence[tuple[Reach, Look]],
    *,
    form: Form = Form.PLAIN,
    operator: Operator | None = None,
) -> list[str]:
    """What left after each piece, and after the end."""
    strand = Strand(form, [reach for reach, _ in detectors], b"secret")
    left: list[str] = []

    def settle() -> None:
        for due in strand.due():
            look = detectors[due.detector][1] if detectors else finder(r"(?!)")
            strand.decide(due, spans(due, look, f"pii.d{due.detector}", operator or Replace()))
        released = strand.release()
        left.append(released.rewritten if released else "")

    for piece in pieces:
        strand.feed(piece)
        settle()
    strand.end()
    settle()
    return left


def cut(text: str, places: Sequence[int]) -> list[str]:
    """The text cut at these places, taken modulo its length."""
    marks = sorted({place % (len(text) + 1) for place in places} | {0, len(text)})
    return [text[a:b] for a, b in pairwise(marks)]
