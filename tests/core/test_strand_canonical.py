"""A strand over hard texts: the same whatever the chunking, edits where a reader sees them, JSON valid."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.core import windows
from gateway.core.model import Form
from gateway.core.ports import Reach
from gateway.core.redact import Hash, Mask, Operator, Remove, Replace, Span
from gateway.core.strand import GRAPHEME, Strand
from tests.core.unicodes import ANY, PLACES, as_json
from tests.core.weaving import Look, cut, finder, spans, weave

SHORT = Reach(min=3, max=7, before=5, after=4)
RUNS_ON = Reach(min=4, max=9, before=3, after=5, run_on=12)
BARE = Reach(min=1, max=3, before=0, after=0, run_on=2)
WIDE = Reach(min=40, max=60, before=20, after=20)
DETECTORS: list[tuple[Reach, Look]] = [
    (SHORT, finder(r"\w+@\w+")),
    (RUNS_ON, finder(r"[a-z1]{3,}|1[1-]+|가-힣")),
    (BARE, finder(r"x|\u0301|é|[\U0001f400-\U0001f6ff]|fi")),
    (WIDE, finder(r"[ab]+(?= 1)|--+|\d+")),
]
CHOSEN = st.lists(st.integers(0, len(DETECTORS) - 1), min_size=1, max_size=4, unique=True)
OPERATORS = st.sampled_from([Replace(), Replace("--"), Mask(), Mask(2), Hash(), Remove()])
FORMS = st.sampled_from([Form.PLAIN, Form.JSON_TEXT])


def written(text: str, form: Form, *, escaped: bool) -> str:
    return text if form is Form.PLAIN else as_json(text, ascii_only=escaped)


WRITTEN = st.sampled_from([(Form.PLAIN, False), (Form.JSON_TEXT, False), (Form.JSON_TEXT, True)])


@given(ANY, PLACES, CHOSEN, OPERATORS, WRITTEN)
@example("👩\u200d👩\u200d👧", [1, 2], [2], Replace(), (Form.PLAIN, False))
@example("abc" * 20 + " b", [9, 14], [1], Replace(), (Form.PLAIN, False))
@example(" \u0301x" + "\u0301" * 90 + "x", [3, 70], [2], Replace(), (Form.PLAIN, False))
def test_a_stream_equals_the_whole(
    text: str, places: list[int], chosen: list[int], operator: Operator, way: tuple[Form, bool]
) -> None:
    form, escaped = way
    raw = written(text, form, escaped=escaped)
    detectors = [DETECTORS[index] for index in chosen]

    whole = "".join(weave([raw], detectors, form=form, operator=operator))

    assert "".join(weave(cut(raw, places), detectors, form=form, operator=operator)) == whole
    assert "".join(weave(list(raw), detectors, form=form, operator=operator)) == whole
    if form is Form.JSON_TEXT:
        json.loads(whole)


def course(
    pieces: Sequence[str], detectors: Sequence[tuple[Reach, Look]], form: Form
) -> Iterator[tuple[object, ...]]:
    """Each window in the order of decision: itself, what had left before, where its findings lie."""
    strand = Strand(form, [reach for reach, _ in detectors], b"")
    left = ""

    def settle() -> Iterator[tuple[object, ...]]:
        nonlocal left
        for due in strand.due():
            released = strand.release()
            left += released.rewritten if released else ""
            own = spans(due, detectors[due.detector][1], "pii", Replace())
            yield due.detector, due.window, left, [strand.place(s.start, s.end) for s in own]
            strand.decide(due, own)

    for piece in pieces:
        strand.feed(piece)
        yield from settle()
    strand.end()
    yield from settle()


@given(ANY, PLACES, CHOSEN, FORMS, st.booleans())
@example("ab1\U000e0041\U000e0042b", [4, 5], [0], Form.PLAIN, False)
@example("a\u202e b\u202e", [2, 4], [2], Form.PLAIN, False)
def test_windows_and_what_left_before_each_are_the_same_for_every_chunking(
    text: str, places: list[int], chosen: list[int], form: Form, escaped: bool
) -> None:
    """So a block or a hold stops a reply at the same place, and records tell the same places."""
    raw = written(text, form, escaped=escaped)
    detectors = [DETECTORS[index] for index in chosen]

    whole = list(course([raw], detectors, form))

    assert list(course(cut(raw, places), detectors, form)) == whole
    assert list(course(list(raw), detectors, form)) == whole


@given(ANY, PLACES, FORMS, st.booleans())
def test_what_is_not_edited_leaves_as_it_came(
    text: str, places: list[int], form: Form, escaped: bool
) -> None:
    raw = written(text, form, escaped=escaped)

    left = weave(cut(raw, places), [(SHORT, finder(r"(?!)")), (WIDE, finder(r"(?!)"))], form=form)

    assert "".join(left) == raw


MAIL = [(WIDE, finder(r"[\w.]+@[\w.]+"))]
SSN = [(WIDE, finder(r"\d{3}-\d{2}-\d{4}"))]


@pytest.mark.parametrize(
    ("raw", "detectors", "expected"),
    [
        ("to b\u200bob\uff20corp.example now", MAIL, "to <X> now"),
        ("to \u200bbob@x\u200b now", MAIL, "to \u200b<X>\u200b now"),
        ("no 123\u201145\u20116789.", SSN, "no <X>."),
        ("\U000e0062\U000e0040\U000e0063 hi", MAIL, "<X> hi"),
        ("aﬁb", [(WIDE, finder("i"))], "a<X>b"),
        ("ﬃ", [(WIDE, finder("^f|i"))], "<X>"),
        ("a👩\u200d👧b", [(WIDE, finder("👧"))], "a<X>b"),
        ("a❤\ufe0fb", [(WIDE, finder("❤"))], "a<X>b"),
        ("a❤\ufe0f", [(WIDE, finder("❤"))], "a<X>"),
        ("ax\u0301b", [(WIDE, finder("x"))], "a<X>b"),
        ("ax\u0301b", [(WIDE, finder("\u0301"))], "a<X>b"),
        ("a👍\U0001f3fd \U0001f1e9\U0001f1ea", [(WIDE, finder("👍|\U0001f1ea"))], "a<X> <X>"),
    ],
)
def test_an_edit_takes_what_a_reader_sees_as_one(
    raw: str, detectors: list[tuple[Reach, Look]], expected: str
) -> None:
    assert "".join(weave([raw], detectors, operator=Replace("<X>"))) == expected
    assert "".join(weave(list(raw), detectors, operator=Replace("<X>"))) == expected


@pytest.mark.parametrize(
    ("raw", "detectors", "expected"),
    [
        (r'{"m":"b\u200bob\uff20x, e"}', MAIL, '{"m":"<X>, e"}'),
        (r'["x\u0301 \ud83d\udc69\u200d\ud83d\udc67"]', [(WIDE, finder("x|👧"))], '["<X> <X>"]'),
        ('["ﬁ", 1]', [(WIDE, finder("f"))], '["<X>", 1]'),
    ],
)
def test_an_edit_of_json_maps_through_escapes(
    raw: str, detectors: list[tuple[Reach, Look]], expected: str
) -> None:
    assert (
        "".join(weave([raw], detectors, form=Form.JSON_TEXT, operator=Replace("<X>"))) == expected
    )


def test_marks_without_end_are_taken_up_to_a_bound() -> None:
    raw = "x" + "\u0301" * 200

    left = "".join(weave(list(raw), [(WIDE, finder("x"))], operator=Replace("")))

    assert left == "\u0301" * (200 - GRAPHEME)


def test_places_count_the_raw_text() -> None:
    strand = Strand(Form.PLAIN, [WIDE], b"")
    strand.feed("\u200bto b\u200bob\uff20ﬁ\u200b now")
    strand.end()
    (due,) = strand.due()
    assert due.window is not None
    start = due.window.text.index("bob@fi")

    assert due.window.text == "to bob@fi now"
    assert due.window.hidden == ((4, 4),)
    assert strand.place(start, start + 6) == (4, 10)
    assert strand.place(0, 2) == (1, 3)


# -- what nothing ends


URL = finder(r"http\S*")
LINK = Reach(min=4, max=8, before=8, after=8, run_on=30)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("see http://a.example/long/path/of/it and", "see <X> and"),
        ("http://a.example/long", "<X>"),
        ("http://a.exampl ok", "<X> ok"),
    ],
)
def test_a_finding_that_its_window_cuts_off_runs_on_to_white_space(raw: str, expected: str) -> None:
    assert "".join(weave([raw], [(LINK, URL)], operator=Replace("<X>"))) == expected
    assert "".join(weave(list(raw), [(LINK, URL)], operator=Replace("<X>"))) == expected


def once(reach: Reach, raw: str, form: Form = Form.PLAIN) -> list[str]:
    """A detector that sees the first window's last two characters alone."""

    def look(window: windows.Window) -> list[tuple[int, int]]:
        return [] if window.start else [(window.core_end - 1, len(window.text))]

    detectors = [(reach, look)]
    whole = weave([raw], detectors, form=form, operator=Replace("#"))
    stream = weave(list(raw), detectors, form=form, operator=Replace("#"))
    assert "".join(stream) == "".join(whole)
    return stream


