"""`wardgate surfaces`: what becomes of every field of every request that Wardgate understands.

Prints the censuses that requests are walked by; decides nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

import click

from gateway.cli._configuration import json_option, print_json
from gateway.surfaces.census import Object, Row, fates, rows


class Declared(Protocol):
    """A surface that declares all its fields."""

    @property
    def census(self) -> Object: ...


Source: TypeAlias = Callable[[], Mapping[str, Declared]]
"""Gives the surfaces by name; tests hand in their own as click's `obj`."""


@click.command()
@click.option("--surface", "name", help="Only this one, such as openai.chat.")
@json_option
@click.pass_context
def surfaces(ctx: click.Context, *, name: str | None, as_json: bool) -> None:
    """Print what becomes of every field of a request: guarded, typed, by policy or refused."""
    source: Source = ctx.obj or _from_wiring
    known = source()
    if name is not None and name not in known:
        raise click.UsageError(f"There is no surface {name!r}. There are: {', '.join(known)}.")
    wanted = (name,) if name is not None else tuple(known)
    tables = {each: tuple(rows(known[each].census)) for each in wanted}
    if as_json:
        print_json(_as_data(tables))
    else:
        click.echo("\n".join(_as_text(tables)))


def _from_wiring() -> Mapping[str, Declared]:
    from gateway.wiring import surfaces as wired

    return wired()


def _as_data(tables: Mapping[str, tuple[Row, ...]]) -> Mapping[str, Any]:
    return {
        "surfaces": [
            {
                "surface": name,
                "counts": fates(table),
                "fields": [dataclasses.asdict(row) for row in table],
            }
            for name, table in tables.items()
        ],
        "counts": _all_counts(tables),
    }


def _as_text(tables: Mapping[str, tuple[Row, ...]]) -> list[str]:
    lines: list[str] = []
    for name, table in tables.items():
        lines.append(f"{name}: {_told(fates(table))}")
        wide = max((len(row.path) for row in table), default=0)
        lines += (f"  {row.path:<{wide}}  {row.fate:<9}  {row.detail}" for row in table)
        lines.append("")
    if len(tables) > 1:
        return [*lines, f"{len(tables)} surfaces: {_told(_all_counts(tables))}"]
    return lines[:-1]


def _all_counts(tables: Mapping[str, tuple[Row, ...]]) -> dict[str, int]:
    return fates(row for table in tables.values() for row in table)


def _told(counted: Mapping[str, int]) -> str:
    parts = ", ".join(f"{number} {fate}" for fate, number in counted.items())
    return f"{sum(counted.values())} fields: {parts}."
