"""Names sort by time and do not repeat."""

from __future__ import annotations

import re
import time

from gateway.services.ids import new_id


def test_an_id_is_its_prefix_and_32_hex_digits() -> None:
    assert re.fullmatch(r"call_[0-9a-f]{32}", new_id("call"))


def test_ids_do_not_repeat() -> None:
    assert len({new_id("x") for _ in range(10_000)}) == 10_000


def test_a_later_id_sorts_later() -> None:
    first = new_id("x")
    until = time.time_ns() // 1_000_000 + 2
    while time.time_ns() // 1_000_000 < until:
        pass

    assert new_id("x") > first
