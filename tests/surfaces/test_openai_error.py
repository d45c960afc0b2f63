"""Errors as every OpenAI dialect writes them."""

import orjson

from gateway.surfaces import openai_error


def test_an_error_says_what_and_where():
    body = openai_error.body(kind="k", code="c", message="no", path="a.b")
    assert orjson.loads(body) == {
        "error": {"message": "no", "type": "k", "param": "a.b", "code": "c"}
    }


def test_an_error_inside_a_stream_is_one_event_without_a_terminator():
    event = openai_error.event(kind="k", code="c", message="a\n\ndata: [DONE]")
    assert event.startswith(b"data: {")
    assert event.endswith(b"}\n\n")
    assert event.count(b"\n") == 2
    assert orjson.loads(event[6:])["error"] == {
        "message": "a\n\ndata: [DONE]",
        "type": "k",
        "param": None,
        "code": "c",
    }


def test_a_stream_ends_in_one_comment_line_and_the_terminator():
    assert openai_error.done("a\n\ndata: b") == b": a data: b\n\ndata: [DONE]\n\n"
