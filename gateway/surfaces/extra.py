"""An engine's own fields: what a client sent beyond the dialect, checked against what the operator declared.

Nothing undeclared passes; declared text is looked at like any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from gateway.core.model import Call, Kind, Role
from gateway.surfaces import census
from gateway.surfaces.intake import shown
from gateway.surfaces.walker import Walk, unknown

_LIMIT: Final = 2**63 - 1


def set_aside(tree: dict[str, Any], known: Mapping[str, object]) -> dict[str, Any]:
    """Take the fields that the dialect does not know out of the body's top level."""
    strange = {name: tree[name] for name in tree if name not in known}
    for name in strange:
        del tree[name]
    return strange


def admitted(call: Call, extra: Mapping[str, str]) -> Call:
    """The call with its unknown fields back in the body, checked against `extra`.

    Types are integer, number, boolean and text; text may be a string, an object or a list, and is
    guarded. Raise UnknownField for what is not declared.
    """
    if not call.unknown:
        return call
    walk = Walk()
    for name, value in call.unknown.items():
        if name not in extra:
            raise unknown((shown(name),))
        if value is not None:
            walk.visit(_node(extra[name], value), value, (name,))
    return replace(
        call,
        body={**call.body, **call.unknown},
        passages=(*call.passages, *walk.passages()),
        unknown={},
    )


def _node(declared: str, value: Any) -> census.Node:
    """What an engine's own field of a declared type may be. Raise ValueError for no such type."""
    match declared:
        case "integer":
            return census.Whole(-_LIMIT, _LIMIT)
        case "number":
            return census.Number(float("-inf"), float("inf"))
        case "boolean":
            return census.Flag()
        case "text" if isinstance(value, dict | list):
            return census.Free(Kind.TEXT, Role.USER, mapping=False)
        case "text":
            return census.Text(Kind.TEXT, Role.USER)
        case _:
            raise ValueError(f"`extra` knows integer, number, boolean and text, not {declared}")
