"""The cache stays within its bytes, lets go of the oldest use, and holds no text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.model import Finding
from gateway.services.scan_cache import ENTRY_BYTES, FINDING_BYTES, LruScanCache

SEEN = Finding("pii.word", 0.5, 1, 4, "words", "1")


@given(st.integers(0, 5_000), st.lists(st.tuples(st.integers(0, 20), st.integers(0, 8))))
def test_it_never_holds_more_than_its_capacity(capacity: int, puts: list[tuple[int, int]]) -> None:
    cache = LruScanCache(capacity)
    for name, count in puts:
        cache.put(bytes([name]), (SEEN,) * count)
        assert cache.size <= capacity

    kept = [found for name in range(21) if (found := cache.get(bytes([name]))) is not None]
    assert cache.size == sum(ENTRY_BYTES + FINDING_BYTES * len(found) for found in kept)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3))))
def test_what_it_gives_back_is_what_was_put_last(puts: list[tuple[int, int]]) -> None:
    cache = LruScanCache(100_000)
    for name, count in puts:
        cache.put(bytes([name]), (SEEN,) * count)

    assert {name: len(cache.get(bytes([name])) or ()) for name, _ in puts} == dict(puts)


def test_the_oldest_use_goes_first() -> None:
    cache = LruScanCache(2 * ENTRY_BYTES)
    cache.put(b"a", ())
    cache.put(b"b", ())
    cache.get(b"a")
    cache.put(b"c", ())

    assert cache.get(b"a") == ()
    assert cache.get(b"b") is None
    assert cache.get(b"c") == ()


def test_no_findings_are_remembered_as_well() -> None:
    cache = LruScanCache(1_000)
    cache.put(b"a", ())

    assert cache.get(b"a") == ()
    assert cache.get(b"b") is None


def test_a_capacity_of_nothing_keeps_nothing() -> None:
    cache = LruScanCache(0)
    cache.put(b"a", ())

    assert cache.get(b"a") is None
