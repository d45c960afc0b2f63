"""Nothing of the current chat completions request is unknown: the official client is the judge."""

import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import pytest
from openai.types.chat import completion_create_params as sdk
from typing_extensions import get_type_hints, is_typeddict

from gateway.surfaces import census
from gateway.surfaces.census import Node, rows
from gateway.surfaces.intake import Limits
from gateway.surfaces.openai_chat_census import request

REQUEST = request(Limits())


def undeclared(hint: Any, node: Node | None, path: str) -> Iterator[str]:
    """The places of an SDK type that `node` does not provide for."""
    if node is None:
        yield path
    elif get_origin(hint) in {Union, types.UnionType}:
        for arm in get_args(hint):
            yield from undeclared(arm, node, path)
    elif isinstance(node, census.Either):
        stringy = hint is str or get_origin(hint) is Literal
        yield from undeclared(hint, node.string if stringy else node.other, path)
    elif not isinstance(node, census.Refused) and hint is not type(None):
        yield from _undeclared_alone(hint, node, path)


def _undeclared_alone(hint: Any, node: Node, path: str) -> Iterator[str]:
    if is_typeddict(hint):
        yield from _undeclared_fields(hint, node, path)
    elif get_origin(hint) is Literal:
        yield from (f"{path}={word}" for word in get_args(hint) if not _takes(node, word))
    elif not _suits(hint, node):
        yield f"{path}: {hint} is not {node}"
    elif isinstance(node, census.Items):
        yield from undeclared(get_args(hint)[0], node.item, f"{path}[]")


def _undeclared_fields(hint: Any, node: Node, path: str) -> Iterator[str]:
    hints = get_type_hints(hint)
    if isinstance(node, census.Tagged):
        for tag in get_args(hints[node.tag]):
            yield from undeclared(hint, node.variants.get(tag), f"{path}<{tag}>")
    elif not isinstance(node, census.Object):
        yield f"{path}: an object is not {node}"
    else:
        for name, inner in hints.items():
            yield from undeclared(inner, node.fields.get(name), f"{path}.{name}")


def _takes(node: Node, word: object) -> bool:
    match node:
        case census.Word():
            return word in node.options
        case census.Token():
            return isinstance(word, str) and node.pattern.fullmatch(word) is not None
        case census.Items():
            return _takes(node.item, word)
        case _:
            return isinstance(node, census.Flag) and isinstance(word, bool)


def _suits(hint: Any, node: Node) -> bool:
    if hint is str:
        return isinstance(node, census.Text | census.Token)
    if hint is bool:
        return isinstance(node, census.Flag)
    if hint in {int, float}:
        return isinstance(node, census.Number) or (hint is int and isinstance(node, census.Whole))
    if get_origin(hint) is dict:
        return isinstance(node, census.Free | census.Keyed | census.Tagged | census.Object)
    return isinstance(node, census.Items)


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


def test_the_page_on_surfaces_shows_this_very_table():
    page = (Path(__file__).parents[2] / "docs" / "surfaces.md").read_text("utf-8")
    table = [f"| `{row.path}` | {row.fate} | {row.detail} |" for row in rows(REQUEST)]
    assert "\n".join(table) in page
