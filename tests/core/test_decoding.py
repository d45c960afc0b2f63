"""Readings of a window lead back into it, hold whole what was encoded, and are few."""

from __future__ import annotations

import argparse
import base64
import inspect
import textwrap
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.decoding import MOST, Decoded, decoded
from gateway.core.model import Window

MAIL = "john.doe@example.com"
BASE64 = base64.b64encode(f"mail {MAIL} now".encode()).decode()
HEX = f"mail {MAIL} now".encode().hex()
ENGLISH = (
    "The caller said that he would write again about the invoice of the 12th (100% of it), and that "
    "R&D at AT&T, counter-revolutionaries and internationalization were no concern of www.example.com. "
)


def window(text: str, core_start: int = 0, core_end: int | None = None) -> Window:
    return Window(text, 0, core_start, len(text) if core_end is None else core_end)


def spans(text: str, wanted: str = MAIL) -> set[str]:
    """What of the text the readings that show `wanted` give it back as."""
    found: set[str] = set()
    for reading in decoded(window(text)):
        at = reading.window.text.find(wanted)
        span = reading.raw(at, at + len(wanted)) if at >= 0 else None
        if span:
            found.add(text[slice(*span)])
    return found


@pytest.mark.parametrize(
    ("text", "raw"),
    [
        ("to john.doe%40example.com!", "john.doe%40example.com"),
        ("to %6Aohn.doe&#64;example%2Ecom!", "%6Aohn.doe&#64;example%2Ecom"),
        (f"see {BASE64} .", BASE64),
        (f"see {HEX} .", HEX),
        # One inside the other.
        ("to john.doe%2540example.com!", "john.doe%2540example.com"),
        ("to john.doe&#37;40example.com!", "john.doe&#37;40example.com"),
        (f"see {quote(BASE64, safe='')} .", quote(BASE64, safe="")),
    ],
)
def test_what_is_encoded_is_read_and_given_back_whole(text: str, raw: str) -> None:
    assert raw in spans(text)


def test_url_encoding_inside_base64_is_read_and_given_back_as_the_whole_run() -> None:
    run = base64.b64encode(quote(f"mail {MAIL} now", safe="").encode()).decode()

    assert spans(f"see {run} .") == {run}


def test_two_levels_of_nesting_are_not_read() -> None:
    assert spans("john.doe%252540example.com") == set()


def test_a_run_is_given_back_whole_whatever_of_it_is_asked_for() -> None:
    text = f"see {BASE64} ."
    (reading,) = decoded(window(text))

    for at in range(len("see "), len("see ") + len("mail")):
        assert reading.raw(at, at + 1) == (4, 4 + len(BASE64))


def test_what_is_beside_everything_decoded_is_the_plain_readings() -> None:
    (reading,) = decoded(window("bob@corp.example and a%20blue bird"))

    assert reading.window.text == "bob@corp.example and a blue bird"
    assert reading.raw(0, 16) is None
    assert reading.raw(23, 27) == (25, 29)  # it borders on what was decoded
    assert reading.raw(28, 32) is None


@pytest.mark.parametrize(
    ("core", "read"),
    [
        ((10, 14), f"mail {MAIL} now"),
        ((0, 5), f"see mail {MAIL} now"),
        ((43, 46), f"mail {MAIL} now ."),
        ((44, 46), " ."),
        ((0, 4), "see "),
    ],
)
def test_the_core_is_widened_to_what_is_encoded_across_its_edges(
    core: tuple[int, int], read: str
) -> None:
    (reading,) = decoded(window(f"see {BASE64} .", *core))

    inner = reading.window
    assert inner.text[inner.core_start : inner.core_end] == read


def test_the_readings_of_both_sorts_together_are_told_once() -> None:
    texts = [one.window.text for one in decoded(window(f"a%20b {BASE64}"))]

    assert texts == [f"a b {BASE64}", f"a%20b mail {MAIL} now", f"a b mail {MAIL} now"]


@pytest.mark.parametrize("source", [textwrap, argparse, inspect])
def test_code_says_next_to_nothing_else(source: object) -> None:
    text = inspect.getsource(source)  # type: ignore[arg-type]
    windows = [window(text[at : at + 232]) for at in range(0, len(text), 64)]

    assert sum(bool(decoded(one)) for one in windows) <= len(windows) * 0.02


def test_plain_english_says_nothing_else() -> None:
    text = ENGLISH * 4
    assert all(decoded(window(text[at : at + 232])) == () for at in range(len(ENGLISH)))


def test_a_reading_hides_nothing_itself() -> None:
    (reading,) = decoded(Window("a%20b", 7, 1, 5, ((2, 2),)))

    assert reading.window == Window("a b", 7, 1, 3)


ANYTHING = st.lists(
    st.sampled_from(
        ["%", "&#", "64;", "40", "%C3%A9", "&lt;", " ", "\n", "=", BASE64, HEX, "\\x41"]
    )
    | st.text(max_size=20)
    | st.binary(max_size=40).map(lambda data: base64.b64encode(data).decode())
    | st.binary(max_size=40).map(lambda data: data.hex(" ")),
    max_size=12,
).map("".join)


@given(ANYTHING, st.integers(0, 300), st.integers(0, 300), st.integers(0, 900), st.integers(0, 900))
def test_any_span_of_any_reading_lies_inside_the_window(
    text: str, core_start: int, core: int, one: int, other: int
) -> None:
    core_start = min(core_start, len(text))
    asked = window(text, core_start, min(core_start + core, len(text)))

    readings = decoded(asked)

    assert len(readings) <= MOST
    assert len({reading.window.text for reading in readings} | {text}) == len(readings) + 1
    for reading in readings:
        _holds(reading, asked, one, other)


def _holds(reading: Decoded, asked: Window, one: int, other: int) -> None:
    read = reading.window
    assert 0 <= read.core_start <= read.core_end <= len(read.text)
    start, end = sorted((min(one, len(read.text)), min(other, len(read.text))))
    span = reading.raw(start, end)
    if span and start < end:
        assert 0 <= span[0] <= span[1] <= len(asked.text)
        for inner in range(start, end):
            part = reading.raw(inner, inner + 1)
            assert part is None or (span[0] <= part[0] <= part[1] <= span[1])


@given(ANYTHING)
def test_what_meets_the_core_of_a_reading_meets_the_core_of_the_window(text: str) -> None:
    middle = len(text) // 2
    asked = window(text, middle, min(middle + 9, len(text)))
    for reading in decoded(asked):
        read = reading.window
        for at in range(len(read.text)):
            span = reading.raw(at, at + 1)
            if span and span[0] < asked.core_end and span[1] > asked.core_start:
                assert read.core_start <= at < read.core_end


@given(st.text(st.sampled_from("aA4%&#x;\\u-= +/\n"), max_size=60), st.integers(1, 40))
def test_the_work_is_bounded_by_the_text(text: str, times: int) -> None:
    long = text * times
    readings = decoded(window(long))

    assert len(readings) <= MOST
    assert sum(len(one.window.text) for one in readings) <= 60 * max(len(long), 1)
