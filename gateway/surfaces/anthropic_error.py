"""Errors as the Messages dialect writes them: as a body, and as an event of a stream."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

import orjson

_BY_STATUS: Final = MappingProxyType(
    {
        401: "authentication_error",
        403: "permission_error",
        404: "not_found_error",
        413: "request_too_large",
        429: "rate_limit_error",
        503: "overloaded_error",
        504: "timeout_error",
    }
)
_BY_CODE: Final = MappingProxyType(
    {"upstream_timeout": 504, "audit_unavailable": 503, "not_ready": 503, "over_limit": 429}
)
"""The status that an error inside a stream would have had, where it tells more than 500."""
_OURS: Final = "policy_blocked"
"""The one kind that stays as it is: the API has no word for it."""


def body(*, status: int, kind: str, code: str, message: str, path: str | None) -> bytes:
    """The body of an answer with an error status. `code` and `param` are ours."""
    told = {"type": _type(status, kind), "message": message, "code": code, "param": path}
    return orjson.dumps({"type": "error", "error": told})


def event(*, kind: str, code: str, message: str) -> bytes:
    """An error inside a stream. No terminator follows it."""
    told = {"type": _type(_BY_CODE.get(code, 500), kind), "message": message, "code": code}
    return named("error", {"type": "error", "error": told})


def named(name: str, data: dict[str, Any]) -> bytes:
    """One event of a stream, as this dialect writes all of them."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), orjson.dumps(data))


def _type(status: int, kind: str) -> str:
    if kind == _OURS:
        return kind
    return _BY_STATUS.get(status, "invalid_request_error" if status < 500 else "api_error")
