"""Puts other text at the paths of a call's Fields. Copies what it changes; never alters a call."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, cast

import orjson

from gateway.core.model import Call, Field, Form, Passage, Path, dotted


def rewritten(call: Call, texts: Mapping[Path, str]) -> Call:
    """The call with each text at its path, in body and passages.

    Raise ValueError where a path is no Field's, or where a JSON value would no longer be JSON:
    both are Wardgate's own mistakes.
    """
    if not texts:
        return call
    fields = {part.path: part for passage in call.passages for part in passage.fields}
    body = _Copies(call.body)
    for path, text in texts.items():
        if path not in fields:
            raise ValueError(f"no text of this call is at `{dotted(path)}`")
        body.put(path, _value(fields[path], text))
    passages = tuple(_passage(passage, texts) for passage in call.passages)
    return replace(call, body=body.root, passages=passages)


def _value(part: Field, text: str) -> Any:
    if part.form is not Form.JSON_VALUE:
        return text
    # The error's `doc` is the text: it must not become the context of what is raised below.
    with suppress(orjson.JSONDecodeError):
        return orjson.loads(text)
    raise ValueError(f"the text for `{dotted(part.path)}` is no longer JSON")


def _passage(passage: Passage, texts: Mapping[Path, str]) -> Passage:
    if all(part.path not in texts for part in passage.fields):
        return passage
    fields = tuple(
        replace(part, text=texts[part.path]) if part.path in texts else part
        for part in passage.fields
    )
    return replace(passage, fields=fields)


class _Copies:
    """A body whose objects and lists are copied on the way to what changes, each once."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        self.root: dict[str, Any] = dict(body)
        self._own: dict[Path, Any] = {(): self.root}

    def put(self, path: Path, value: Any) -> None:
        holder: Any = self.root
        for end in range(1, len(path)):
            place, step = path[:end], path[end - 1]
            if place not in self._own:
                holder[step] = self._own[place] = _copy(holder[step])
            holder = self._own[place]
        holder[path[-1]] = value


def _copy(holder: Any) -> Any:
    if isinstance(holder, list):
        return list(cast("list[Any]", holder))
    return dict(cast("dict[str, Any]", holder))
