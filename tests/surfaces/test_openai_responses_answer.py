"""A response as the official client's own types read it, put together from any chunks."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import Response, ResponseFunctionToolCall

from gateway.core.model import Call, Chunk, Finished, Kind, Opened, Text, ToolOpened, Usage
from gateway.surfaces.openai_responses_answer import Answer
from tests.services.replies import chunked, cut_up, replies

NOW = 1700000000


def call(**body):
    return Call("c1", "openai.responses", "alias", {"model": "alias", "input": "hi", **body}, ())


def said(text, slot="content", kind=Kind.TEXT):
    return Text(0, slot, kind, text)


def thought(text, slot="reasoning_content"):
    return said(text, slot, Kind.REASONING)


def called(index, name, *arguments, made="call_1"):
    slot = f"tool_calls.{index}"
    yield ToolOpened(0, index, made)
    yield said(name, f"{slot}.name", Kind.TOOL_NAME)
    for piece in arguments:
        yield said(piece, f"{slot}.arguments", Kind.TOOL_ARGUMENTS)


def whole(*chunks, **body):
    answer = Answer(call(**body), NOW)
    for chunk in chunks:
        answer.take(chunk)
    answer.end()
    written = orjson.loads(orjson.dumps(answer.written()))
    Response.model_validate(written, strict=True)
    return written


def output(*parts):
    return whole(Chunk(parts))["output"]


def test_an_answer_is_named_and_dated_and_says_what_was_asked():
    assert whole(Chunk((Opened(0), said("hi"), Finished(0, "stop"), Usage(1, 2)))) == {
        "id": "resp_c1",
        "object": "response",
        "created_at": NOW,
        "status": "completed",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "metadata": {},
        "model": "alias",
        "output": [
            {
                "id": "msg_c1",
                "type": "message",
                "status": "completed",
                "role": "assistant",
                "content": [
                    {"type": "output_text", "annotations": [], "logprobs": [], "text": "hi"}
                ],
            }
        ],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "prompt_cache_key": None,
        "reasoning": {"effort": None, "summary": None},
        "safety_identifier": None,
        "service_tier": None,
        "store": False,
        "temperature": None,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
        "truncation": "disabled",
        "usage": {
            "input_tokens": 1,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": 2,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": 3,
        },
        "user": None,
    }


ASKED = {
    "instructions": "be kind",
    "max_output_tokens": 5,
    "metadata": {"a": "b"},
    "parallel_tool_calls": False,
    "temperature": 0.5,
    "tool_choice": {"type": "function", "name": "send"},
    "tools": [{"type": "function", "name": "send", "parameters": {}, "strict": False}],
    "top_p": 1,
    "user": "bob",
}


def test_what_the_request_set_is_told_from_it_and_what_is_null_is_as_left_out():
    told = whole(Chunk(()), **ASKED)
    assert {name: told[name] for name in ASKED} == ASKED
    silent = whole(Chunk(()), **dict.fromkeys(ASKED), reasoning=None, text=None)
    assert silent == whole(Chunk(()))


def test_form_and_effort_are_told_too():
    form = {"type": "json_schema", "name": "a", "schema": {"type": "object"}}
    told = whole(Chunk(()), text={"format": form, "verbosity": "low"}, reasoning={"effort": "low"})
    assert told["text"] == {"format": form, "verbosity": "low"}
    assert told["reasoning"] == {"effort": "low", "summary": None}
    assert whole(Chunk(()), text={"format": None})["text"] == {"format": {"type": "text"}}


def test_reasoning_words_refusal_and_calls_are_items_and_parts_in_order():
    reasoning, message, first, second = output(
        thought("so "),
        thought("it is"),
        thought("hm", "reasoning"),
        said("hel"),
        said("lo"),
        said("but no", "refusal", Kind.REFUSAL),
        *called(0, "send", '{"to":', '"bob"}'),
        *called(1, "read", "{}", made=""),
    )
    assert reasoning == {
        "id": "rs_c1",
        "type": "reasoning",
        "status": "completed",
        "summary": [],
        "content": [
            {"type": "reasoning_text", "text": "so it is"},
            {"type": "reasoning_text", "text": "hm"},
        ],
    }
    assert [(p["type"], p.get("text") or p.get("refusal")) for p in message["content"]] == [
        ("output_text", "hello"),
        ("refusal", "but no"),
    ]
    assert first == {
        "id": "fc_c1_0",
        "type": "function_call",
        "status": "completed",
        "call_id": "call_1",
        "name": "send",
        "arguments": '{"to":"bob"}',
    }
    assert (second["call_id"], second["name"]) == ("call_c1_0_1", "read")


def test_a_call_without_arguments_keeps_its_place_and_its_first_id():
    items = output(*called(0, "stop"), ToolOpened(0, 0, "call_9"), *called(1, "go", "{}"))
    assert [(item["name"], item["call_id"], item["arguments"]) for item in items] == [
        ("stop", "call_1", ""),
        ("go", "call_1", "{}"),
    ]


@pytest.mark.parametrize(
    ("reason", "status", "details"),
    [
        ("stop", "completed", None),
        ("tool_calls", "completed", None),
        ("length", "incomplete", {"reason": "max_output_tokens"}),
        ("content_filter", "incomplete", {"reason": "content_filter"}),
    ],
)
def test_how_an_answer_ended_is_told_of_it_and_of_its_items(reason, status, details):
    told = whole(Chunk((said("hi"), *called(0, "send", '{"to'), Finished(0, reason))))
    assert (told["status"], told["incomplete_details"]) == (status, details)
    assert [item["status"] for item in told["output"]] == [status, status]


def test_usage_has_the_engines_own_sub_counts_and_none_is_null():
    detail = {
        "prompt_tokens_details": {"cached_tokens": 2},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    told = whole(Chunk((Usage(5, 6, detail),)))["usage"]
    assert told["input_tokens_details"]["cached_tokens"] == 2
    assert told["output_tokens_details"] == {"reasoning_tokens": 3}
    assert whole(Chunk(()))["usage"] is None


def test_the_first_tier_that_an_engine_names_is_told_if_the_dialect_knows_it():
    chunks = [Chunk((), {"service_tier": tier}) for tier in ("standard", "flex", "default")]
    assert whole(*chunks)["service_tier"] == "flex"


def test_the_engines_own_id_and_other_choices_are_not_told():
    told = whole(Chunk((Opened(1), Text(1, "content", Kind.TEXT, "x"), said("hi")), {"id": "e"}))
    assert told["id"] == "resp_c1"
    assert Response.model_validate(told).output_text == "hi"


@given(replies, st.lists(st.integers(0, 4), max_size=8), st.integers(1, 3))
def test_however_an_answer_is_cut_it_is_the_same(parts, sizes, size):
    once = whole(Chunk(tuple(parts)))
    assert whole(*chunked(cut_up(parts, size), sizes)) == once
    response = Response.model_validate(once, strict=True)
    texts: dict[str, str] = {}
    for part in parts:
        if isinstance(part, Text) and part.choice == 0:
            texts[part.slot] = texts.get(part.slot, "") + part.text
    assert response.output_text == texts.get("content", "")
    tools = [item for item in response.output if isinstance(item, ResponseFunctionToolCall)]
    assert [(tool.name, tool.arguments) for tool in tools] == [
        (texts["tool_calls.0.name"], texts.get("tool_calls.0.arguments", ""))
        for _ in range("tool_calls.0.name" in texts)
    ]
