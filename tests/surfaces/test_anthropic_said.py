"""What a Messages call asks, in no dialect; and what of it another dialect cannot be told."""

from typing import Any

import pytest

from gateway.core.conversation import (
    Answered,
    AnswerFormat,
    Called,
    Option,
    Said,
    Shown,
    Thought,
    Tool,
    ToolChoice,
    Turn,
)
from gateway.core.errors import Unsupported
from gateway.core.model import Role
from gateway.surfaces.anthropic_said import conversation

PICTURE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AA"}}


def said(*content: Any, role: str = "user", **body: Any):
    return conversation({"messages": [{"role": role, "content": list(content)}], **body})


def pieces(*content: Any):
    (turn,) = said(*content).turns
    return turn.pieces


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


def option(name: str, value: Any, path: str | None = None):
    return Option(name, value, path or name)


def test_the_system_prompt_is_the_first_turn():
    first, second = said(text("hi"), system=[text("be "), text("kind")]).turns
    assert first == Turn(Role.SYSTEM, (Said("be "), Said("kind")))
    assert second == Turn(Role.USER, (Said("hi"),))
    assert conversation(
        {"system": "x", "messages": [{"role": "system", "content": "y"}]}
    ).turns == (
        Turn(Role.SYSTEM, (Said("x"),)),
        Turn(Role.SYSTEM, (Said("y"),)),
    )


def test_an_earlier_answer_is_its_thoughts_words_and_calls():
    (turn,) = said(
        {"type": "thinking", "thinking": "hm", "signature": "x"},
        text("well"),
        {"type": "tool_use", "id": "t1", "name": "send", "input": {"to": "bob"}},
        role="assistant",
    ).turns
    called = Called("t1", "send", '{"to":"bob"}')
    assert turn == Turn(Role.ASSISTANT, (Thought("hm"), Said("well"), called))


def test_results_are_a_turn_before_what_was_said_beside_them():
    turns = said(
        text("and"),
        {"type": "tool_result", "tool_use_id": "t1", "content": "one"},
        {
            "type": "tool_result",
            "tool_use_id": "t2",
            "content": [text("two"), PICTURE],
            "is_error": True,
        },
        {"type": "tool_result", "tool_use_id": "t3"},
    ).turns
    shown = Shown("image", "image/png", "AA")
    assert turns == (
        Turn(
            Role.TOOL,
            (
                Answered("t1", (Said("one"),)),
                Answered("t2", (Said("two"), shown), failed=True),
                Answered("t3", ()),
            ),
        ),
        Turn(Role.USER, (Said("and"),)),
    )


def test_a_document_is_a_file_by_its_title_or_texts():
    pdf = {"type": "base64", "media_type": "application/pdf", "data": "AA"}
    about = {"title": "who.pdf", "context": "see"}
    assert pieces({"type": "document", "source": pdf, **about}) == (
        Said("see"),
        Shown("file", "application/pdf", "AA", "who.pdf"),
    )
    plain = {"type": "text", "media_type": "text/plain", "data": "hello"}
    assert pieces({"type": "document", "source": plain, **about}) == (
        Said("who.pdf"),
        Said("see"),
        Said("hello"),
    )
    mixed = {"type": "content", "content": [text("a"), PICTURE]}
    assert pieces({"type": "document", "source": mixed}) == (
        Said("a"),
        Shown("image", "image/png", "AA"),
    )
    assert pieces({"type": "document", "source": {"type": "content", "content": "b"}}) == (
        Said("b"),
    )


def test_tools_their_choice_and_the_answers_form_are_said():
    schema = {"type": "object"}
    told = said(
        tools=[
            {"name": "a", "input_schema": schema, "description": "A.", "strict": True},
            {"type": "custom", "name": "b", "input_schema": {}, "eager_input_streaming": True},
        ],
        output_config={"format": {"type": "json_schema", "schema": schema}},
    )
    assert told.tools == (Tool("a", "A.", schema, strict=True), Tool("b", None, {}))
    assert told.format == AnswerFormat(schema, strict=True)
    assert told.tool_choice is None


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        ({"type": "auto"}, ToolChoice("auto")),
        ({"type": "any"}, ToolChoice("required")),
        ({"type": "none"}, ToolChoice("none")),
        ({"type": "tool", "name": "a"}, ToolChoice("named", "a")),
    ],
)
def test_how_to_use_tools_has_the_same_four_ways(choice, told):
    assert said(tool_choice=choice).tool_choice == told


def test_options_go_by_the_names_of_core_and_by_the_clients_paths():
    assert said(
        max_tokens=5,
        temperature=0.5,
        top_p=0.9,
        top_k=3,
        stop_sequences=["END"],
        metadata={"user_id": "u"},
        output_config={"effort": "high"},
        tool_choice={"type": "auto", "disable_parallel_tool_use": True},
        service_tier="standard_only",
        user_profile_id="p",
    ).options == (
        option("max_tokens", 5),
        option("stop", ["END"], "stop_sequences"),
        option("temperature", 0.5),
        option("top_k", 3),
        option("top_p", 0.9),
        option("user_profile_id", "p"),
        option("user", "u", "metadata.user_id"),
        option("reasoning_effort", "high", "output_config.effort"),
        option("parallel_tool_calls", False, "tool_choice.disable_parallel_tool_use"),
        option("service_tier", "default", "service_tier"),
    )


def test_what_asks_for_nothing_is_no_option():
    nothing = said(
        stream=True,
        cache_control={"type": "ephemeral"},
        metadata={"user_id": None},
        service_tier="auto",
        speed="standard",
        thinking={"type": "disabled"},
        tool_choice={"type": "auto", "disable_parallel_tool_use": False},
        diagnostics={},
        output_config=None,
    )
    assert nothing.options == ()
    assert said(thinking={"type": "adaptive"}).options == ()


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, "thinking"),
        ({"thinking": {"type": "between_tools"}}, "thinking"),
        ({"thinking": {"type": "adaptive", "display": "omitted"}}, "thinking.display"),
        ({"speed": "fast"}, "speed"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"tools": [{"name": "a", "input_schema": {}, "defer_loading": True}]}, "tools.0.defer_loading"),
        ({"tools": [{"name": "a", "input_schema": {}, "input_examples": [{}]}]}, "tools.0.input_examples"),
    ],
)  # fmt: skip
def test_what_only_this_dialect_says_is_refused_by_its_path(body, path):
    with pytest.raises(Unsupported) as caught:
        said(**body)
    assert caught.value.path == path


def test_a_picture_to_be_changed_cannot_be_shown_elsewhere():
    with pytest.raises(Unsupported):
        said({**PICTURE, "transformations": {"oversized_image": "downsize"}})
