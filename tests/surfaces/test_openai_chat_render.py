"""What clients get: the official client's own types read it, whole and streamed alike."""

from typing import Any

import httpx
import openai
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from gateway.core.model import Call, Chunk, Finished, Kind, Opened, Text, ToolOpened, Usage
from gateway.surfaces import openai_chat_decode as decode
from gateway.surfaces.openai_chat_render import event, whole
from tests.surfaces.from_census import REPLIES, STREAMS

NOW = 1700000000
SLOTS = ("content", "refusal", "reasoning_content", "reasoning")


def call(*, stream=True, usage_wanted=True):
    return Call("c1", "openai.chat", "alias", {}, (), stream=stream, usage_wanted=usage_wanted)


def said(text, choice=0, slot="content", kind=Kind.TEXT):
    return Text(choice, slot, kind, text)


def events(*parts, usage_wanted=False, envelope=None) -> list[dict[str, Any]]:
    written = event(call(usage_wanted=usage_wanted), Chunk(parts, envelope or {}), NOW)
    lines = written.split(b"\n\n")
    assert lines.pop() == b""
    assert all(line.startswith(b"data: ") for line in lines)
    return [orjson.loads(line[6:]) for line in lines]


def deltas(*parts):
    return [(e["choices"][0]["index"], e["choices"][0]["delta"]) for e in events(*parts)]


def test_a_field_that_opens_without_text_adds_nothing():
    empty = said("", slot="reasoning_content", kind=Kind.REASONING)
    assert deltas(Opened(0), empty, said("hi")) == [(0, {"role": "assistant", "content": "hi"})]


def completion(*parts):
    return orjson.loads(whole(call(), [Chunk(parts)], NOW))


def test_a_whole_reply_is_named_and_dated_though_the_engine_said_nothing():
    body = completion(Opened(0), said("hi"), Finished(0, "stop"))
    assert body == {
        "id": "chatcmpl-c1",
        "object": "chat.completion",
        "created": NOW,
        "model": "alias",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "hi", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
    }


def test_choices_come_in_order_and_chunks_are_put_together():
    chunks = [
        Chunk((Opened(1), said("b", 1))),
        Chunk((Opened(0), said("a")), {"id": "x", "created": 5}),
        Chunk((said("c"), Finished(0, "length"), Finished(1, "stop"), Usage(1, 2))),
    ]
    body = orjson.loads(whole(call(), chunks, NOW))
    assert [c["message"]["content"] for c in body["choices"]] == ["ac", "b"]
    assert [c["finish_reason"] for c in body["choices"]] == ["length", "stop"]
    assert (body["id"], body["created"]) == ("x", 5)
    assert body["usage"] == {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}


def test_no_content_is_null_beside_a_tool_call_or_a_refusal_and_empty_otherwise():
    def content(*parts):
        return completion(Opened(0), *parts)["choices"][0]["message"]["content"]

    assert content() == ""
    assert content(said("no", slot="refusal")) is None
    assert content(ToolOpened(0, 0, "call_1")) is None
    assert content(ToolOpened(0, 0, "call_1"), said("hi")) == "hi"


def test_a_tool_call_without_an_id_gets_the_same_one_whole_and_streamed():
    parts = (ToolOpened(0, 1, ""), said("send", slot="tool_calls.1.name"))
    (streamed,) = deltas(*parts)[0][1]["tool_calls"]
    (written,) = completion(*parts)["choices"][0]["message"]["tool_calls"]
    assert streamed["id"] == written["id"] == "call_c1_0_1"


def test_tool_calls_come_in_order_of_their_index():
    calls = completion(ToolOpened(0, 1, "b"), ToolOpened(0, 0, "a"))["choices"][0]["message"]
    assert [tool["id"] for tool in calls["tool_calls"]] == ["a", "b"]


def test_a_tool_call_keeps_its_first_id_and_needs_no_opening():
    (kept, bare) = completion(
        ToolOpened(0, 0, "call_1"),
        ToolOpened(0, 0, "call_2"),
        ToolOpened(0, 0, ""),
        said("{}", slot="tool_calls.1.arguments"),
    )["choices"][0]["message"]["tool_calls"]
    assert kept["id"] == "call_1"
    assert bare["function"] == {"name": "", "arguments": "{}"}


def test_what_arrives_together_leaves_as_one_event_for_each_choice():
    assert deltas(
        Opened(0),
        said("h"),
        said("x", 1),
        said("i"),
        said("why", slot="reasoning"),
        ToolOpened(0, 0, "call_1"),
        said("send", slot="tool_calls.0.name"),
        said("{", slot="tool_calls.0.arguments"),
        said("}", slot="tool_calls.0.arguments"),
        said("[", slot="tool_calls.1.arguments"),
    ) == [
        (
            0,
            {
                "role": "assistant",
                "content": "hi",
                "reasoning": "why",
                "tool_calls": [
                    {
                        "index": 0,
                        "id": "call_1",
                        "type": "function",
                        "function": {"name": "send", "arguments": "{}"},
                    },
                    {"index": 1, "function": {"arguments": "["}},
                ],
            },
        ),
        (1, {"content": "x"}),
    ]


def test_openings_look_as_the_official_api_sends_them():
    assert deltas(Opened(0)) == [(0, {"role": "assistant", "content": ""})]
    (tool,) = deltas(ToolOpened(0, 0, "call_1"))[0][1]["tool_calls"]
    assert tool["function"] == {"arguments": ""}


