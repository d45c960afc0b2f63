"""No character of a redacted span survives, and no other character changes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.redact import (
    Edit,
    Hash,
    Mask,
    Operator,
    Remove,
    Replace,
    Span,
    apply,
    clusters,
    placeholder,
    share,
)

SECRET = b"k" * 32
TEXT = "".join(chr(0x4E00 + index) for index in range(40))
OPERATORS: list[Operator] = [Replace(), Replace("#"), Mask(), Hash(), Remove()]
SPANS = st.lists(
    st.builds(
        lambda start, length, operator, label: Span(
            start, min(start + length, len(TEXT)), label, 0.9, operator
        ),
        st.integers(0, len(TEXT)),
        st.integers(0, 12),
        st.sampled_from(OPERATORS),
        st.sampled_from(["pii.person", "pii.email_address", "secret.key"]),
    ),
    max_size=8,
)


def rewritten(spans: list[Span]) -> str:
    edits = [
        Edit(group.start, group.end, group.rewrite(TEXT[group.start : group.end], SECRET))
        for group in clusters(spans)
    ]
    return apply(TEXT, edits)


@given(SPANS)
def test_redacted_characters_are_gone_and_the_others_stay_in_order(spans: list[Span]) -> None:
    covered = {at for span in spans for at in range(span.start, span.end)}

    result = rewritten(spans)

    kept = [character for character in result if character in TEXT]
    assert kept == [character for at, character in enumerate(TEXT) if at not in covered]


def test_a_mask_does_not_begin_what_it_keeps_with_a_mark() -> None:
    assert Mask(keep_last=2).rewrite("pii", "abx\u0301c", SECRET) == "****c"
    assert Mask(keep_last=3).rewrite("pii", "abx\u0301c", SECRET) == "**x\u0301c"


@given(SPANS, st.randoms(use_true_random=False))
def test_the_order_of_findings_does_not_matter(spans: list[Span], random: object) -> None:
    shuffled = list(spans)
    random.shuffle(shuffled)  # type: ignore[attr-defined]

    assert rewritten(shuffled) == rewritten(spans)


def test_touching_spans_are_rewritten_once_by_the_strictest() -> None:
    spans = [
        Span(0, 4, "pii.credit_card", 1.0, Mask(keep_last=2)),
        Span(4, 8, "pii.person", 0.6, Replace()),
        Span(9, 10, "pii.url", 0.5, Remove()),
    ]

    assert rewritten(spans) == "<PERSON>" + TEXT[8] + TEXT[10:]


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        (Replace(), "<CREDIT_CARD>"),
        (Replace("[gone]"), "[gone]"),
        (Mask(), "****"),
        (Mask(keep_last=2, character="x"), "xx34"),
        (Mask(keep_last=9), "1234"),
        (Remove(), ""),
    ],
)
def test_operators(operator: Operator, expected: str) -> None:
    assert operator.rewrite("pii.credit_card", "1234", SECRET) == expected


def test_a_hash_is_equal_for_equal_text_and_depends_on_the_key() -> None:
    one = Hash().rewrite("pii.person", "Ada", SECRET)

    assert one == Hash().rewrite("pii.person", "Ada", SECRET)
    assert one != Hash().rewrite("pii.person", "Eve", SECRET)
    assert one != Hash().rewrite("pii.person", "Ada", b"other")
    assert one.startswith("<PERSON:")
    assert "Ada" not in one


@given(SPANS, st.lists(st.integers(0, len(TEXT)), max_size=4))
def test_edits_shared_among_joined_texts_give_the_same_as_on_the_whole(
    spans: list[Span], borders: list[int]
) -> None:
    edits = [Edit(group.start, group.end, "#") for group in clusters(spans)]
    marks = sorted({0, len(TEXT), *borders})
    pieces = [TEXT[a:b] for a, b in pairwise(marks)]

    dealt = share(edits, [len(piece) for piece in pieces])

    joined = "".join(apply(piece, own) for piece, own in zip(pieces, dealt, strict=True))
    assert joined == apply(TEXT, edits)


def test_a_placeholder_is_the_labels_last_part() -> None:
    assert placeholder("pii.us_ssn") == "US_SSN"
    assert placeholder("injection") == "INJECTION"
