"""The items of an input: what each becomes, and what comes back from an answer as it was."""

import orjson
import pytest

from gateway.core.errors import InvalidField, UnknownField, Unsupported
from gateway.core.model import Form, Kind, Media, Role
from gateway.surfaces.openai_responses import OpenAIResponses

RESPONSES = OpenAIResponses(now=lambda: 1700000000)
PNG = "data:image/png;base64,AAAA"
PDF = "data:application/pdf;base64,AAAA"
CALLED = {
    "type": "function_call",
    "call_id": "call_1",
    "name": "send_mail",
    "arguments": '{"to": "bob"}',
}
ANSWERED = {"type": "function_call_output", "call_id": "call_1", "output": "sent"}


def parse(*items):
    return RESPONSES.parse("c1", orjson.dumps({"model": "m", "input": items}))


def looked_at(*items):
    return [(p.text, p.role, p.kind, p.form, p.tool) for p in parse(*items).passages]


def text(tag, words):
    return {"type": tag, "text": words}


def test_messages_speak_for_their_role_typed_or_not_as_a_string_or_in_parts():
    asked = [
        {"role": "system", "content": "be kind"},
        {"type": "message", "role": "developer", "content": [text("input_text", "be brief")]},
        {"type": None, "role": "user", "content": "hi"},
        {"role": "assistant", "content": "well"},
        {"role": "assistant", "content": [text("output_text", "so"), text("input_text", "it is")]},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
    ]
    plain, assistant = Form.PLAIN, Role.ASSISTANT
    assert looked_at(*asked) == [
        ("be kind", Role.SYSTEM, Kind.TEXT, plain, None),
        ("be brief", Role.SYSTEM, Kind.TEXT, plain, None),
        ("hi", Role.USER, Kind.TEXT, plain, None),
        ("well", assistant, Kind.TEXT, plain, None),
        ("soit is", assistant, Kind.TEXT, plain, None),
        ("no", assistant, Kind.REFUSAL, plain, None),
    ]


def test_calls_their_results_and_reasoning_are_looked_at_and_know_their_tool():
    reasoning = {
        "type": "reasoning",
        "summary": [text("summary_text", "in short")],
        "content": [text("reasoning_text", "at length")],
    }
    parts = {**ANSWERED, "output": [text("input_text", "se"), text("input_text", "nt")]}
    plain, assistant = Form.PLAIN, Role.ASSISTANT
    assert looked_at(reasoning, CALLED, ANSWERED, parts) == [
        ("in short", assistant, Kind.REASONING, plain, None),
        ("at length", assistant, Kind.REASONING, plain, None),
        ("send_mail", assistant, Kind.TOOL_NAME, plain, "send_mail"),
        ('{"to": "bob"}', assistant, Kind.TOOL_ARGUMENTS, Form.JSON_TEXT, "send_mail"),
        ("sent", Role.TOOL, Kind.TOOL_RESULT, plain, "send_mail"),
        ("sent", Role.TOOL, Kind.TOOL_RESULT, plain, "send_mail"),
    ]


