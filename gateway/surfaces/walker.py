"""Walks a request by its dialect's census: collects its text as Passages and refuses the rest.

Whatever the body holds, the only errors are BadRequest's; they name paths and types, never values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, cast

import orjson

from gateway.core.errors import BadRequest, InvalidField, UnknownField, Unsupported
from gateway.core.model import Field, Form, Media, Passage, Path, Role, Stage, dotted
from gateway.surfaces import census
from gateway.surfaces.intake import shown

_JSON_TYPES: Final = MappingProxyType(
    {
        dict: "an object",
        list: "a list",
        str: "a string",
        bool: "true or false",
        int: "an integer",
        float: "a number",
        type(None): "null",
    }
)


class Walk:
    """One walk over one body: the texts found so far, and what they are told by."""

    __slots__ = ("_called", "_groups", "_join_from", "_media")

    def __init__(self) -> None:
        self._groups: list[list[Field]] = []
        self._join_from: int | None = None
        self._called: dict[str, str] = {}
        self._media: list[Media] = []

    @property
    def media(self) -> tuple[Media, ...]:
        """What is no text."""
        return tuple(self._media)

    def passages(self) -> tuple[Passage, ...]:
        return tuple(Passage(Stage.INPUT, tuple(group)) for group in self._groups)

    def visit(
        self,
        node: census.Node,
        value: Any,
        path: Path,
        role: Role = Role.USER,
        tool: str | None = None,
    ) -> None:
        """Check `value` against `node` and collect its text. Raise BadRequest naming the path."""
        _VISITORS[type(node)](self, node, value, path, role, tool)

    def text(self, node: census.Text, value: Any, path: Path, role: Role, tool: str | None) -> None:
        if type(value) is not str:
            raise _wrong(node, value, path)
        if node.pattern is not None and node.pattern.fullmatch(value) is None:
            raise _wrong(node, value, path)
        if node.named:
            tool = value
        self._add(Field(path, value, node.role or role, node.kind, node.form, tool))

    def free(
        self, node: census.Free, value: Any, path: Path, _role: Role, tool: str | None
    ) -> None:
        if not isinstance(value, dict | list) or (node.mapping and not isinstance(value, dict)):
            raise _wrong(node, value, path)
        written = orjson.dumps(value).decode()
        self._add(Field(path, written, node.role, node.kind, Form.JSON_VALUE, tool))

    def object(
        self, node: census.Object, value: Any, path: Path, role: Role, tool: str | None
    ) -> None:
        if type(value) is not dict:
            raise _wrong(node, value, path)
        value = cast("dict[str, Any]", value)
        role = node.speaker or role
        tool = self._tool(node, value) or tool
        if node.answers and self._join_from is not None:
            # Two results side by side are two Passages.
            self._join_from = len(self._groups)
        if node.media:
            self._media.append(Media(path, node.media, _subtype(_below(value, node.typed_by))))
        for name, item in value.items():
            child = node.fields.get(name)
            if child is None:
                raise unknown((*path, shown(name)))
            if item is not None:
                _VISITORS[type(child)](self, child, item, (*path, name), role, tool)
        _demand(node, value, path)

    def items(
        self, node: census.Items, value: Any, path: Path, role: Role, tool: str | None
    ) -> None:
        if type(value) is not list or not node.least <= len(cast("list[Any]", value)) <= node.most:
            raise _wrong(node, value, path)
        outer = self._join_from
        if node.joined:
            self._join_from = len(self._groups)
        visitor = _VISITORS[type(node.item)]
        for index, item in enumerate(cast("list[Any]", value)):
            visitor(self, node.item, item, (*path, index), role, tool)
        self._join_from = outer

    def keyed(
        self, node: census.Keyed, value: Any, path: Path, role: Role, tool: str | None
    ) -> None:
        if type(value) is not dict:
            raise _wrong(node, value, path)
        for name, item in cast("dict[str, Any]", value).items():
            if node.key.fullmatch(name) is None:
                place = dotted((*path, shown(name)))
                raise InvalidField(
                    f"The name at `{place}` must match {node.key.pattern}.", path=place
                )
            self.visit(node.item, item, (*path, name), role, tool)

    def tagged(
        self, node: census.Tagged, value: Any, path: Path, role: Role, tool: str | None
    ) -> None:
        if type(value) is not dict:
            raise _wrong(node, value, path)
        told = cast("dict[str, Any]", value).get(node.tag)
        tag = node.default if told is None else told
        variant = node.variants.get(tag) if type(tag) is str else None
        if variant is None:
            raise _wrong(census.Word(tuple(node.variants)), told, (*path, node.tag))
        _VISITORS[type(variant)](self, variant, value, path, role, tool)

    def either(
        self, node: census.Either, value: Any, path: Path, role: Role, tool: str | None
    ) -> None:
        if type(value) is not str and type(value) is not _shape(node.other):
            raise _wrong(node, value, path)
        chosen = node.string if type(value) is str else node.other
        _VISITORS[type(chosen)](self, chosen, value, path, role, tool)

    def plain(
        self, node: census.Node, value: Any, path: Path, _role: Role, _tool: str | None
    ) -> None:
        if not _fits(node, value):
            raise _wrong(node, value, path)

    def refused(
        self, node: census.Refused, value: Any, path: Path, _role: Role, _tool: str | None
    ) -> None:
        if not any(type(value) is type(calm) and value == calm for calm in node.neutral):
            place = dotted(path)
            raise Unsupported(
                f"`{place}` is known but not guarded here, so it is refused: {node.reason}.",
                path=place,
            )

    def _add(self, found: Field) -> None:
        if not found.text:
            return
        groups, join_from = self._groups, self._join_from
        if join_from is not None and len(groups) > join_from:
            before = groups[-1][-1]
            if (before.kind, before.form, before.role) == (found.kind, found.form, found.role):
                groups[-1].append(found)
                return
        groups.append([found])

    def _tool(self, node: census.Object, value: dict[str, Any]) -> str | None:
        """The tool that an object calls or answers for, remembered by the call's id."""
        if node.calls:
            name = _below(value, node.calls)
            call_id = value.get(node.call_id)
            if type(name) is str:
                if type(call_id) is str:
                    self._called[call_id] = name
                return name
        if node.answers:
            answered = value.get(node.answers)
            return self._called.get(answered) if type(answered) is str else None
        return None


