"""Writes docs/reference.md, surfaces-census.md and openapi.json from the code. `make fix` runs it.

A page made from the code cannot drift from it; `test_docs.py` fails when it was not made anew.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import click

from gateway.cli import main
from gateway.core.errors import WardgateError
from gateway.http.app import ROUTES
from gateway.http.errors import ANSWERS
from gateway.http.openapi import published
from gateway.services.validation import annotation_at, is_section
from gateway.settings import Settings
from gateway.surfaces.census import fates, rows
from gateway.surfaces.openapi import Described
from gateway.wiring import surfaces

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference.md"
OPENAPI = PAGE.with_name("openapi.json")
CENSUS = PAGE.with_name("surfaces-census.md")

HEAD = """# Reference

Made from the code by `make fix`; do not edit. What the words mean is in [architecture](architecture.md).
"""


def page() -> str:
    return "\n".join((HEAD, *_settings(), *_errors(), *_commands()))


CENSUS_HEAD = """# Surfaces, field by field

Made from the code by `make fix`; do not edit. `wardgate surfaces` prints the same. What the fates mean, and what each
surface answers, is in [surfaces](surfaces.md). In the paths `[]` is any item of a list and `<x>` the variant that the
object's `type` or `role` names.
"""


def census() -> str:
    """Every field of every surface, and what becomes of it."""
    return "\n".join((CENSUS_HEAD, *_censuses()))


def _censuses() -> Iterator[str]:
    for name, surface in surfaces().items():
        table = tuple(rows(surface.census))
        counted = (f"{number} {fate}" for fate, number in fates(table).items())
        yield f"## {name}\n"
        yield f"{len(table)} fields: {', '.join(counted)}.\n"
        yield "| field | fate | as |\n|---|---|---|"
        for row in table:
            detail = row.detail.replace("|", "\\|")
            yield f"| `{row.path}` | {row.fate} | {detail} |"
        yield ""


def openapi() -> bytes:
    """The document that `GET /openapi.json` answers with."""
    return published(cast("dict[str, Described]", surfaces()), ROUTES)


def settings(model: Any = Settings, above: str = "") -> Iterator[tuple[str, Any]]:
    """Each setting's path with its default; `<name>` stands for a key of the operator's."""
    for name, field in model.model_fields.items():
        path = f"{above}{name}"
        inner, each = annotation_at(model, (name,)), annotation_at(model, (name, "x"))
        if is_section(inner):
            yield from settings(inner, f"{path}.")
        elif is_section(each):
            yield from settings(each, f"{path}.<name>.")
        else:
            yield path, field.get_default(call_default_factory=True)


def errors(kind: type[WardgateError] = WardgateError) -> Iterator[type[WardgateError]]:
    """What a client can meet; other modules' own errors never leave them."""
    if kind.__module__ in {"gateway.core.errors", "gateway.http.errors"}:
        yield kind
    for below in kind.__subclasses__():
        yield from errors(below)


def commands(command: click.Command, above: str) -> Iterator[tuple[str, click.Command]]:
    """Each command with its whole name, groups left out."""
    if not isinstance(command, click.Group):
        yield above, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        below = command.get_command(context, name)
        assert below is not None
        yield from commands(below, f"{above} {name}")


def _settings() -> Iterator[str]:
    yield "## Settings\n"
    yield "In `wardgate.yaml`, or as `WARDGATE_` and the path in capitals, its parts joined by `__`.\n"
    yield "| setting | default |\n|---|---|"
    for path, default in settings():
        yield f"| `{path}` | {_shown(default)} |"
    yield ""


def _shown(default: Any) -> str:
    if default is None or default in ((), {}) or type(default).__name__ == "PydanticUndefinedType":
        return ""
    return f"`{', '.join(default) if isinstance(default, tuple) else default}`"


def _errors() -> Iterator[str]:
    yield "## Errors\n"
    yield "| code | status | says |\n|---|---|---|"
    for kind in errors():
        says = (kind.__doc__ or "").strip().splitlines()[0]
        yield f"| `{kind.code}` | {_status(kind)} | {says} |"
    yield ""


def _status(kind: type[WardgateError]) -> int:
    return next(ANSWERS[sort].status for sort in kind.__mro__ if sort in ANSWERS)


def _commands() -> Iterator[str]:
    yield "## Commands\n"
    for name, command in commands(main, "wardgate"):
        usage = " ".join(command.collect_usage_pieces(click.Context(command)))
        yield f"- `{name} {usage}`  \n  {command.get_short_help_str(limit=200)}"
    yield ""


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    CENSUS.write_text(census(), "utf-8")
    OPENAPI.write_bytes(openapi())
