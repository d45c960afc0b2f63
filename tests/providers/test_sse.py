"""Every cut of an event stream gives the same payloads."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.providers.sse import EventParser, EventTooLargeError

lines = st.sampled_from(
    [
        b"",
        b"",
        b"data: {}",
        b"data:x",
        b"data",
        b"data:  two",
        b": ping",
        b"event: e",
        b"id",
        b"datum",
    ]
) | st.builds(lambda text: b"data: " + text.encode(), st.text(max_size=6))
ends = st.sampled_from([b"\n", b"\r\n", b"\r"])
streams = st.lists(st.tuples(lines, ends)).map(lambda pairs: b"".join(a + b for a, b in pairs))
starts = st.sampled_from([b"", b"\xef\xbb\xbf"])


def cut(data: bytes, places: list[int]) -> list[bytes]:
    borders = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(borders)]


def parse(reads: list[bytes], **options: int) -> list[bytes]:
    parser = EventParser(**options)
    return [payload for read in reads for payload in parser.feed(read)]


def by_the_book(data: bytes) -> list[bytes]:
    """The WHATWG algorithm, line by line over the whole text."""
    payloads, held, seen = [], b"", False
    *whole, _ = re.split(rb"\r\n|\n|\r", data.removeprefix(b"\xef\xbb\xbf"))
    for line in whole:
        if line == b"":
            payloads += [held[:-1]] if seen else []
            held, seen = b"", False
            continue
        name, _, value = line.partition(b":")
        if name == b"data":
            held, seen = held + value.removeprefix(b" ") + b"\n", True
    return payloads


@given(starts, streams, st.lists(st.integers(min_value=0), max_size=12))
def test_any_cut_gives_what_the_standard_says(start, stream, places):
    assert parse(cut(start + stream, places)) == by_the_book(start + stream)


@given(streams)
def test_one_byte_at_a_time_gives_the_same(stream):
    assert parse([bytes([byte]) for byte in stream]) == by_the_book(stream)


@given(st.binary(max_size=200), st.lists(st.integers(min_value=0), max_size=8))
def test_arbitrary_bytes_are_cut_invariant_too(data, places):
    assert parse(cut(data, places)) == by_the_book(data)


def test_a_character_split_between_reads_arrives_whole():
    whole = "data: Grüße 🎉\n\n".encode()
    for place in range(len(whole)):
        assert parse([whole[:place], whole[place:]]) == ["Grüße 🎉".encode()]


def test_an_event_whose_end_never_comes_is_never_given():
    assert parse([b"data: half\n", b"data: more"]) == []


@pytest.mark.parametrize(
    "flood",
    [
        pytest.param([b"data: " + b"x" * 60] * 2, id="one line in pieces"),
        pytest.param([b"data: " + b"x" * 120 + b"\n\n"], id="one line at once"),
        pytest.param([b"data: xxxxxxxxx\n"] * 20, id="many lines of one event"),
        pytest.param([b": " + b"x" * 120], id="a comment without an end"),
        pytest.param([b"data:\n"] * 200, id="empty lines of one event"),
    ],
)
def test_an_event_past_the_cap_is_refused(flood):
    with pytest.raises(EventTooLargeError):
        parse(flood, cap=100)


def test_many_events_together_may_pass_the_cap_that_each_keeps():
    assert parse([b"data: 0123456789\n\n" * 50], cap=100) == [b"0123456789"] * 50
