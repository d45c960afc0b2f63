"""Context words raise a score where Presidio's enhancer does, and the words are forgotten."""

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from gateway.detectors.pii.context import ContextWords

BLANK = ContextWords(spacy.blank("en"))
SSN = ("social", "security", "ssn", "ssns", "ssid")


@pytest.fixture(scope="module")
def words(workshop, stock) -> ContextWords:
    return BLANK


def score(words: ContextWords, text: str, score: float = 0.05) -> float:
    return words.near(text).score(score, text.index("457"), SSN)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("my ssn is 457-55-5462", 0.4),
        ("my SSN: 457-55-5462", 0.4),
        ("457-55-5462", 0.05),
        ("the ssn one two quick brown foxes jumped lately over 457-55-5462", 0.05),
        ("the ssn of the man who was there and is here 457-55-5462", 0.4),
        ("457-55-5462 is my ssn", 0.05),
        ("ssn457-55-5462", 0.4),
    ],
)
def test_a_word_counts_when_it_stands_closely_before(words, text, expected) -> None:
    assert score(words, text) == pytest.approx(expected)


def test_scores_rise_by_a_third_and_never_above_one(words) -> None:
    assert score(words, "ssn 457", 0.5) == pytest.approx(0.85)
    assert score(words, "ssn 457", 0.9) == 1.0
    assert score(words, "ssn 457", 1.0) == 1.0


@given(st.text("ab ssn: .,\n\u0130\u00df", max_size=150), st.text(" x:\n", max_size=20))
def test_reading_near_the_match_is_reading_the_whole_text(lead, tail) -> None:
    text = lead + "457" + tail
    whole, _ = BLANK.read(text).around(len(lead))
    assert BLANK.near(text)._around(len(lead)) == whole


def test_spacy_forgets_the_words_that_it_has_read(words) -> None:
    before = len(words._nlp.vocab.strings)
    score(words, "ssn of zebracanary7781 is 457-55-5462")
    assert "zebracanary7781" not in words._nlp.vocab.strings
    assert len(words._nlp.vocab.strings) == before
