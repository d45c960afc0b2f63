"""Numbers are those of Presidio's own recognizer, on whole texts and around every core."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.detectors.pii.phone import PhoneFinder
from tests.detectors.pii.samples import TABLE, labelled

PIECES = st.sampled_from(
    ["212", "555", "0123", "(212)", "+1", "+49", "030", "0", "1640", "-", " - ", "/", ".", ". ", " ", "x", "ext. 12",
     ";ext=7", "\uff0b", "\u0661", "\u2013", "a", "$", "08:00", "2012-01-02", "4111", "(2003)", "\n", "00", "44"]
)  # fmt: skip


@pytest.fixture(scope="module")
def recognizer(workshop, stock):
    (found,) = (each for each in workshop._shelf if type(each).__name__ == "PhoneRecognizer")
    return found


@pytest.fixture(scope="module")
def finder(recognizer) -> PhoneFinder:
    return PhoneFinder(tuple(recognizer.supported_regions), recognizer.leniency)


def theirs(recognizer, text: str) -> set[tuple[int, int]]:
    return {(each.start, each.end) for each in recognizer.analyze(text, ["PHONE_NUMBER"])}


def ours(finder: PhoneFinder, text: str) -> set[tuple[int, int]]:
    """The spans without those inside another, as the recognizer itself gives them."""
    found = finder.spans(text, 0, len(text))
    return {
        (start, end)
        for start, end in found
        if not any(a <= start and end <= b and (a, b) != (start, end) for a, b in found)
    }


@pytest.mark.parametrize("text", TABLE)
def test_numbers_are_those_of_presidio(text, recognizer, finder) -> None:
    assert ours(finder, text) == theirs(recognizer, text)


def test_numbers_are_those_of_presidio_on_labelled_texts(recognizer, finder) -> None:
    texts = list(labelled(every=9))
    if not texts:
        pytest.skip("the labelled sets are not on this machine")
    found = 0
    for text in texts:
        expected = theirs(recognizer, text)
        found += len(expected)
        assert ours(finder, text) == expected
    assert found > 50


def test_numbers_are_those_of_presidio_on_odd_texts(recognizer, finder) -> None:
    @settings(max_examples=400)
    @given(st.lists(PIECES, max_size=14).map("".join))
    def holds(text: str) -> None:
        assert ours(finder, text) == theirs(recognizer, text)

    holds()


def test_a_core_gets_every_number_that_meets_it_and_looks_no_further(finder) -> None:
    text = "a (212) 555-0123, and somewhat later, in the same text, 030 23125 0 as well"
    numbers = finder.spans(text, 0, len(text))
    assert len(numbers) == 2
    for start in range(len(text)):
        meeting = {each for each in numbers if each[0] < start + 1 and each[1] > start}
        assert meeting <= finder.spans(text, start, start + 1)
    assert finder.spans(text, 25, 30) == set()
