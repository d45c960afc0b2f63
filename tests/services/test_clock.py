"""The machine's clock tells UTC, and a time that only goes on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gateway.services.clock import SystemClock


def test_now_is_utc_and_now() -> None:
    now = SystemClock().now()

    assert now.utcoffset() == timedelta()
    assert abs(datetime.now(UTC) - now) < timedelta(seconds=5)


def test_monotonic_time_never_goes_back() -> None:
    clock = SystemClock()
    told = [clock.monotonic() for _ in range(1_000)]

    assert told == sorted(told)