def test_ends_follow_the_text_and_the_usage_follows_the_ends():
    bodies = events(
        Finished(0, "stop"), said("x", 1), Usage(1, 2), Finished(1, "length"), usage_wanted=True
    )
    assert [
        [(c["index"], c["delta"], c["finish_reason"]) for c in body["choices"]] for body in bodies
    ] == [[(1, {"content": "x"}, None)], [(0, {}, "stop")], [(1, {}, "length")], []]
    assert [body["usage"] for body in bodies[:-1]] == [None, None, None]
    assert bodies[-1]["usage"]["total_tokens"] == 3


def test_usage_that_was_not_asked_for_is_not_sent():
    assert events(Usage(1, 2)) == []
    assert "usage" not in events(said("x"), Usage(1, 2))[0]


def test_a_chunk_without_parts_is_no_event():
    assert event(call(), Chunk(()), NOW) == b""


def test_text_cannot_break_out_of_its_event():
    (body,) = events(said("a\n\ndata: [DONE]\n\n\u2028"))
    assert body["choices"][0]["delta"]["content"] == "a\n\ndata: [DONE]\n\n\u2028"


def told(message: dict[str, Any]) -> dict[str, Any]:
    """What a message says, the ways of saying nothing made equal."""
    calls = [
        (call["id"], call["function"]["name"], call["function"]["arguments"])
        for call in message.get("tool_calls") or ()
    ]
    return {"tools": calls, **{slot: message.get(slot) or "" for slot in SLOTS}}


def known(reply: dict[str, Any]) -> dict[str, Any]:
    return {
        "envelope": (reply["id"], reply["created"]),
        "usage": reply["usage"],
        "choices": [(c["index"], c["finish_reason"], told(c["message"])) for c in reply["choices"]],
    }


@given(REPLIES)
def test_a_whole_reply_keeps_all_that_is_known(reply):
    written = orjson.loads(whole(call(), [decode.whole(reply)], NOW))
    assert known(written) == known(reply)
    ChatCompletion.model_validate(written)


@given(STREAMS, st.data())
def test_the_events_add_up_to_the_whole_however_they_are_cut_and_put_together(both, data):
    reply, upstream = both
    chunks = [decode.event(item) for item in upstream]
    while len(chunks) > 1 and data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(chunks) - 2))
        joined = Chunk(chunks[at].parts + chunks[at + 1].parts, chunks[at].envelope)
        chunks[at : at + 2] = [joined]
    written = [
        orjson.loads(line[6:])
        for chunk in chunks
        for line in event(call(), chunk, NOW).split(b"\n\n")[:-1]
    ]
    assert known(added_up(written)) == known(reply)
    assert known(orjson.loads(whole(call(), chunks, NOW))) == known(reply)


def added_up(written: list[dict[str, Any]]) -> dict[str, Any]:
    """A stream read with the official client's types and put together as its helpers do."""
    choices: dict[int, dict[str, Any]] = {}
    usage = None
    for item in written:
        ChatCompletionChunk.model_validate(item)
        usage = item["usage"] or usage
        for piece in item["choices"]:
            choice = choices.setdefault(
                piece["index"], {"index": piece["index"], "message": {}, "finish_reason": None}
            )
            choice["finish_reason"] = piece["finish_reason"] or choice["finish_reason"]
            _merge(choice["message"], piece["delta"])
    head = {name: written[0][name] for name in ("id", "created")}
    return {**head, "usage": usage, "choices": [choices[index] for index in sorted(choices)]}


def _merge(message: dict[str, Any], delta: dict[str, Any]) -> None:
    for slot in SLOTS:
        message[slot] = (message.get(slot) or "") + (delta.get(slot) or "")
    calls = message.setdefault("tool_calls", [])
    for piece in delta.get("tool_calls") or ():
        if piece["index"] == len(calls):
            calls.append({"id": piece["id"], "function": {"name": "", "arguments": ""}})
        function = calls[piece["index"]]["function"]
        for name, text in piece["function"].items():
            function[name] += text


@pytest.mark.parametrize("usage_wanted", [True, False])
def test_the_official_clients_own_accumulator_reads_the_stream(usage_wanted):
    asked = call(usage_wanted=usage_wanted)
    chunks = [
        Chunk((Opened(0), ToolOpened(0, 0, "call_1"), said("send", slot="tool_calls.0.name"))),
        Chunk((said('{"to": ', slot="tool_calls.0.arguments"),)),
        Chunk((said('"bob"}', slot="tool_calls.0.arguments"), Opened(1), said("hi", 1))),
        Chunk((Finished(0, "tool_calls"), Finished(1, "stop"), Usage(1, 2))),
    ]
    body = b"".join(event(asked, chunk, NOW) for chunk in chunks) + b": x\n\ndata: [DONE]\n\n"
    sse = {"content-type": "text/event-stream"}
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=body, headers=sse))
    with httpx.Client(transport=transport) as http:
        client = openai.OpenAI(api_key="k", base_url="http://127.0.0.1/v1", http_client=http)
        with client.chat.completions.stream(
            model="alias", messages=[{"role": "user", "content": "x"}]
        ) as stream:
            final = stream.get_final_completion()
    tools = final.choices[0].message.tool_calls
    assert tools is not None
    (tool,) = tools
    assert (tool.id, tool.function.name, tool.function.arguments) == (
        "call_1",
        "send",
        '{"to": "bob"}',
    )
    assert final.choices[1].message.content == "hi"
    assert (final.usage is not None) is usage_wanted
