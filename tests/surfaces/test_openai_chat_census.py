"""Nothing of the current chat completions request is unknown: the official client is the judge."""

import pytest
from openai.types.chat import completion_create_params as sdk

from gateway.surfaces import census
from gateway.surfaces.census import rows
from gateway.surfaces.intake import Limits
from gateway.surfaces.openai_chat_census import request
from tests.surfaces.published import undeclared

REQUEST = request(Limits())


@pytest.mark.parametrize(
    "params", [sdk.CompletionCreateParamsNonStreaming, sdk.CompletionCreateParamsStreaming]
)
def test_every_field_of_the_official_client_is_declared_at_every_depth(params):
    assert list(undeclared(params, REQUEST, "")) == []


def test_the_check_sees_a_field_a_variant_and_a_word_that_are_missing():
    fields = dict(REQUEST.fields)
    del fields["seed"]
    fields["verbosity"] = census.Word(("low",))
    fields["response_format"] = census.Tagged("type", {})
    fields["user"] = census.Flag()
    missing = set(undeclared(sdk.CompletionCreateParamsNonStreaming, census.Object(fields), ""))
    assert {".seed", ".verbosity=high", ".response_format<json_schema>"} < missing
    assert any(line.startswith(".user") for line in missing)


def test_every_place_of_free_text_is_guarded_or_refused():
    """A typed string is a word or an identifier; the list is short and each is known."""
    typed = {row.path for row in rows(REQUEST) if row.detail.startswith("a string")}
    assert typed == {
        "model",
        "messages[]<assistant>.tool_calls[]<function>.id",
        "messages[]<tool>.tool_call_id",
    }
