"""Patterns, checksums and context score exactly as a stock AnalyzerEngine does."""

import pytest

from gateway.detectors.pii.options import PiiOptions
from tests.detectors.pii.samples import STOCK_PATTERNS, TABLE, hits, labelled


@pytest.fixture(scope="module")
def detector(workshop):
    return workshop.build(PiiOptions(entities=STOCK_PATTERNS, min_score=0.0))


@pytest.mark.parametrize("text", TABLE)
def test_spans_and_scores_are_those_of_the_full_pipeline(text, detector, stock) -> None:
    assert hits(detector, text) == stock(text, STOCK_PATTERNS, 0.0)


def test_spans_and_scores_are_those_of_the_full_pipeline_on_labelled_texts(detector, stock) -> None:
    texts = list(labelled(every=23))
    if not texts:
        pytest.skip("the labelled sets are not on this machine")
    found = 0
    for text in texts:
        expected = stock(text, STOCK_PATTERNS, 0.0)
        found += len(expected)
        assert hits(detector, text) == expected
    assert found > 100


def test_hits_outside_the_core_are_another_windows_to_report(detector) -> None:
    text = "a@example.com and 457-55-5462"
    assert {hit.entity for hit in detector.patterns.look(text, 0, 5)} == {"EMAIL_ADDRESS", "URL"}
    assert "EMAIL_ADDRESS" not in {hit.entity for hit in detector.patterns.look(text, 20, 29)}
