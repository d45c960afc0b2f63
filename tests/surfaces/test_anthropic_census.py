"""Nothing of the current Messages request is unknown: the official client is the judge."""

from typing import Any, get_args

import pytest
from anthropic.types import content_block, message_count_tokens_params, message_create_params
from pydantic import BaseModel
from typing_extensions import TypedDict

from gateway.surfaces import census
from gateway.surfaces.anthropic_census import count_request, request
from gateway.surfaces.census import rows
from gateway.surfaces.intake import Limits
from tests.surfaces.published import undeclared

REQUEST, COUNT = request(Limits()), count_request(Limits())

EXPLAINED = (
    # The client itself reads a file and sends base64.
    ": typing.IO[bytes] is not Blob(",
    ": <class 'os.PathLike'> is not Blob(",
    # An object of any fields is wholly looked at.
    ": an object is not Free(",
    # The classes of answers: the test below takes each of them for a request's block.
    "Block'> is not Tagged(",
)


def missing(params: Any, node: census.Object) -> list[str]:
    return [
        line
        for line in undeclared(params, node, "")
        if not any(reason in line for reason in EXPLAINED)
    ]


@pytest.mark.parametrize(
    ("params", "node"),
    [
        (message_create_params.MessageCreateParamsNonStreaming, REQUEST),
        (message_create_params.MessageCreateParamsStreaming, REQUEST),
        (message_count_tokens_params.MessageCountTokensParams, COUNT),
    ],
)
def test_every_field_of_the_official_client_is_declared_at_every_depth(params, node):
    assert missing(params, node) == []


def blocks_of_answers() -> tuple[type[BaseModel], ...]:
    union, *_ = get_args(content_block.ContentBlock)
    return get_args(union)


@pytest.mark.parametrize("block", blocks_of_answers())
def test_a_block_of_an_answer_may_be_sent_back_as_it_came(block):
    """Each of its fields is known, though some may be sent with a neutral value alone."""
    message = census_at("messages", "assistant", "content")
    assert isinstance(message, census.Either)
    assert isinstance(message.other, census.Items)
    hints = {name: field.annotation for name, field in block.model_fields.items()}
    same: Any = TypedDict("same", hints)  # type: ignore[operator]
    assert list(undeclared(same, message.other.item, "")) == []


def census_at(name: str, tag: str, field: str) -> census.Node:
    items = REQUEST.fields[name]
    assert isinstance(items, census.Items)
    assert isinstance(items.item, census.Tagged)
    variant = items.item.variants[tag]
    assert isinstance(variant, census.Object)
    return variant.fields[field]


def test_the_check_sees_a_field_a_variant_and_a_word_that_are_missing():
    fields = dict(REQUEST.fields)
    del fields["speed"]
    fields["service_tier"] = census.Word(("auto",))
    fields["tool_choice"] = census.Tagged("type", {})
    fields["metadata"] = census.Flag()
    found = set(
        missing(message_create_params.MessageCreateParamsNonStreaming, census.Object(fields))
    )
    assert {".speed", ".service_tier=standard_only", ".tool_choice<tool>"} < found
    assert any(line.startswith(".metadata") for line in found)


def test_every_place_of_free_text_is_guarded_or_refused():
    """A typed string is a word, an identifier or a server's signature; the list is short and each is known."""
    typed = {row.path for row in rows(REQUEST) if row.detail.startswith("a string")}
    assert typed == {
        "model",
        "messages[]<assistant>.content[]<thinking>.signature",
        "messages[]<assistant>.content[]<tool_use>.id",
        "messages[]<user>.content[]<tool_result>.tool_use_id",
    }


def test_a_count_takes_what_makes_a_prompt_and_no_more():
    more = {"max_tokens", "metadata", "stream", "stop_sequences", "temperature", "service_tier"}
    assert more <= REQUEST.fields.keys()
    assert COUNT.fields.keys() < REQUEST.fields.keys()
    assert not more & COUNT.fields.keys()
