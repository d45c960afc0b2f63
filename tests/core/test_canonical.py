"""What detectors see is canonical, the same for every chunking, and leads back to the raw text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.core.canonical import MARKS, OPEN, CanonicalView, view_of
from gateway.core.characters import COMPOSING, DASHES, IGNORED, TAGS, continues
from gateway.core.model import Form
from gateway.core.redact import apply
from gateway.core.views import PlainView
from tests.core.unicodes import ANY, PLACES, as_json
from tests.core.weaving import cut

FORMS = st.sampled_from([Form.PLAIN, Form.JSON_TEXT])


def read(pieces: list[str], form: Form = Form.PLAIN) -> tuple[str, CanonicalView]:
    view = view_of(form)
    return "".join([view.feed(piece) for piece in pieces]) + view.close(), view


def canonical(text: str) -> str:
    return read([text])[0]


def segments(text: str) -> list[str]:
    """The kept characters by segment, worked out the slow way from the whole text."""
    kept = "".join(one for one in text if one not in IGNORED).translate(TAGS).translate(DASHES)
    found: list[str] = []
    grows = False
    for character in kept:
        if grows and continues(character) and len(found[-1]) <= MARKS:
            found[-1] += character
        else:
            found.append(character)
            grows = not character.isascii() or character in COMPOSING
    return found


@pytest.mark.parametrize(
    ("raw", "looked"),
    [
        ("bob\uff20\uff43orp\uff0eexample", "bob@corp.example"),
        ("123\u201145\u20116789", "123-45-6789"),
        ("\u2010\u2011\u2012\u2013\u2212\ufe58\ufe63\uff0d\u207b", "---------"),
        ("a—b", "a—b"),
        ("b\u200bo\u200cb\u200d@\u2060c\ufefforp\u180e", "bob@corp"),
        ("a\u202eb\u2066c\u061cd\u00ade", "abcde"),
        ("❤\ufe0f e\u034f\u0301", "❤ é"),
        ("x\U000e0068\U000e0069\U000e007f", "xhi"),
        ("e\u0301 ﬁ ½ \u1112\u1161\u11ab", "é fi 1\u20442 한"),
        ("a\ud800\u0301b", "a\ud800\u0301b"),
        ("\u3164\u115fx", "x"),
        ("b\0o\x1bb\x7f@\x9fcorp\t\n\v\f\r\x85.", "bob@corp\t\n\v\f\r\x85."),
    ],
)
def test_what_is_looked_at(raw: str, looked: str) -> None:
    assert canonical(raw) == looked


@given(ANY)
def test_the_canonical_text_is_nfkc_of_its_segments_with_the_drops_applied(text: str) -> None:
    own = [unicodedata.normalize("NFKC", one).translate(DASHES) for one in segments(text)]

    assert canonical(text) == "".join(own)
    if max(map(len, segments(text)), default=0) <= MARKS:
        whole = "".join(segments(text))
        assert canonical(text) == unicodedata.normalize("NFKC", whole).translate(DASHES)


@given(ANY, PLACES, FORMS, st.booleans())
@example("b\u0301", [0], Form.JSON_TEXT, False)
@example("a\u200b", [1], Form.PLAIN, False)
@example("1" + "\u0301" * 70 + "a", [1, 33, 34, 66], Form.PLAIN, False)
def test_every_chunking_gives_the_same_text_map_and_marks(
    text: str, places: list[int], form: Form, escaped: bool
) -> None:
    raw = text if form is Form.PLAIN else as_json(text, ascii_only=escaped)

    def told(pieces: list[str]) -> tuple[object, ...]:
        looked, view = read(pieces, form)
        at = range(len(looked) + 1)
        ways = [(view.start(i), view.end(i), view.cut(i), view.snap(i), view.atom(i)) for i in at]
        return looked, ways, [view.glued(i) for i in at], view.hidden

    whole = told([raw])
    assert told(cut(raw, places)) == whole
    assert told(list(raw)) == whole


@given(ANY)
def test_what_a_character_came_from_is_canonically_that_character(text: str) -> None:
    looked, view = read([text])
    at = 0
    while at < len(looked):
        start, end = at, at + 1
        while view.atom(end) != (end, end):
            end += 1
        own = text[view.start(start) : view.end(end)]
        if not any(continues(character) for character in own):
            assert canonical(own) == looked[start:end]
        assert own[0] not in IGNORED
        assert own[-1] not in IGNORED
        assert view.end(start) <= view.cut(start) <= view.start(start) < view.end(end)
        at = end


@given(ANY)
def test_what_lies_between_characters_is_dropped(text: str) -> None:
    looked, view = read([text])
    if looked:
        for at in range(len(looked) + 1):
            if view.atom(at) == (at, at):
                before = view.end(at)
                after = view.start(at) if at < len(looked) else len(text)
                assert all(character in IGNORED for character in text[before:after])


@given(ANY)
def test_an_edit_of_everything_leaves_only_what_nobody_sees(text: str) -> None:
    looked, view = read([text])
    if looked:
        left = apply(text, view.edits(0, len(looked), "#"))
        assert set(left) - IGNORED == {"#"}


def test_ascii_is_itself_and_needs_no_map() -> None:
    looked, view = read(["Plain ", "text", " it is.", ""])

    assert looked == "Plain text it is."
    assert len(view._offsets) == 0
    assert [view.start(at) for at in (0, 5, 17)] == [0, 5, 17]


def test_of_ascii_only_a_character_that_could_still_compose_waits() -> None:
    view = view_of(Form.PLAIN)

    assert view.feed("one 1.") == "one 1."
    assert view.feed(" a") == " "
    assert view.feed("\u0301") == ""
    assert view.feed("b") == "á"
    assert view.close() == "b"


def test_no_more_waits_than_is_said() -> None:
    view = view_of(Form.PLAIN)
    told = len(view.feed("क" + "\u0323" * 1000))

    assert 1001 - told <= OPEN


def test_an_expansion_is_an_atom() -> None:
    _, view = read(["aﬁb"])

    assert [view.atom(at) for at in range(5)] == [(0, 0), (1, 1), (1, 3), (3, 3), (4, 4)]
    assert view.snap(2) == 1
    assert view.edits(1, 3, "#")[0].start == 1
    assert view.edits(1, 3, "#")[0].end == 2


@pytest.mark.parametrize(
    ("raw", "hidden"),
    [
        ("pass\u200bword", [(4, 4)]),
        ("pass\u00adword é\u2060é", [(4, 4), (10, 10)]),
        ("pass\u200b word \u200b.", []),
        ("a\u200db", [(1, 1)]),
        ("a\u200eb א\u200eב", [(1, 1)]),
        ("ن\u200cم क\u200dष 👩\u200d👧 ❤\ufe0f 漢\U000e0101字", []),
        ("\ufeffbom", []),
        ("e\u0301\u0323e", []),
        ("pass\x00word \x1b[0m.", [(4, 4)]),
        ("x \u202e.abc", [(2, 2)]),
        ("\u202eabc", [(0, 0)]),
        ("a\u2066b", [(1, 1)]),
        ("hi \U000e0068\U000e0069\U000e0020!", [(3, 6)]),
        ("a\U000e0068b\U000e0069", [(1, 2), (3, 4)]),
        ("bob@corp.example, naïve \u2013 ok", []),
    ],
)
def test_what_hides_something_is_marked(raw: str, hidden: list[tuple[int, int]]) -> None:
    assert read([raw])[1].hidden == hidden


@pytest.mark.parametrize(
    ("raw", "whole"),
    [
        ("👩\u200d👧", True),
        ("👍\U0001f3fd", True),
        ("\U0001f1e9\U0001f1ea", True),
        ("a\u200db", False),
        ("👩👧", False),
        ("e\U000e0068", True),
    ],
)
def test_what_a_reader_sees_as_one_is_glued(raw: str, whole: bool) -> None:
    looked, view = read([raw])

    assert len(looked) == 2
    assert view.glued(1) is whole


def test_flags_pair_off() -> None:
    _, view = read(["\U0001f1e9\U0001f1ea" * 2])

    assert [view.glued(at) for at in range(4)] == [False, True, False, True]


@given(ANY, st.integers(0, 30))
def test_what_is_forgotten_changes_no_later_answer(text: str, place: int) -> None:
    looked, view = read([text])
    keep = view.atom(min(place, len(looked)))[0]
    at = range(keep, len(looked) + 1)

    def told() -> list[object]:
        ways = [(view.start(i), view.end(i), view.cut(i), view.atom(i), view.glued(i)) for i in at]
        return [ways, [one for one in view.hidden if one[0] >= keep or one[1] > keep]]

    before = told()
    view.forget(keep)
    assert told() == before


def test_it_stands_over_any_view() -> None:
    view = CanonicalView(PlainView())

    assert view.feed("\uff11 ") == "1 "
