"""Errors as every OpenAI dialect writes them: as a body, and as an event of a stream."""

from __future__ import annotations

import orjson


def body(*, kind: str, code: str, message: str, path: str | None) -> bytes:
    """The body of an answer with an error status."""
    return orjson.dumps({"error": {"message": message, "type": kind, "param": path, "code": code}})


def event(*, kind: str, code: str, message: str) -> bytes:
    """An error inside a stream. No terminator follows it."""
    return b"data: " + body(kind=kind, code=code, message=message, path=None) + b"\n\n"


def done(comment: str) -> bytes:
    """The comment on one line, then the terminator."""
    line = " ".join(comment.split())
    return f": {line}\n\ndata: [DONE]\n\n".encode()
