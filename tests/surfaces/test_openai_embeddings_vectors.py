"""A vector is the same numbers in either form, and nothing but finite numbers is one."""

import math
import struct
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import UpstreamError, UpstreamFailed
from gateway.surfaces.openai_embeddings_census import MOST_DIMENSIONS
from gateway.surfaces.openai_embeddings_vectors import as_base64, as_numbers, decoded
from tests.surfaces.from_census import JSON

FLOAT32 = st.floats(width=32, allow_nan=False, allow_infinity=False)
LARGEST = 3.4028234663852886e38


def packed(*numbers: float) -> str:
    return b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


@given(st.lists(FLOAT32, min_size=1, max_size=64))
def test_float32s_leave_bit_for_bit_as_they_came_in_either_form(numbers):
    written = packed(*numbers)
    assert as_base64(decoded(written)) == written
    assert as_base64(as_numbers(decoded(written))) == written
    assert as_base64(decoded(numbers)) == written
    assert struct.pack(f"<{len(numbers)}f", *as_numbers(decoded(written))) == struct.pack(
        f"<{len(numbers)}f", *numbers
    )


@given(st.lists(st.floats(-LARGEST, LARGEST), min_size=1, max_size=64))
def test_numbers_leave_as_numbers_just_as_they_came(numbers):
    assert as_numbers(decoded(numbers)) == tuple(numbers)
    assert all(map(math.isfinite, as_numbers(decoded(as_base64(decoded(numbers))))))


def test_bytes_are_little_endian():
    assert as_numbers(decoded("AACAPw==")) == (1.0,)
    assert as_base64((1.0, -2.0)) == "AACAPwAAAMA="


def test_integers_are_numbers_too():
    assert as_numbers(decoded([0, -1, 2.5])) == (0.0, -1.0, 2.5)


def test_the_sum_of_the_largest_float32s_is_still_taken():
    assert len(as_numbers(decoded(packed(*[LARGEST] * MOST_DIMENSIONS)))) == MOST_DIMENSIONS


@pytest.mark.parametrize(
    "value",
    [
        None,
        5,
        {"canary": 1},
        [],
        ["canary"],
        [True],
        [[1.0]],
        [None],
        [1e39],
        [-1e39],
        [math.nan],
        [math.inf],
        [1e308] * 2,
        [10**400],
        [0.0] * (MOST_DIMENSIONS + 1),
        "",
        "canary bob",
        "canary\u00e9=",
        "AACAPw",
        "AACAPw==\n",
        "AACA",
        packed(math.nan),
        packed(1.0, math.inf, -math.inf),
        packed(*[0.0] * (MOST_DIMENSIONS + 1)),
    ],
    ids=lambda value: f"{type(value).__name__}-{str(value)[:12]!r}-{len(str(value))}",
)
def test_what_is_no_vector_is_a_failed_upstream_and_is_not_repeated(value):
    with pytest.raises(UpstreamFailed) as caught:
        decoded(value)
    assert "canary" not in caught.value.message
    assert caught.value.__context__ is None


@given(JSON | st.lists(JSON) | st.binary().map(lambda raw: b64encode(raw).decode()))
def test_any_json_gives_a_vector_or_an_upstream_error(value):
    try:
        vector = decoded(value)
    except UpstreamError:
        return
    assert decoded(as_base64(vector))
    assert all(map(math.isfinite, as_numbers(vector)))
