"""Errors have the shape of the Messages API, with our own code beside its type."""

import orjson
import pytest

from gateway.surfaces.anthropic_error import body, event


def kind(status: int, given: str = "server_error") -> str:
    told = body(status=status, kind=given, code="c", message="no", path=None)
    return orjson.loads(told)["error"]["type"]


@pytest.mark.parametrize(
    ("status", "type_"),
    [
        (400, "invalid_request_error"), (401, "authentication_error"), (403, "permission_error"),
        (404, "not_found_error"), (408, "invalid_request_error"), (409, "invalid_request_error"),
        (413, "request_too_large"), (415, "invalid_request_error"), (429, "rate_limit_error"),
        (500, "api_error"), (502, "api_error"), (503, "overloaded_error"), (504, "timeout_error"),
    ],
)  # fmt: skip
def test_the_type_goes_by_the_status(status, type_):
    assert kind(status) == type_


def test_a_block_by_policy_stays_what_it_is():
    assert kind(400, "policy_blocked") == "policy_blocked"


def test_a_body_names_type_message_code_and_path():
    told = body(
        status=400, kind="invalid_request_error", code="unknown_field", message="no", path="x.y"
    )
    assert orjson.loads(told) == {
        "type": "error",
        "error": {
            "type": "invalid_request_error",
            "message": "no",
            "code": "unknown_field",
            "param": "x.y",
        },
    }


@pytest.mark.parametrize(
    ("kind", "code", "type_"),
    [
        ("upstream_error", "upstream_broken", "api_error"),
        ("upstream_error", "upstream_timeout", "timeout_error"),
        ("server_error", "audit_unavailable", "overloaded_error"),
        ("policy_blocked", "content_filter", "policy_blocked"),
    ],
)
def test_an_error_inside_a_stream_is_one_event(kind, code, type_):
    name, data = event(kind=kind, code=code, message="a\n\nb").removesuffix(b"\n\n").split(b"\n")
    assert name == b"event: error"
    assert orjson.loads(data.removeprefix(b"data: ")) == {
        "type": "error",
        "error": {"type": type_, "message": "a\n\nb", "code": code},
    }
