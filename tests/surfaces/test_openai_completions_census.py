"""Nothing of the current completions request is unknown: the official client is the judge."""

import types
from typing import Any, Union, get_args, get_origin

import pytest
from openai.types import completion_create_params as sdk
from typing_extensions import get_type_hints

from gateway.surfaces import census
from gateway.surfaces.census import rows
from gateway.surfaces.intake import Limits
from gateway.surfaces.openai_completions_census import request
from tests.surfaces.test_openai_chat_census import undeclared

REQUEST = request(Limits())
PARAMS = [sdk.CompletionCreateParamsNonStreaming, sdk.CompletionCreateParamsStreaming]


def unsaid(hint: Any, node: census.Node | None, path: str) -> list[str]:
    """What of a field's type the census does not provide for, but for one list of tokens.

    A list of tokens is no other JSON type than a list of strings, so `openai_texts` refuses it.
    """
    union = get_origin(hint) in {Union, types.UnionType}
    arms = get_args(hint) if union else (hint,)
    return [
        place for arm in arms if get_args(arm) != (int,) for place in undeclared(arm, node, path)
    ]


@pytest.mark.parametrize("params", PARAMS)
def test_every_field_of_the_official_client_is_declared_at_every_depth(params):
    hints = get_type_hints(params)
    assert [
        place
        for name, hint in hints.items()
        for place in unsaid(hint, REQUEST.fields.get(name), name)
    ] == []


def test_no_field_is_declared_that_is_not_published():
    assert REQUEST.fields.keys() == {name for one in PARAMS for name in get_type_hints(one)}


def test_the_check_sees_a_field_and_a_type_that_are_missing():
    hints = get_type_hints(PARAMS[0])
    assert unsaid(hints["suffix"], None, "suffix")
    assert unsaid(hints["prompt"], census.Text(census.Kind.TEXT), "prompt")


def test_every_place_of_free_text_is_guarded_or_refused():
    typed = {row.path for row in rows(REQUEST) if row.detail.startswith("a string")}
    assert typed == {"model"}
    fates = {row.path: row.fate for row in rows(REQUEST) if row.fate != "typed"}
    assert fates == {
        "prompt": "guarded",
        "prompt[]": "guarded",
        "prompt[][]": "refused",
        "echo": "refused",
        "logprobs": "refused",
        "stop": "guarded",
        "stop[]": "guarded",
        "stream_options.include_obfuscation": "refused",
        "suffix": "guarded",
        "user": "guarded",
    }
