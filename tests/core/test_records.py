"""A record's bytes are canonical, and hold nothing that the profile forbids."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta, timezone

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.model import Action, Finding
from gateway.core.policy import Ruling
from gateway.core.records import (
    MAX_BYTES,
    Record,
    canonical,
    encode,
    leaf_hash,
    ruling_rows,
    timestamp,
)
from gateway.core.redact import Replace

KEYS = st.text(st.characters(max_codepoint=127), max_size=8)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_canonical_json_is_that_of_rfc_8785(value: object) -> None:
    assert canonical(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value", [1.5, 2**53, {"é": 1}, {1: 1}, {"a": {2, 3}}, ["\ud800"]], ids=str
)
def test_what_is_outside_the_profile_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        canonical(value)


def test_an_encoded_record_has_its_own_fields_whatever_the_detail_says() -> None:
    record = Record("id1", "inference.intent", "call1", "t", "p@0", {"kind": "x", "team": "ops"})

    body = json.loads(encode(record))

    assert body["kind"] == "inference.intent"
    assert body["team"] == "ops"
    assert body["v"] == 1


def test_a_record_has_a_largest_size() -> None:
    with pytest.raises(ValueError, match=str(MAX_BYTES)):
        encode(Record("id", "k", None, "t", None, {"a": "x" * MAX_BYTES}))


def test_a_leaf_is_hashed_as_rfc_6962_says() -> None:
    assert leaf_hash(b"abc") == hashlib.sha256(b"\x00abc").digest()


def test_a_ruling_is_listed_without_text() -> None:
    ruling = Ruling(
        "contact", Action.REDACT, Finding("pii.person", 0.85, 3, 7, "pii", "v1"), Replace()
    )

    assert ruling_rows("messages.0.content", (ruling,)) == [
        {
            "path": "messages.0.content",
            "label": "pii.person",
            "start": 3,
            "end": 7,
            "score_bp": 8500,
            "detector": "pii",
            "version": "v1",
            "rule": "contact",
            "action": "redact",
        }
    ]


def test_a_moment_is_written_in_utc_with_microseconds() -> None:
    moment = datetime(2026, 11, 23, 19, 0, 0, 5, tzinfo=timezone(timedelta(hours=1)))

    assert timestamp(moment) == "2026-11-23T18:00:00.000005Z"
