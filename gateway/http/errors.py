"""From an error to its HTTP status and its type on the wire: the one table. Adds no text of its own."""

from __future__ import annotations

from typing import NamedTuple

from gateway.core import errors


class Answer(NamedTuple):
    """`kind` is what OpenAI's dialect calls `error.type`."""

    status: int
    kind: str


class BodyTooSlow(errors.BadRequest):
    """The request's body did not arrive in time."""

    code = "body_too_slow"


class UnsupportedEncoding(errors.BadRequest):
    """A request's body is sent as it is: leave out `Content-Encoding`."""

    code = "unsupported_encoding"


ANSWERS: dict[type[errors.WardgateError], Answer] = {
    errors.WardgateError: Answer(500, "server_error"),
    errors.BadRequest: Answer(400, "invalid_request_error"),
    errors.TooLarge: Answer(413, "invalid_request_error"),
    BodyTooSlow: Answer(408, "invalid_request_error"),
    UnsupportedEncoding: Answer(415, "invalid_request_error"),
    errors.UnknownKey: Answer(401, "authentication_error"),
    errors.NoPolicy: Answer(403, "permission_error"),
    errors.ModelNotFound: Answer(404, "invalid_request_error"),
    errors.OverLimit: Answer(429, "rate_limit_error"),
    errors.PolicyBlocked: Answer(400, "policy_blocked"),
    errors.HeldUndecided: Answer(400, "policy_blocked"),
    errors.UpstreamError: Answer(502, "upstream_error"),
    errors.UpstreamTimeout: Answer(504, "upstream_error"),
    errors.AuditUnavailable: Answer(503, "server_error"),
    errors.NotReady: Answer(503, "server_error"),
    errors.ReviewNotFound: Answer(404, "invalid_request_error"),
    errors.ReviewConflict: Answer(409, "invalid_request_error"),
    errors.InvalidDocument: Answer(500, "server_error"),
}


def answer_to(error: errors.WardgateError) -> Answer:
    """The answer of the error's class, or of the nearest class above it."""
    return next(ANSWERS[sort] for sort in type(error).__mro__ if sort in ANSWERS)