def test_items_of_an_answer_are_taken_back_as_they_came():
    given = {"status": "completed"}
    said = {"type": "output_text", "text": "hi", "annotations": [], "logprobs": []}
    call = parse(
        {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": None, **given},
        {"type": "message", "id": "msg_1", "role": "assistant", "content": [said], **given},
        {"type": "message", "role": "assistant", "phase": None, "content": [{**said, "logprobs": None}]},
        {**CALLED, "id": "fc_1", "caller": None, "namespace": None, **given},
        {**ANSWERED, "id": None, "status": None},
    )  # fmt: skip
    assert [passage.text for passage in call.passages][:2] == ["hi", "hi"]


def test_pictures_and_files_are_media_and_a_files_name_is_text():
    content = [
        {"type": "input_image", "image_url": PNG, "detail": "auto"},
        {"type": "input_file", "file_data": PDF, "filename": "bob.pdf"},
    ]
    call = parse({"role": "user", "content": content})
    assert call.media == (
        Media(("input", 0, "content", 0), "image", "png"),
        Media(("input", 0, "content", 1), "file", "pdf"),
    )
    assert [(p.text, p.kind) for p in call.passages] == [("bob.pdf", Kind.NAME)]


SAID = text("output_text", "x")
MARK = {"prompt_cache_breakpoint": {"mode": "explicit"}}


def said(role, part):
    return {"role": role, "content": [part]}


@pytest.mark.parametrize(
    ("item", "path"),
    [
        (said("user", {"type": "input_image", "file_id": "file_1"}), "input.0.content.0.file_id"),
        (said("user", {"type": "input_file", "file_id": "file_1"}), "input.0.content.0.file_id"),
        (said("user", {"type": "input_file", "file_url": "http://x"}), "input.0.content.0.file_url"),
        (said("user", {"type": "input_image", "image_url": PNG, "detail": "high"}), "input.0.content.0.detail"),
        (said("assistant", {"type": "input_image", "image_url": PNG}), "input.0.content.0"),
        (said("system", {"type": "input_file", "file_data": PDF}), "input.0.content.0"),
        (said("assistant", {**SAID, "annotations": [{"type": "file_path"}]}), "input.0.content.0.annotations"),
        (said("assistant", {**SAID, "logprobs": [{}]}), "input.0.content.0.logprobs"),
        (said("assistant", {**SAID, "parsed": {"a": 1}}), "input.0.content.0.parsed"),
        (said("user", {**text("input_text", "x"), **MARK}), "input.0.content.0.prompt_cache_breakpoint"),
        ({"role": "assistant", "content": "x", "phase": "commentary"}, "input.0.phase"),
        ({**CALLED, "namespace": "crm"}, "input.0.namespace"),
        ({**CALLED, "caller": {"type": "program", "caller_id": "p"}}, "input.0.caller"),
        ({**ANSWERED, "output": [{"type": "input_image", "image_url": PNG}]}, "input.0.output.0"),
        ({"type": "reasoning", "summary": [], "encrypted_content": "gAAA"}, "input.0.encrypted_content"),
        ({"type": "item_reference", "id": "msg_1"}, "input.0"),
        ({"type": "web_search_call", "id": "ws_1"}, "input.0"),
        ({"type": "mcp_call", "id": "mcp_1"}, "input.0"),
        ({"type": "custom_tool_call_output", "call_id": "c", "output": "x"}, "input.0"),
    ],
)  # fmt: skip
def test_what_is_kept_fetched_or_hosted_elsewhere_is_refused_as_such(item, path):
    with pytest.raises(Unsupported, match="known but not guarded") as caught:
        parse(item)
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("item", "path"),
    [
        ({"content": "hi"}, "input.0.role"),
        ({"id": "msg_1"}, "input.0.role"),
        ({"role": "tool", "content": "hi"}, "input.0.role"),
        ({"type": "speech"}, "input.0.type"),
        ({"type": 5}, "input.0.type"),
        ({"role": "user"}, "input.0.content"),
        (said("user", {"type": "input_image", "image_url": "http://x/a.png"}), "input.0.content.0.image_url"),
        (said("user", {"type": "input_image"}), "input.0.content.0.image_url"),
        (said("user", text("output_text", "hi")), "input.0.content.0.type"),
        ({"role": "user", "content": "hi", "id": "write to bob"}, "input.0.id"),
        ({**CALLED, "call_id": "write to bob"}, "input.0.call_id"),
        ({**CALLED, "name": "write to bob"}, "input.0.name"),
        ({**ANSWERED, "output": None}, "input.0.output"),
        ({**ANSWERED, "status": "sent"}, "input.0.status"),
    ],
)  # fmt: skip
def test_an_item_out_of_shape_is_named_by_its_path(item, path):
    with pytest.raises(InvalidField) as caught:
        parse(item)
    assert caught.value.path == path


@pytest.mark.parametrize("item", [{"role": "user", "content": "hi"}, CALLED, ANSWERED])
def test_an_unknown_field_of_an_item_is_refused(item):
    with pytest.raises(UnknownField) as caught:
        parse({**item, "api_base": "http://x"})
    assert caught.value.path == "input.0.api_base"
