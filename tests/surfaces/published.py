"""What an official client's published types say that a census does not provide for."""

import types
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, Union, get_args, get_origin

from typing_extensions import get_type_hints, is_typeddict

from gateway.surfaces import census
from gateway.surfaces.census import Node

Tags: TypeAlias = Mapping[str, str]
"""The words by which an object was told from its like, by their field."""


def undeclared(
    hint: Any, node: Node | None, path: str, tags: Tags = MappingProxyType({})
) -> Iterator[str]:
    """The places of an SDK type that `node` does not provide for."""
    if node is None:
        yield path
    elif get_origin(hint) in {Union, types.UnionType}:
        for arm in get_args(hint):
            yield from undeclared(arm, node, path, tags)
    elif isinstance(node, census.Either):
        stringy = hint is str or get_origin(hint) is Literal
        yield from undeclared(hint, node.string if stringy else node.other, path)
    elif not isinstance(node, census.Refused) and hint is not type(None):
        yield from _undeclared_alone(hint, node, path, tags)


def _undeclared_alone(hint: Any, node: Node, path: str, tags: Tags) -> Iterator[str]:
    if is_typeddict(hint):
        yield from _undeclared_fields(hint, node, path, tags)
    elif get_origin(hint) is Literal:
        yield from (f"{path}={word}" for word in get_args(hint) if not _takes(node, word))
    elif not _suits(hint, node):
        yield f"{path}: {hint} is not {node}"
    elif isinstance(node, census.Items):
        yield from undeclared(get_args(hint)[0], node.item, f"{path}[]")


def _undeclared_fields(hint: Any, node: Node, path: str, tags: Tags) -> Iterator[str]:
    hints = get_type_hints(hint)
    if isinstance(node, census.Tagged):
        for tag in _tags(hints[node.tag]):
            told = {**tags, node.tag: tag}
            yield from undeclared(hint, node.variants.get(tag), f"{path}<{tag}>", told)
    elif not isinstance(node, census.Object):
        yield f"{path}: an object is not {node}"
    else:
        for name, inner in hints.items():
            one = Literal[tags[name]] if name in tags else inner
            yield from undeclared(one, node.fields.get(name), f"{path}.{name}")


def _tags(hint: Any) -> Iterator[Any]:
    """The words that a tag may be; that it may be absent is the census's to say."""
    if get_origin(hint) is Literal:
        yield from get_args(hint)
    else:
        for arm in get_args(hint):
            yield from _tags(arm)


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
        return isinstance(node, census.Text | census.Token | census.Blob)
    if hint is bool:
        return isinstance(node, census.Flag)
    if hint in {int, float}:
        return isinstance(node, census.Number) or (hint is int and isinstance(node, census.Whole))
    if get_origin(hint) is dict:
        return isinstance(node, census.Free | census.Keyed | census.Tagged | census.Object)
    return isinstance(node, census.Items)
