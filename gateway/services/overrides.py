"""Variables of the environment laid over a document: `WARDGATE_LIMITS__DEPTH=32`.

Pure: the environment comes as a mapping. A variable that names no setting is refused, not ignored.
"""

from __future__ import annotations

import copy
import pathlib
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast, get_args

from pydantic import BaseModel

from gateway.core.errors import InvalidDocument, Problem
from gateway.core.model import Path
from gateway.services.documents import Document, Place, parse
from gateway.services.validation import annotation_at, is_section, kind_of, suggest

PREFIX = "WARDGATE_"
_NESTING = "__"


def override(document: Document, environ: Mapping[str, str], model: type[BaseModel]) -> Document:
    """The document with each WARDGATE_ variable in its place. Raise InvalidDocument."""
    data = copy.deepcopy(document.data)
    places = dict(document.places)
    problems: list[Problem] = []
    for variable in sorted(name for name in environ if name.startswith(PREFIX)):
        path = _path(variable, data, model)
        if path is None:
            mend = suggest(variable, _names(model, data, PREFIX))
            problems.append(Problem("environment", 1, f"{variable} is not known.", mend))
            continue
        value = _value(environ[variable], annotation_at(model, path))
        if not _put(data, path, value):
            what = f"{variable} cannot be laid over {kind_of(data)}."
            problems.append(Problem(document.file, 1, what, "Make the file a mapping."))
        places[path] = Place(f"environment {variable}", 1)
    if problems:
        raise InvalidDocument(tuple(problems))
    return Document(document.file, data, places)


def _value(text: str, annotation: Any) -> Any:
    """As YAML, but for settings that are text: there every character counts."""
    if annotation in {str, pathlib.Path}:
        return text
    try:
        return parse(text.encode("utf-8", "replace"), PREFIX).data if text.strip() else None
    except InvalidDocument:
        return text


def _path(variable: str, data: Any, model: Any) -> Path | None:
    """Where a variable's value goes, or None when the model has no such place."""
    path: Path = ()
    for step in variable.removeprefix(PREFIX).lower().split(_NESTING):
        around = annotation_at(model, path)
        if is_section(around):
            if step not in around.model_fields:
                return None
            path = (*path, step)
        elif around is not None and len(get_args(around)) == 2 and step:
            path = (*path, _existing(step, _inside(data, path)))
        else:
            return None
    return path


def _existing(step: str, around: Any) -> str:
    """The key already there that this variable means (`LAB_A` for `lab-a`), else a new key."""
    keys = cast("dict[str, Any]", around) if isinstance(around, dict) else {}
    return next((key for key in keys if _flat(key) == _flat(step)), step)


def _flat(key: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", key.lower())


def _inside(data: Any, path: Path) -> Any:
    for step in path:
        data = cast("dict[Any, Any]", data).get(step) if isinstance(data, dict) else None
    return data


def _put(data: Any, path: Path, value: Any) -> bool:
    for step in path[:-1]:
        if not isinstance(data, dict):
            return False
        around = cast("dict[Any, Any]", data)
        if around.get(step) is None:
            around[step] = {}
        data = around[step]
    if not isinstance(data, dict):
        return False
    cast("dict[Any, Any]", data)[path[-1]] = value
    return True


def _names(model: Any, data: Any, prefix: str) -> Iterator[str]:
    """Every variable that is known, for the keys that the document has."""
    if is_section(model):
        for key in model.model_fields:
            inside = _inside(data, (key,))
            yield from _names(annotation_at(model, (key,)), inside, f"{prefix}{key.upper()}__")
    elif len(get_args(model)) == 2 and isinstance(data, dict):
        entries = cast("dict[str, Any]", data)
        for key, inside in entries.items():
            yield from _names(get_args(model)[1], inside, f"{prefix}{_flat(key).upper()}__")
    else:
        yield prefix.removesuffix(_NESTING)
