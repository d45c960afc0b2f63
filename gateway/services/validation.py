"""A Document against a model: every mistake becomes a Problem with its line and how to mend it.

Values are never echoed, but for short words that were meant to name a choice; keys are.
"""

from __future__ import annotations

import difflib
import json
import re
import types
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar, Union, cast, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from gateway.core.errors import InvalidDocument, Problem
from gateway.core.model import Path
from gateway.services.documents import Document

M = TypeVar("M", bound=BaseModel)

_EXPECTED = {
    "string_type": "text",
    "path_type": "a path",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping of keys to values",
    "mapping_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
}
_BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


class Section(BaseModel):
    """A mapping in a document: no unknown key, no guessed type, no change afterwards."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class UnfitError(ValueError):
    """What a model's own check refuses. `at` is the path from the checked value to the culprit."""

    def __init__(self, what: str, mend: str, *, at: Path = ()) -> None:
        super().__init__(what)
        self.what = what
        self.mend = mend
        self.at = at


def validate(document: Document, model: type[M]) -> M:
    """The document as `model`. Raise InvalidDocument with every problem, in order of line."""
    try:
        # As JSON, strict: a list may be a tuple and a word an enum, but text is never a number.
        return model.model_validate_json(json.dumps(document.data))
    except ValidationError as error:
        found = problems(document, error, model)
        raise InvalidDocument(tuple(found)) from None


def problems(
    document: Document, error: ValidationError, model: Any = None, under: Path = ()
) -> list[Problem]:
    """The error's details as Problems; its locations are counted from the path `under`."""
    details = error.errors(include_url=False)
    found = [
        _problem(document, detail, model, under)
        for detail in details
        if not _follows(detail, details)
    ]
    return sorted(found, key=lambda problem: problem.line)


def _follows(detail: ErrorDetails, details: Sequence[ErrorDetails]) -> bool:
    """Whether a list is only too short because its items were refused."""
    at = detail["loc"]
    return detail["type"] == "too_short" and any(
        len(other["loc"]) > len(at) and other["loc"][: len(at)] == at for other in details
    )


def _problem(document: Document, detail: ErrorDetails, model: Any, under: Path) -> Problem:
    at = tuple(step for step in detail["loc"] if step != "[key]")
    unfit = detail.get("ctx", {}).get("error")
    if isinstance(unfit, UnfitError):
        path = (*under, *at, *unfit.at)
        return document.problem(path, _where(path) + unfit.what, unfit.mend)
    what, mend = _words(detail, at, model)
    path = (*under, *at)
    return document.problem(path, _where(path) + what, mend)


def _where(path: Path) -> str:
    shown = ".".join(str(step)[:64] for step in path)
    return f"`{shown}`: " if shown else ""


def _words(detail: ErrorDetails, at: Path, model: Any) -> tuple[str, str]:
    kind, context, came = detail["type"], detail.get("ctx", {}), detail["input"]
    if kind == "extra_forbidden":
        return "this key is not known.", suggest(str(at[-1]), known_keys(model, at[:-1]))
    if kind == "missing":
        return "this key is missing.", f"Add `{at[-1]}:`."
    if kind in {"literal_error", "enum"}:
        choices = re.findall(r"'([^']*)'", str(context["expected"]))
        word = came if isinstance(came, str) and len(came) <= 32 else kind_of(came)
        return f"expected one of its words, got {word}.", suggest(str(word), choices)
    return _expected(detail)


def _expected(detail: ErrorDetails) -> tuple[str, str]:
    kind, context, came = detail["type"], detail.get("ctx", {}), detail["input"]
    if kind in _EXPECTED:
        quote = ' Quote it ("…").' if kind == "string_type" and _plain(came) else ""
        return f"expected {_EXPECTED[kind]}, got {kind_of(came)}.", f"Change it.{quote}"
    for bound, words in _BOUNDS.items():
        if bound in context:
            return f"expected {words} {context[bound]}.", "Change the number."
    if "min_length" in context:
        return "expected something here, got nothing.", "Fill it in, or leave the key out."
    return f"{str(detail['msg'])[:200]}.", "Change it."


def _plain(value: Any) -> bool:
    return isinstance(value, (bool, int, float))


def kind_of(value: Any) -> str:
    """What kind of thing a value is, in words for people; never the value."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "a mapping"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant."""
    found = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return found[0] if found else None


def suggest(word: str, known: Iterable[str]) -> str:
    """How to mend an unknown word: the nearest known one, or all of them."""
    words = sorted(known)
    close = nearest(word, words)
    if close is not None:
        return f"Did you mean `{close}`?"
    listed = ", ".join(f"`{each}`" for each in words[:30])
    return f"Known here: {listed}." if listed else "Remove it."


def known_keys(model: Any, path: Sequence[str | int]) -> tuple[str, ...]:
    """The keys that the section at `path` below `model` knows; none when it is no section."""
    section = annotation_at(model, path)
    if not is_section(section):
        return ()
    return tuple(field.alias or name for name, field in section.model_fields.items())


def is_section(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def annotation_at(annotation: Any, path: Sequence[str | int]) -> Any:
    """The type that a model asks for at `path`, without what may be absent; None if unknown."""
    annotation = _bare(annotation)
    for step in path:
        annotation = _bare(_inside(annotation, step))
    return annotation


def _inside(annotation: Any, step: str | int) -> Any:
    if is_section(annotation):
        field = cast("type[BaseModel]", annotation).model_fields.get(str(step))
        return field.annotation if field else None
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        return arguments[1]
    return arguments[0] if origin in {tuple, frozenset, list} else None


def _bare(annotation: Any) -> Any:
    """Without `Annotated` and without `| None`."""
    if hasattr(annotation, "__metadata__"):
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in {Union, types.UnionType}:
        return _bare(next(part for part in get_args(annotation) if part is not type(None)))
    return annotation
