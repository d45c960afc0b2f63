"""Request bodies made from a census: one for each place of text there is, with a text put there.

A field that is added to a census enters by itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from gateway.core.model import Form
from gateway.surfaces import census


@dataclass(frozen=True, slots=True)
class Place:
    """One place of text. `put` gives the smallest value of the census with the text at it."""

    path: str
    kind: str
    put: Callable[[str], Any]
    takes: Callable[[str], bool]
    """Whether this text may stand there at all: the name of a tool is no prose."""


def places(node: census.Node, path: str = "") -> Iterator[Place]:
    """Every place of text at and below `node`."""
    match node:
        case census.Text():
            yield _text(node, path)
        case census.Free():
            yield Place(path, node.kind.value, _as_json, lambda _: True)
        case census.Object():
            yield from (
                _inside(place, _in_object(node, name))
                for name, child in node.fields.items()
                for place in places(child, f"{path}.{name}".lstrip("."))
            )
        case census.Items():
            listed = max(node.least, 1)
            for place in places(node.item, f"{path}[]"):
                yield _inside(place, lambda value: [value] * listed)
        case _:
            for child, below in _variants(node, path):
                yield from places(child, below)


def _variants(node: census.Node, path: str) -> Iterator[tuple[census.Node, str]]:
    if isinstance(node, census.Tagged):
        yield from ((variant, f"{path}<{tag}>") for tag, variant in node.variants.items())
    elif isinstance(node, census.Either):
        yield from ((node.string, path), (node.other, path))


def minimal(node: census.Node) -> Any:
    """The smallest value that the census takes at `node`."""
    match node:
        case census.Object():
            return {name: minimal(node.fields[name]) for name in node.required}
        case census.Tagged():
            kept = [one for one in node.variants.values() if not isinstance(one, census.Refused)]
            return minimal(kept[0])
        case census.Items():
            return [minimal(node.item) for _ in range(node.least)]
        case census.Either():
            return minimal(node.string)
        case census.Text():
            return '{"a": 1}' if node.form is Form.JSON_TEXT else "hello"
        case _:
            return _plain(node)


def _plain(node: census.Node) -> Any:
    match node:
        case census.Word():
            return node.options[0]
        case census.Whole() | census.Number():
            return max(1, int(node.low))
        case census.Flag():
            return False
        case census.Free():
            return {}
        case census.Blob():
            return "AAAA" if node.pattern is census.BASE64 else "data:image/png;base64,AAAA"
        case _:
            return "m1"


def _text(node: census.Text, path: str) -> Place:
    def takes(text: str) -> bool:
        return node.pattern is None or node.pattern.fullmatch(text) is not None

    put = _json_text if node.form is Form.JSON_TEXT else str
    return Place(path, node.kind.value, put, takes)


def _as_json(text: str) -> Any:
    return {"told": [text, 1], text: True}


def _json_text(text: str) -> str:
    return json.dumps({"told": text, "n": 1})


def _inside(place: Place, wrap: Callable[[Any], Any]) -> Place:
    return Place(place.path, place.kind, lambda text: wrap(place.put(text)), place.takes)


def _in_object(node: census.Object, name: str) -> Callable[[Any], Any]:
    return lambda value: {**minimal(node), name: value}
