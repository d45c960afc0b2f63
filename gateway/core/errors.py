"""Every error that Wardgate raises on purpose. The docstring of a class is its default message.

    WardgateError
    ├── BadRequest (MalformedBody, InvalidField, UnknownField, Unsupported)
    ├── TooLarge, UnknownKey, NoPolicy, ModelNotFound, OverLimit
    ├── PolicyBlocked, HeldUndecided
    ├── UpstreamError (UpstreamFailed, UpstreamTimeout, UpstreamBroken)
    ├── AuditUnavailable (AlreadyClosed), NotReady
    ├── ReviewNotFound, ReviewConflict
    └── InvalidDocument (a settings or policy file)

Messages say what was expected, what came and how to mend it; never any text of a message, and no
value that a client sent. Status codes live in `http/errors.py` alone.
"""

from __future__ import annotations

from dataclasses import dataclass


class WardgateError(Exception):
    """Wardgate could not do this."""

    code = "wardgate_error"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip().partition("\n")[0])

    @property
    def message(self) -> str:
        return str(self.args[0])


class BadRequest(WardgateError):
    """The request is not one that this surface takes."""

    code = "invalid_request"

    def __init__(self, message: str | None = None, *, path: str | None = None) -> None:
        super().__init__(message)
        self.path = path


class MalformedBody(BadRequest):
    """The body is not valid JSON of the expected shape."""

    code = "malformed_body"


class InvalidField(BadRequest):
    """A field has a value outside its type or range."""

    code = "invalid_field"


class UnknownField(BadRequest):
    """A field is not known here; unknown fields are refused, not ignored."""

    code = "unknown_field"


class Unsupported(BadRequest):
    """This is a known option that Wardgate does not guard yet, so it is refused."""

    code = "unsupported"


class TooLarge(BadRequest):
    """The request is larger than this gateway's limit."""

    code = "too_large"


class UnknownKey(WardgateError):
    """The API key is missing, unknown or revoked. Send `Authorization: Bearer <key>`."""

    code = "unknown_key"


class NoPolicy(WardgateError):
    """No policy applies to this team, model and route, so the call is refused."""

    code = "no_policy"


class ModelNotFound(WardgateError):
    """The model does not exist here or is not allowed for this team. `GET /v1/models` lists those that are."""

    code = "model_not_found"


class OverLimit(WardgateError):
    """A limit of this key or team is reached."""

    code = "over_limit"

    def __init__(self, message: str | None = None, *, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Whole seconds until another try can pass."""


class PolicyBlocked(WardgateError):
    """This request is outside what this service may do."""

    code = "content_filter"


class HeldUndecided(WardgateError):
    """Nobody decided in time."""

    code = "content_filter"

    def __init__(self, message: str | None = None, *, review: str) -> None:
        super().__init__(message)
        self.review = review


class UpstreamError(WardgateError):
    """The model server did not answer as it should."""

    code = "upstream_error"


class UpstreamFailed(UpstreamError):
    """The model server failed."""

    code = "upstream_failed"


class UpstreamTimeout(UpstreamError):
    """The model server did not answer in time."""

    code = "upstream_timeout"


class UpstreamBroken(UpstreamError):
    """The model server broke off in the middle of its answer."""

    code = "upstream_broken"


class AuditUnavailable(WardgateError):
    """The audit log cannot be written, so no call is made and nothing is released. Try again shortly."""

    code = "audit_unavailable"


class AlreadyClosed(AuditUnavailable):
    """The call is not open, so there is nothing that this record could close."""


class NotReady(WardgateError):
    """This replica is not ready yet."""

    code = "not_ready"


class ReviewNotFound(WardgateError):
    """There is no such review."""

    code = "review_not_found"


class ReviewConflict(WardgateError):
    """The review is not in a state that allows this."""

    code = "conflict"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file: where, what, and how to mend it. Lines count from 1."""

    file: str
    line: int
    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what} {self.mend}".rstrip()


class InvalidDocument(WardgateError):
    """A file of settings or policy is not valid."""

    code = "invalid_document"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems
