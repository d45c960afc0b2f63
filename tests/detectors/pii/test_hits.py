"""Hits that lie in one another settle as Presidio's own results do."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.detectors.pii.hits import Hit, settle

HITS = st.lists(
    st.builds(
        lambda entity, start, length, score: Hit(entity, start, start + length, score),
        st.sampled_from(["A", "B"]),
        st.integers(0, 12),
        st.integers(1, 6),
        st.sampled_from([0.0, 0.4, 0.5, 1.0]),
    ),
    max_size=12,
)


@given(HITS)
def test_settling_is_that_of_presidio(hits) -> None:
    from presidio_analyzer import EntityRecognizer, RecognizerResult  # noqa: PLC0415 - heavy

    theirs = EntityRecognizer.remove_duplicates(
        [RecognizerResult(hit.entity, hit.start, hit.end, hit.score) for hit in hits]
    )
    assert set(settle(hits)) == {Hit(r.entity_type, r.start, r.end, r.score) for r in theirs}


@given(HITS)
def test_settling_neither_depends_on_order_nor_is_done_twice(hits) -> None:
    once = settle(hits)
    assert settle(reversed(hits)) == once == settle(once)


def test_a_hit_moves_and_meets() -> None:
    hit = Hit("A", 3, 5, 0.4).moved(2)
    assert hit == Hit("A", 5, 7, 0.4)
    assert hit.meets(6, 9)
    assert hit.meets(0, 6)
    assert not hit.meets(7, 9)
    assert not hit.meets(0, 5)
