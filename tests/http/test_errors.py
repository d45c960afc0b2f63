"""Every error of the house has an answer, and the answer is the contract's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gateway.core import errors
from gateway.http.errors import ANSWERS, BodyTooSlow, UnsupportedEncoding, answer_to


def every(sort: type[errors.WardgateError]) -> Iterator[type[errors.WardgateError]]:
    yield sort
    for child in sort.__subclasses__():
        yield from every(child)


EVERY = sorted(set(every(errors.WardgateError)), key=lambda sort: sort.__qualname__)
NEEDS: dict[type[errors.WardgateError], dict[str, Any]] = {
    errors.HeldUndecided: {"review": "rev_1"},
    errors.InvalidDocument: {"problems": ()},
}


@pytest.mark.parametrize("sort", EVERY, ids=lambda sort: sort.__qualname__)
def test_every_error_has_an_answer(sort: type[errors.WardgateError]) -> None:
    answer = answer_to(sort(**NEEDS.get(sort, {})))

    assert 400 <= answer.status < 600
    assert answer.kind


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.WardgateError(), 500),
        (errors.MalformedBody(), 400),
        (errors.InvalidField(), 400),
        (errors.UnknownField(), 400),
        (errors.Unsupported(), 400),
        (errors.TooLarge(), 413),
        (BodyTooSlow(), 408),
        (UnsupportedEncoding(), 415),
        (errors.UnknownKey(), 401),
        (errors.NoPolicy(), 403),
        (errors.ModelNotFound(), 404),
        (errors.OverLimit(), 429),
        (errors.PolicyBlocked(), 400),
        (errors.HeldUndecided(review="rev_1"), 400),
        (errors.UpstreamFailed(), 502),
        (errors.UpstreamTimeout(), 504),
        (errors.UpstreamBroken(), 502),
        (errors.AuditUnavailable(), 503),
        (errors.AlreadyClosed(), 503),
        (errors.NotReady(), 503),
        (errors.ReviewNotFound(), 404),
        (errors.ReviewConflict(), 409),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, Exception) else None,
)
def test_the_statuses_are_the_contracts(error: errors.WardgateError, status: int) -> None:
    assert answer_to(error).status == status


def test_a_new_error_answers_as_the_one_above_it() -> None:
    class Odd(errors.UpstreamTimeout):
        """Odd."""

    assert answer_to(Odd()) == ANSWERS[errors.UpstreamTimeout]
