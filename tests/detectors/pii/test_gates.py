"""A gate may say no only where its recognizer finds nothing that meets the core."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.detectors.pii.gates import GATES
from tests.detectors.pii.samples import TABLE

WHOLE = [
    "DE89 3704 0044 0532 0130 00",
    "GB82WEST12345698765432",
    "943 476 5919",
    "4111 1111 1111 1111",
    "123e4567-e89b-12d3-a456-426614174000",
    "1BoatSLRHtKNngkdXEeobR76b53LETtpyT",
    "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
    "912-78-1234",
    "00:1A:2B:3C:4D:5E",
    "10.0.0.1",
    "457-55-5462",
    "maria@example.org",
    "https://example.com/a?b=c",
]
WORDS = [piece for text in TABLE if text.isascii() for piece in text.split(" ")]
PIECES = st.one_of(st.sampled_from(WHOLE), st.sampled_from(WORDS))
TEXTS = st.lists(PIECES, max_size=8).map(" ".join)


@pytest.fixture(scope="module")
def recognizers(workshop, stock):
    shelf = {type(each).__name__: each for each in workshop._shelf}
    assert set(GATES) <= set(shelf)
    return shelf


@pytest.mark.parametrize("name", sorted(GATES))
def test_a_gate_never_costs_a_finding(name, recognizers) -> None:
    recognizer, gate = recognizers[name], GATES[name]

    def holds_for(text: str, core: tuple[int, int]) -> int:
        meeting = [
            result
            for result in recognizer.analyze(text, recognizer.supported_entities, None)
            if result.start < core[1] and result.end > core[0]
        ]
        assert not meeting or gate.passes(text, *core)
        return len(meeting)

    @settings(max_examples=150)
    @given(TEXTS, st.integers(0, 60), st.integers(1, 40))
    def holds(text: str, start: int, length: int) -> None:
        holds_for(text, (min(start, len(text)), min(start + length, len(text))))

    holds()
    sample = " ".join([*WHOLE, *WORDS])
    found = sum(holds_for(sample, (at, at + 37)) for at in range(0, len(sample), 37))
    assert found, "the sample has nothing for this recognizer"


@pytest.mark.parametrize("name", sorted(set(GATES) - {"UrlRecognizer", "DateRecognizer"}))
def test_a_gate_is_shut_on_plain_prose(name) -> None:
    assert not GATES[name].passes("What went well, and what did not go so well today?", 5, 30)


def test_what_lies_outside_the_core_does_not_open_a_gate() -> None:
    text = "4111 1111 1111 1111 was the card, and nothing else was said"
    assert GATES["CreditCardRecognizer"].passes(text, 10, 40)
    assert not GATES["CreditCardRecognizer"].passes(text, 24, 50)
