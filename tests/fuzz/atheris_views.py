"""Target: text through each view: cut anywhere it reads the same, and an edit keeps JSON valid."""

from __future__ import annotations

import json

from gateway.core.canonical import CanonicalView, view_of
from gateway.core.model import Form
from gateway.core.redact import Edit


def look(data: bytes) -> None:
    """Three bytes say which form, where it is cut, and what is edited."""
    if len(data) < 3:
        return
    form = tuple(Form)[data[0] % len(Form)]
    text = data[3:].decode("utf-8", "replace")
    step = data[1] % 16 + 1
    whole, read = view_of(form), view_of(form)
    looked = whole.feed(text) + whole.close()
    pieces = [read.feed(text[at : at + step]) for at in range(0, len(text), step)]
    assert "".join(pieces) + read.close() == looked, "a cut changes what is read"
    assert whole.hidden == read.hidden
    maps_back(whole, read, len(looked), len(text))
    start = whole.snap(data[2] % (len(looked) + 1))
    edits_stay_json(form, text, whole, start, whole.snap(min(start + step, len(looked))))


def maps_back(whole: CanonicalView, read: CanonicalView, looked: int, raw: int) -> None:
    """Offsets lead back in order, within the raw text, however it came."""
    last = 0
    for at in range(looked + 1):
        safe = whole.snap(at)
        assert safe == read.snap(at)
        assert safe <= at
        start, end = whole.start(safe), whole.end(safe)
        assert (start, end) == (read.start(safe), read.end(safe))
        assert last <= start <= raw
        assert end <= raw
        last = start


def edits_stay_json(form: Form, text: str, view: CanonicalView, start: int, end: int) -> None:
    if start >= end:
        return
    edits: list[Edit] = view.edits(start, end, 'm"k')
    assert [(e.start, e.end) for e in edits] == sorted((e.start, e.end) for e in edits)
    made = text
    for edit in reversed(edits):
        assert 0 <= edit.start <= edit.end <= len(text)
        made = made[: edit.start] + edit.text + made[edit.end :]
    if is_json(text) and form is not Form.PLAIN:
        assert is_json(made), "an edit breaks JSON"


def is_json(text: str) -> bool:
    try:
        json.loads(text, parse_constant=_refused)
    except (ValueError, RecursionError):
        return False
    return True


def _refused(word: str) -> None:
    raise ValueError(word)


SEEDS = (
    b'\x01\x03\x02{"to":"a\\u0062\\n\\ud83d\\ude00","n":[1.5e3,-0,true,null]}',
    b'\x01\x05\x09{"a":"\\ud83d","b":"\\\\"}',
    b"\x00\x01\x01plain \xe2\x80\x8b text \xf0\x9f\x98\x80",
    b"\x02\x01\x01not json",
)