def test_it_runs_on_so_far_and_no_further() -> None:
    raw = "a" * 60

    assert "".join(once(Reach(4, 8, 0, 1, run_on=10), raw)) == "a" * 7 + "#" + "a" * 41
    assert "".join(once(Reach(4, 8, 0, 1), raw)) == "a" * 7 + "#" + "a" * 51


def test_what_runs_on_waits_for_its_end_and_what_is_before_it_does_not() -> None:
    stream = once(Reach(4, 8, 0, 1, run_on=30), "a" * 20 + " " + "b" * 30)
    came = [index for index, left in enumerate(stream) if left]

    assert stream[came[0]] == "a" * 7
    assert came[0] < 12
    assert stream[came[1]].startswith("# ")
    assert came[1] > 20


def test_it_does_not_run_on_beyond_a_string_of_json() -> None:
    raw = '["aaaaaaaaaaaa","bbbb",1]'

    assert "".join(once(Reach(4, 8, 0, 1, run_on=30), raw, Form.JSON_TEXT)) == '["aaaaa#","bbbb",1]'


# -- the settle condition


def differing(texts: Sequence[str], detectors: Sequence[tuple[Reach, Look]]) -> int:
    return sum(
        "".join(weave(list(text), detectors)) != "".join(weave([text], detectors)) for text in texts
    )


