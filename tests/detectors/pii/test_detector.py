"""The pii detector keeps the contract, finds what it is asked for, and lets the first text out early."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.core.model import Window
from gateway.core.windows import NUDGE
from gateway.detectors.pii.detector import NAMES_REACH, PATTERNS_REACH, PiiDetector
from gateway.detectors.pii.options import PiiOptions
from tests.detectors.contract import DetectorContract, characters, seen, windows_of
from tests.detectors.pii.samples import SEVEN, TABLE, hits

PATTERNS = SEVEN[2:]
FILLER = "It was said that nothing of this kind should be kept in the ticket, and so it was not. "
SAMPLE = (FILLER + "The caller was Maria Garcia from Madrid. " + FILLER * 2).join(
    text for text in TABLE if text.strip()
)


class TestPatternsKeepTheContract(DetectorContract):
    text = SAMPLE

    @pytest.fixture
    def detector(self, workshop) -> PiiDetector:
        return workshop.build(PiiOptions(entities=(*PATTERNS, "IBAN_CODE")))


class TestNamesKeepTheContract(DetectorContract):
    text = SAMPLE
    exact = False

    @pytest.fixture
    def detector(self, workshop) -> PiiDetector:
        return workshop.build(PiiOptions(entities=SEVEN))


def test_the_first_text_leaves_early() -> None:
    assert PATTERNS_REACH.max + NUDGE + PATTERNS_REACH.after <= 152
    assert NAMES_REACH.max + NUDGE + NAMES_REACH.after <= 650


def test_an_address_that_leaves_its_window_is_followed() -> None:
    assert (PATTERNS_REACH.run_on, NAMES_REACH.run_on) == (512, 512)


async def test_only_what_is_asked_for_is_found(workshop) -> None:
    detector = workshop.build(PiiOptions(entities=("US_SSN",)))
    text = "ssn 457-55-5462, mail a@example.com, Maria Garcia"
    assert [f.label for f in await seen(detector, text)] == ["pii.us_ssn"]
    assert detector.emits == ("pii.us_ssn",)


async def test_low_scores_and_allowed_texts_are_not_reported(workshop) -> None:
    text = "457555462 and help@example.org and me@example.org"
    quiet = workshop.build(
        PiiOptions(entities=("US_SSN", "EMAIL_ADDRESS"), allow=frozenset({"help@example.org"}))
    )
    assert [text[f.start : f.end] for f in await seen(quiet, text)] == ["me@example.org"]
    loud = workshop.build(PiiOptions(entities=("US_SSN",), min_score=0.01))
    assert [f.score for f in await seen(loud, text)] == [0.05]


async def test_the_same_options_in_another_order_of_allow_are_the_same(workshop) -> None:
    one = workshop.build(PiiOptions(entities=("URL",), allow=frozenset({"a", "b", "c"})))
    two = workshop.build(PiiOptions(entities=("URL",), allow=frozenset({"c", "b", "a"})))
    other = workshop.build(PiiOptions(entities=("URL",), allow=frozenset({"a"})))
    assert one.fingerprint == two.fingerprint != other.fingerprint


def test_a_bounded_pattern_is_found_whole_wherever_a_core_cuts_it(workshop) -> None:
    detector = workshop.build(PiiOptions(entities=(*PATTERNS, "IBAN_CODE"), min_score=0.4))
    items = st.sampled_from(
        [
            "4111 1111 1111 1111",
            "DE89 3704 0044 0532 0130 00",
            "ssn 457-55-5462",
            "maria.garcia@acme.org",
            "10.20.30.40",
            "+44 20 7946 0958",
        ]
    )

    @settings(max_examples=60)
    @given(st.lists(st.tuples(st.integers(0, 120), items), max_size=5))
    def holds(parts: list[tuple[int, str]]) -> None:
        text = "".join("so " * (gap // 3) + item + "; " for gap, item in parts)
        windows = windows_of(text, detector)
        answers = detector._look(windows)
        found = characters([(w, f) for w, each in zip(windows, answers, strict=True) for f in each])
        (whole,) = detector._look([Window(text, 0, 0, len(text))])
        assert found >= characters([(Window(text, 0, 0, len(text)), f) for f in whole])

    holds()


async def test_names_lose_little_to_windows(workshop) -> None:
    detector = workshop.build(PiiOptions(entities=("PERSON", "LOCATION")))
    text = SAMPLE * 3
    windows = windows_of(text, detector)
    answers = await detector.detect(windows)
    found = characters([(w, f) for w, each in zip(windows, answers, strict=True) for f in each])
    whole = Window(text, 0, 0, len(text))
    expected = characters([(whole, f) for f in await seen(detector, text)])
    assert len(expected - found) <= len(expected) * 0.01


def test_a_name_is_found_once_though_patterns_see_more_of_the_window(workshop) -> None:
    detector = workshop.build(PiiOptions(entities=SEVEN))
    found = hits(detector, "Maria Garcia lives in Madrid, a@example.com")
    assert sorted(hit.entity for hit in found) == ["EMAIL_ADDRESS", "LOCATION", "PERSON"]
