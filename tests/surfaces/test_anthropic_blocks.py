"""What stands in a message: its texts are found, files are left to the policy, the rest is refused."""

from typing import Any

import orjson
import pytest

from gateway.core.errors import InvalidField, UnknownField, Unsupported
from gateway.core.model import Form, Kind, Media, Role
from gateway.surfaces.anthropic_messages import AnthropicMessages

MESSAGES = AnthropicMessages()
PICTURE = {"type": "base64", "media_type": "image/png", "data": "AAAA"}
PDF = {"type": "base64", "media_type": "application/pdf", "data": "AAAA"}
CACHE = {"type": "ephemeral", "ttl": "1h"}


def parse(*content: Any, role: str = "user", **body: Any):
    messages = [{"role": role, "content": list(content)}]
    return MESSAGES.parse(
        "c1", orjson.dumps({"model": "m", "max_tokens": 9, "messages": messages, **body})
    )


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **more}


def texts(call):
    return [(p.text, p.role, p.kind) for p in call.passages]


def called(call_id: str, name: str, **given: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": name, "input": given}


def answered(call_id: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": call_id, "content": content, **more}


def test_adjacent_texts_are_one_passage_and_a_cache_mark_parts_them_not():
    assert texts(parse(text("he", cache_control=CACHE), text("llo", citations=None))) == [
        ("hello", Role.USER, Kind.TEXT)
    ]


def test_a_system_prompt_speaks_as_the_system_as_a_string_in_blocks_and_as_a_message():
    system = Role.SYSTEM, Kind.TEXT
    assert texts(parse(system="be kind")) == [("be kind", *system)]
    assert texts(parse(system=[text("be "), text("kind", cache_control=CACHE)])) == [
        ("be kind", *system)
    ]
    assert texts(parse(text("be kind"), role="system")) == [("be kind", *system)]


def test_an_earlier_answer_gives_its_thoughts_words_and_calls():
    call = parse(
        {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
        text("well"),
        {**called("t1", "send", to="bob"), "caller": {"type": "direct"}, "toolset_name": None},
        role="assistant",
    )
    assert [(p.text, p.kind, p.form, p.tool) for p in call.passages] == [
        ("hm", Kind.REASONING, Form.PLAIN, None),
        ("well", Kind.TEXT, Form.PLAIN, None),
        ("send", Kind.TOOL_NAME, Form.PLAIN, "send"),
        ('{"to":"bob"}', Kind.TOOL_ARGUMENTS, Form.JSON_VALUE, "send"),
    ]
    assert {p.role for p in call.passages} == {Role.ASSISTANT}


def test_a_result_speaks_as_the_tool_that_was_called_and_the_words_beside_it_as_the_user():
    history = [
        {"role": "assistant", "content": [called("t1", "send"), called("t2", "look")]},
        {
            "role": "user",
            "content": [
                answered("t1", "one"),
                answered("t2", [text("tw"), text("o")], is_error=True),
                answered("t9", "lost", cache_control=CACHE),
                text("and"),
                text(" now"),
            ],
        },
    ]
    assert [(p.text, p.role, p.kind, p.tool) for p in parse(messages=history).passages][4:] == [
        ("one", Role.TOOL, Kind.TOOL_RESULT, "send"),
        ("two", Role.TOOL, Kind.TOOL_RESULT, "look"),
        ("lost", Role.TOOL, Kind.TOOL_RESULT, None),
        ("and now", Role.USER, Kind.TEXT, None),
    ]


def test_a_picture_is_the_policys_where_it_stands_and_whatever_it_is():
    path = ("messages", 0, "content", 0)
    assert parse({"type": "image", "source": PICTURE}).media == (Media(path, "image", "png"),)
    inner = parse(answered("t1", [{"type": "image", "source": PICTURE}]))
    assert inner.media == (Media((*path, "content", 0), "image", "png"),)


def test_a_document_is_a_file_or_its_own_text():
    path = ("messages", 0, "content", 0)
    file = parse({"type": "document", "source": PDF, "title": "who.pdf", "context": "see"})
    assert file.media == (Media((*path, "source"), "file", "pdf"),)
    assert texts(file) == [("who.pdf", Role.USER, Kind.NAME), ("see", Role.USER, Kind.TEXT)]
    plain = {"type": "text", "media_type": "text/plain", "data": "hello"}
    assert texts(parse({"type": "document", "source": plain})) == [("hello", Role.USER, Kind.TEXT)]
    assert texts(parse(answered("t1", [{"type": "document", "source": plain}]))) == [
        ("hello", Role.TOOL, Kind.TOOL_RESULT)
    ]
    mixed = {"type": "content", "content": [text("hello"), {"type": "image", "source": PICTURE}]}
    call = parse({"type": "document", "source": mixed, "citations": {"enabled": False}})
    assert texts(call) == [("hello", Role.USER, Kind.TEXT)]
    assert [media.label for media in call.media] == ["media.image.png"]
    assert parse({"type": "document", "source": plain}).media == ()


@pytest.mark.parametrize(
    "block",
    [
        {"type": "image", "source": {"type": "url", "url": "http://x"}},
        {"type": "image", "source": {"type": "file", "file_id": "f"}},
        {"type": "document", "source": {"type": "url", "url": "http://x"}},
        {"type": "document", "source": {"type": "file", "file_id": "f"}},
        {"type": "document", "source": PDF, "citations": {"enabled": True}},
        {"type": "search_result", "source": "x", "title": "x", "content": []},
        {"type": "container_upload", "file_id": "f"},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "tool_use", "id": "t", "name": "x", "input": {}},
        {"type": "thinking", "thinking": "x", "signature": ""},
        {"type": "server_tool_use", "id": "t", "name": "web_search", "input": {}},
        {"type": "web_search_tool_result", "tool_use_id": "t", "content": []},
        {"type": "text", "text": "x", "citations": [{"type": "char_location"}]},
        {"type": "tool_result", "tool_use_id": "t", "toolset_name": "x"},
        {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "tool_reference"}]},
    ],
)
def test_what_nobody_can_look_at_is_refused_as_such(block):
    with pytest.raises(Unsupported, match="known but not guarded"):
        parse(block)


@pytest.mark.parametrize("tag", ["tool_result", "image", "document", "redacted_thinking"])
def test_an_assistant_shows_nothing_and_answers_no_call(tag):
    with pytest.raises(Unsupported, match="known but not guarded"):
        parse({"type": tag}, role="assistant")


@pytest.mark.parametrize(
    ("block", "path"),
    [
        ({"type": "image", "source": {**PICTURE, "data": "bob@corp"}}, "source.data"),
        ({"type": "image", "source": {**PICTURE, "media_type": "image/x"}}, "source.media_type"),
        ({"type": "text"}, "text"),
        ({"type": "text", "text": "x", "cache_control": {"type": "bob"}}, "cache_control.type"),
        ({"type": "tool_result", "tool_use_id": "write to bob"}, "tool_use_id"),
        ({"type": "poem", "text": "x"}, "type"),
        ({"text": "x"}, "type"),
    ],
)
def test_what_is_out_of_type_is_named_by_its_path(block, path):
    with pytest.raises(InvalidField) as caught:
        parse(block)
    assert caught.value.path == f"messages.0.content.0.{path}"


def test_an_unknown_field_of_a_block_is_refused():
    with pytest.raises(UnknownField) as caught:
        parse(text("x", spoken="y"))
    assert caught.value.path == "messages.0.content.0.spoken"