def ends_of_windows(reach: Reach) -> list[str]:
    """Texts with a match that ends at each window's last character, and one before and after it.

    Of digits: nothing joins one, so that each is known as soon as it comes.
    """
    ends = [core + reach.after for core in range(reach.max, 5 * reach.max, reach.max)]
    return ["0" * (end + near - 1) + "1" + "0" * 20 for end in ends for near in (-1, 0, 1)]


@pytest.mark.parametrize("reach", [SHORT, RUNS_ON, WIDE, Reach(4, 8, 3, 2)])
def test_one_code_point_early_a_stream_would_differ(
    monkeypatch: pytest.MonkeyPatch, reach: Reach
) -> None:
    detectors = [(reach, finder(r"0{1,90}1"))]
    texts = ends_of_windows(reach)
    settled_at = windows.settled_at

    assert differing(texts, detectors) == 0

    monkeypatch.setattr(windows, "settled_at", lambda end, own: settled_at(end, own) - 1)
    assert differing(texts, detectors) > 0


def test_nothing_more_leaves_before_another_decision() -> None:
    strand = Strand(Form.PLAIN, [SHORT], b"")
    strand.feed("abc def ghi jkl")
    first = strand.due()[0]
    strand.decide(first, [Span(0, 3, "pii", 1.0, Remove())])

    assert strand.release() is not None
    assert strand.release() is None
