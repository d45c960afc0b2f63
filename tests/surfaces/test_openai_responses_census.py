"""Nothing of the current `responses` request is unknown: the official client is the judge."""

import pytest
from openai.types.responses import response_create_params as sdk

from gateway.surfaces import census
from gateway.surfaces.census import rows
from gateway.surfaces.intake import Limits
from gateway.surfaces.openai_responses_census import REFUSED, request
from tests.surfaces.published import undeclared

REQUEST = request(Limits())


@pytest.mark.parametrize(
    "params", [sdk.ResponseCreateParamsNonStreaming, sdk.ResponseCreateParamsStreaming]
)
def test_every_field_of_the_official_client_is_declared_at_every_depth(params):
    assert list(undeclared(params, REQUEST, "")) == []


def test_the_check_sees_an_item_a_tool_a_part_and_a_word_that_are_missing():
    fields = dict(REQUEST.fields)
    asked, tools = fields["input"], fields["tools"]
    assert isinstance(asked, census.Either)
    assert isinstance(asked.other, census.Items)
    assert isinstance(asked.other.item, census.Tagged)
    assert isinstance(tools, census.Items)
    assert isinstance(tools.item, census.Tagged)
    items = {
        tag: variant for tag, variant in asked.other.item.variants.items() if tag != "reasoning"
    }
    known = {tag: tool for tag, tool in tools.item.variants.items() if tag != "mcp"}
    fields["input"] = census.Either(
        asked.string, census.Items(census.Tagged("type", items, "message"), most=1)
    )
    fields["tools"] = census.Items(census.Tagged("type", known), most=1)
    fields["service_tier"] = census.Word(("auto",))
    missing = set(undeclared(sdk.ResponseCreateParamsNonStreaming, census.Object(fields), ""))
    assert {".input[]<reasoning>", ".tools[]<mcp>", ".service_tier=flex"} <= missing


def test_every_place_of_free_text_is_guarded_or_refused():
    """A typed string is a word or an identifier; the list is short and each is known."""
    typed = {row.path for row in rows(REQUEST) if row.detail.startswith("a string")}
    messages = {
        f"input[]<message><{role}>" for role in ("user", "system", "developer", "assistant")
    }
    items = {"input[]<function_call>", "input[]<function_call_output>", "input[]<reasoning>"}
    assert typed == {
        "model",
        "input[]<function_call>.call_id",
        "input[]<function_call_output>.call_id",
        *(f"{item}.id" for item in messages | items),
    }


def test_media_are_the_policys_to_allow():
    assert {row.path for row in rows(REQUEST) if row.fate == "by policy"} == {
        "input[]<message><user>.content[]<input_image>",
        "input[]<message><user>.content[]<input_file>",
    }


def test_what_is_refused_says_why_in_words_of_its_own():
    refused = [row for row in rows(REQUEST) if row.fate == "refused"]
    assert {row.path for row in refused} >= {*REFUSED, "tools[]<mcp>", "tools[]<custom>"}
    assert all(row.detail and not row.detail.endswith(".") for row in refused)


def test_limits_are_in_the_table():
    strict = request(Limits(messages=1, tools=0))
    assert strict.fields["input"] != REQUEST.fields["input"]
    assert strict.fields["tools"].expected == "a list of 0 to 0 items"
