"""Errors say what was expected by default, and carry what the edge needs."""

from gateway.core.errors import (
    BadRequest,
    HeldUndecided,
    InvalidDocument,
    OverLimit,
    Problem,
    UnknownField,
    WardgateError,
)


def every(of: type[WardgateError]) -> set[type[WardgateError]]:
    return {of}.union(*(every(sub) for sub in of.__subclasses__()))


def test_the_docstring_is_the_default_message() -> None:
    for error in every(WardgateError):
        assert error.__doc__, error
    assert BadRequest().message == "The request is not one that this surface takes."


def test_what_an_error_carries() -> None:
    assert UnknownField(path="messages.0.x").path == "messages.0.x"
    assert OverLimit(retry_after=7).retry_after == 7
    assert HeldUndecided(review="r1").review == "r1"


def test_a_document_error_lists_every_problem_with_file_line_and_mend() -> None:
    error = InvalidDocument(
        (
            Problem("p.yaml", 3, "unknown key `rool`.", "Did you mean `rule`?"),
            Problem("p.yaml", 9, "no action.", "Add `action: block`."),
        )
    )

    assert error.message.splitlines() == [
        "p.yaml:3: unknown key `rool`. Did you mean `rule`?",
        "p.yaml:9: no action. Add `action: block`.",
    ]