_TYPE: Final = re.compile(r"(?:(?:data:)?[a-z]+/)?([a-z0-9.+-]{1,64})", re.IGNORECASE)


def _below(value: Any, steps: tuple[str, ...]) -> Any:
    """What stands at these steps below; None where the way ends."""
    for step in steps:
        value = cast("dict[str, Any]", value).get(step) if type(value) is dict else None
    return value


def _subtype(told: Any) -> str:
    """`png` of `png`, of `image/png` and of `data:image/png;base64,…`."""
    found = _TYPE.match(told) if type(told) is str else None
    return found.group(1).lower() if found else ""


def _demand(node: census.Object, value: Mapping[str, Any], path: Path) -> None:
    for name in node.required:
        if value.get(name) is None:
            place = dotted((*path, name))
            raise InvalidField(f"`{place}` is required: {node.fields[name].expected}.", path=place)


def unknown(path: Path) -> UnknownField:
    place = dotted(path)
    return UnknownField(
        f"`{place}` is not a field known here; unknown fields are refused, not ignored. Remove it.",
        path=place,
    )


def _shape(node: census.Items | census.Tagged | census.Object) -> type:
    return list if isinstance(node, census.Items) else dict


def _fits(node: census.Node, value: Any) -> bool:
    match node:
        case census.Token() | census.Blob():
            return type(value) is str and node.pattern.fullmatch(value) is not None
        case census.Word():
            return type(value) is str and value in node.options
        case census.Whole():
            return type(value) is int and node.low <= value <= node.high
        case census.Number():
            return type(value) in (int, float) and node.low <= value <= node.high
        case _:
            return type(value) is bool


def _wrong(node: census.Node, value: Any, path: Path) -> BadRequest:
    place, came = dotted(path), _JSON_TYPES[type(value)]
    if isinstance(value, list):
        came = f"a list of {len(cast('list[Any]', value))}"
    return InvalidField(f"`{place}` must be {node.expected}; this is {came}.", path=place)


_Visitor = Callable[[Walk, Any, Any, Path, Role, "str | None"], None]
_VISITORS: Final[Mapping[type, _Visitor]] = MappingProxyType(
    {
        census.Text: Walk.text,
        census.Free: Walk.free,
        census.Object: Walk.object,
        census.Items: Walk.items,
        census.Keyed: Walk.keyed,
        census.Tagged: Walk.tagged,
        census.Either: Walk.either,
        census.Refused: Walk.refused,
        census.Token: Walk.plain,
        census.Blob: Walk.plain,
        census.Word: Walk.plain,
        census.Whole: Walk.plain,
        census.Number: Walk.plain,
        census.Flag: Walk.plain,
    }
)
