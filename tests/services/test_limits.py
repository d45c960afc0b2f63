"""How much a team and its keys may ask; a refused call counts for nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import OverLimit
from gateway.core.model import Caller
from gateway.services.limits import Allowance, Limits, TeamAllowance
from tests.fakes import HandClock

ANN, BOB = Caller("a" * 16, "red"), Caller("b" * 16, "red")
BLUE = Caller("c" * 16, "blue")


def limits(
    team: Allowance | None = None, each: Allowance | None = None
) -> tuple[Limits, HandClock]:
    clock = HandClock()
    allowance = TeamAllowance(team or Allowance(), each or Allowance())
    return Limits(clock, {"red": allowance}), clock


def fits(one: Limits, caller: Caller) -> bool:
    """Whether a call that ends at once gets in."""
    try:
        with one.admit(caller):
            return True
    except OverLimit:
        return False


def test_a_team_without_an_allowance_has_no_limits() -> None:
    one, _ = limits(Allowance(1, 1), Allowance(1, 1))

    rooms = [one.admit(BLUE) for _ in range(50)]

    assert len(rooms) == 50


def test_a_minutes_worth_may_come_at_once_and_then_at_its_rate() -> None:
    one, clock = limits(Allowance(requests_per_minute=6))
    assert [fits(one, ANN) for _ in range(7)] == [True] * 6 + [False]

    clock.advance(10)
    assert [fits(one, ANN) for _ in range(2)] == [True, False]

    clock.advance(3600)
    assert [fits(one, ANN) for _ in range(7)] == [True] * 6 + [False]


@given(st.integers(1, 600), st.lists(st.floats(0, 30), min_size=1, max_size=200))
def test_never_more_than_the_bucket_and_its_rate(rate: int, waits: list[float]) -> None:
    one, clock = limits(Allowance(requests_per_minute=rate))
    passed = 0
    for wait in waits:
        clock.advance(wait)
        passed += fits(one, ANN)

    assert passed <= rate + clock.seconds * rate / 60 + 1e-6


@given(st.integers(1, 600), st.integers(0, 20))
def test_after_retry_after_another_try_passes(rate: int, tries: int) -> None:
    one, clock = limits(Allowance(requests_per_minute=rate))
    while fits(one, ANN):
        pass
    for _ in range(tries):
        assert not fits(one, ANN), "refused calls count for nothing, and gain nothing"
    with pytest.raises(OverLimit) as refused:
        one.admit(ANN)

    clock.advance(refused.value.retry_after)

    assert fits(one, ANN)
    assert refused.value.retry_after <= 60 / rate + 1


def test_so_many_at_once_and_no_more_until_one_ends() -> None:
    one, _ = limits(Allowance(concurrent=2))
    first, second = one.admit(ANN), one.admit(BOB)
    assert not fits(one, ANN)

    with first:
        assert not fits(one, ANN)
    assert fits(one, ANN)
    with second:
        pass
    assert fits(one, BOB)


def test_each_key_has_its_own_share_of_the_teams() -> None:
    one, _ = limits(Allowance(requests_per_minute=3), Allowance(requests_per_minute=2))

    assert [fits(one, ANN) for _ in range(3)] == [True, True, False]
    assert [fits(one, BOB) for _ in range(3)] == [True, False, False]


def test_what_a_key_is_refused_costs_its_team_nothing() -> None:
    one, _ = limits(Allowance(requests_per_minute=3), Allowance(requests_per_minute=1))
    assert [fits(one, ANN) for _ in range(10)] == [True] + [False] * 9

    assert fits(one, BOB)


def test_what_a_team_is_refused_costs_its_keys_nothing() -> None:
    one, clock = limits(Allowance(concurrent=1), Allowance(requests_per_minute=2))
    with one.admit(BOB):
        assert [fits(one, ANN) for _ in range(5)] == [False] * 5

    assert [fits(one, ANN) for _ in range(3)] == [True, True, False]
    assert clock.seconds == 0


def test_room_comes_back_when_the_call_fails() -> None:
    one, _ = limits(Allowance(concurrent=1))
    with pytest.raises(ZeroDivisionError), one.admit(ANN):
        _ = 1 / 0

    assert fits(one, ANN)


def test_a_refusal_tells_the_limit_and_nothing_of_the_caller() -> None:
    one, _ = limits(Allowance(concurrent=1))
    one.admit(ANN)

    with pytest.raises(OverLimit, match="At most 1 calls at once") as refused:
        one.admit(ANN)

    assert refused.value.retry_after == 1
    assert ANN.key not in refused.value.message
