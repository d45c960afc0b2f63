"""JSON Schema, made from a census or read off what a surface writes: what the published document says.

It describes shapes; it reads no body. What JSON Schema cannot say it leaves out: fields that go together,
and `Limits.depth` and `Limits.keys`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, Final, TypeAlias, cast

from gateway.surfaces import census

Schema: TypeAlias = dict[str, Any]


def schema(node: census.Node) -> Schema:
    """The JSON Schema of what a client may send at `node`."""
    match node:
        case census.Object():
            return _object(node)
        case census.Items():
            counted = {"minItems": node.least, "maxItems": node.most}
            return {"type": "array", "items": schema(node.item), **counted}
        case census.Keyed():
            named = {anchored(node.key): schema(node.item)}
            return {"type": "object", "patternProperties": named, "additionalProperties": False}
        case census.Tagged():
            return _tagged(node)
        case census.Either():
            return {"oneOf": [schema(node.string), schema(node.other)]}
        case census.Refused():
            return {"description": _refusal(node), "enum": list(node.neutral)}
        case _:
            return _leaf(node)


def _leaf(node: census.Node) -> Schema:
    match node:
        case census.Text():
            looked = {"x-wardgate-kind": node.kind.value}
            return {"type": "string", **_pattern(node.pattern), **looked}
        case census.Free():
            type_ = "object" if node.mapping else ["object", "array"]
            return {"type": type_, "x-wardgate-kind": node.kind.value}
        case census.Token() | census.Blob():
            return {"type": "string", **_pattern(node.pattern)}
        case census.Word():
            return {"type": "string", "enum": list(node.options)}
        case census.Whole():
            return {"type": "integer", "minimum": node.low, "maximum": node.high}
        case census.Number():
            bounds = {"minimum": node.low, "maximum": node.high}
            finite = {name: at for name, at in bounds.items() if math.isfinite(at)}
            return {"type": "number", **finite}
        case census.Flag():
            return {"type": "boolean"}
        case _:
            raise AssertionError(type(node).__name__)


def _object(node: census.Object) -> Schema:
    fields = {
        name: schema(child) if name in node.required else _or_null(child)
        for name, child in node.fields.items()
    }
    made: Schema = {"type": "object", "properties": fields, "additionalProperties": False}
    return made | ({"required": list(node.required)} if node.required else {})


def _tagged(node: census.Tagged) -> Schema:
    """Refused variants are not told: nothing of their kind passes."""
    variants: list[Schema] = []
    for tag, variant in node.variants.items():
        if isinstance(variant, census.Refused):
            continue
        if isinstance(variant, census.Tagged):
            variants.append(_tagged(variant))
            continue
        made = _object(variant)
        made["properties"][node.tag] = {"type": "string", "const": tag}
        made["required"] = list(dict.fromkeys((node.tag, *variant.required)))
        variants.append(made)
    return {"oneOf": variants} if len(variants) != 1 else variants[0]


def _or_null(node: census.Node) -> Schema:
    made = schema(node)
    if isinstance(node, census.Refused):
        made["enum"].append(None)
    elif isinstance(made.get("type"), str) and not made.keys() & {"enum", "const"}:
        made["type"] = [made["type"], "null"]
    else:
        made = {"anyOf": [made, {"type": "null"}]}
    return made


def _refusal(node: census.Refused) -> str:
    return f"Refused, because {node.reason}."


def _pattern(pattern: re.Pattern[str] | None) -> Schema:
    return {} if pattern is None else {"pattern": anchored(pattern)}


def anchored(pattern: re.Pattern[str]) -> str:
    r"""The pattern as a schema spells it, where a pattern finds and does not match.

    A class that begins with `\w` has it spelled out: what it means differs between validators.
    """
    spelled = pattern.pattern.replace(r"[\w", "[A-Za-z0-9_")
    return f"^(?:{spelled})$"


def shape(one: object, other: object) -> Schema:
    """What two JSON values have in common; what is the same in both is constant."""
    fields, others = _fields(one), _fields(other)
    if fields is not None and others is not None:
        return _of_objects(fields, others)
    if one == other:
        return {"const": one}
    types = sorted({_JSON_TYPES[type(value)] for value in (one, other)})
    return {"type": types if len(types) > 1 else types[0]}


def _fields(value: object) -> dict[str, Any] | None:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def _of_objects(one: dict[str, Any], other: dict[str, Any]) -> Schema:
    nothing: Any = object()
    fields: dict[str, Schema] = {}
    for name in {**one, **other}:
        a: Any = one.get(name, nothing)
        b: Any = other.get(name, nothing)
        fields[name] = shape(b, b) if a is nothing else shape(a, a if b is nothing else b)
    both = [name for name in one if name in other]
    return {"type": "object", "properties": fields, "required": both, "additionalProperties": False}


_JSON_TYPES: Final[Mapping[type, str]] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    type(None): "null",
}
