"""What `wardgate.guard` answers: the decision, each finding in the field it lies in, the rewritten text.

A finding says where and what sort, never the words themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from gateway.core.model import Call, Passage, dotted
from gateway.core.policy import Judged, Judgement, Ruling


def body(call: Call, judgement: Judgement) -> bytes:
    """`call` is as rewritten. Offsets count code points of the field's own text, as it came."""
    kept = "text" if call.body.get("text") is not None else "messages"
    return orjson.dumps(
        {
            "object": "guard",
            "id": call.id,
            "policy": judgement.policy,
            "action": judgement.action.word,
            "findings": [
                *(row for one in judgement.judged for row in _findings(one)),
                *(_finding(ruling, dotted(path), 0, 0) for path, ruling in judgement.shown),
            ],
            "coverage": _coverage(judgement),
            kept: call.body[kept],
        }
    )


def _findings(judged: Judged) -> Iterator[dict[str, Any]]:
    for ruling in judged.rulings:
        for path, start, end in _dealt(judged.passage, ruling.finding.start, ruling.finding.end):
            yield _finding(ruling, path, start, end)


def _finding(ruling: Ruling, path: str, start: int, end: int) -> dict[str, Any]:
    return {
        "path": path,
        "label": ruling.finding.label,
        "score": ruling.finding.score,
        "start": start,
        "end": end,
        "detector": ruling.finding.detector,
        "version": ruling.finding.version,
        "rule": ruling.rule,
        "action": ruling.action.word,
    }


def _dealt(passage: Passage, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    """The fields that [start, end) meets, with where in each; an empty range lies in one field."""
    begin, last = 0, len(passage.fields) - 1
    for place, field in enumerate(passage.fields):
        close = begin + len(field.text)
        if max(start, begin) < min(end, close):
            yield dotted(field.path), max(start, begin) - begin, min(end, close) - begin
        elif start == end and (begin <= start < close or (start >= close and place == last)):
            yield dotted(field.path), start - begin, start - begin
        begin = close


def _coverage(judgement: Judgement) -> dict[str, dict[str, str]]:
    """By detector and field, whether it has looked."""
    told: dict[str, dict[str, str]] = {}
    for one in judgement.judged:
        for detector, status in one.coverage.items():
            paths = told.setdefault(detector, {})
            paths.update((dotted(field.path), str(status)) for field in one.passage.fields)
    return told
