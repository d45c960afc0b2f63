"""A review's texts go into the seal and come out of it, whatever they are."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.model import Kind, Role
from gateway.core.review import Choice, ReviewPart, Verdict
from gateway.store.review_rows import (
    COLUMNS,
    open_parts,
    open_verdict,
    row_of,
    seal_parts,
    seal_verdict,
)
from gateway.store.sealing import AesSealer
from tests.store.worlds import PARTS, REVIEW

SEALER = AesSealer(b"k" * 32)
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=20)
A_PART = st.builds(
    ReviewPart,
    path=ANY_TEXT,
    role=st.sampled_from(Role),
    kind=st.sampled_from(Kind),
    text=ANY_TEXT,
    held=st.booleans(),
    delivered=ANY_TEXT,
)
A_VERDICT = st.builds(
    Verdict,
    choice=st.sampled_from(Choice),
    by=ANY_TEXT,
    reason=st.none() | ANY_TEXT,
    edits=st.lists(st.tuples(ANY_TEXT, ANY_TEXT)).map(tuple),
)


@given(st.lists(A_PART, max_size=4))
def test_any_parts_come_back_as_they_were(parts: list[ReviewPart]) -> None:
    assert open_parts(SEALER, "r", seal_parts(SEALER, "r", parts)) == tuple(parts)


@given(A_VERDICT)
def test_any_verdict_comes_back_as_it_was(verdict: Verdict) -> None:
    assert open_verdict(SEALER, "r", seal_verdict(SEALER, "r", verdict)) == verdict


def test_no_verdict_is_none() -> None:
    assert open_verdict(SEALER, "r", None) is None


def test_no_text_is_in_the_open_columns() -> None:
    row = row_of(REVIEW)

    assert not any(part.text in str(row) for part in PARTS)
    assert not {"parts", "verdict", "reason"} & row.keys()
    assert "parts" not in {column.name for column in COLUMNS}
