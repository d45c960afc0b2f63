"""`wardgate review`: the queue without a browser. Shows text only to who asks for one review."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from gateway.cli._configuration import config_option, json_option, print_json, settings_of
from gateway.core.review import Review, ReviewPart, ReviewState
from gateway.services.clock import SystemClock
from gateway.services.reviews import ReviewDesk
from gateway.wiring import open_records

T = TypeVar("T")


@click.group()
def review() -> None:
    """Held calls that wait for a person."""


@review.command("list")
@click.option("--state", type=click.Choice([str(one) for one in ReviewState]), default="open")
@click.option("--all", "every", is_flag=True, help="Reviews in any state.")
@json_option
@config_option
def list_(state: str, config: Path | None, *, every: bool, as_json: bool) -> None:
    """The reviews that wait, the most urgent first."""
    wanted = None if every else ReviewState(state)
    rows = [_row(one) for one in _at_desk(config, lambda desk: desk.list(wanted))]
    if as_json:
        print_json(rows)
        return
    for row in rows:
        click.echo("  ".join(str(row[key]) for key in ("id", "state", "queue", "stage", "due_at")))
    if not rows:
        click.echo("Nothing waits.")


@review.command()
@click.argument("review_id")
@json_option
@config_option
def show(review_id: str, config: Path | None, *, as_json: bool) -> None:
    """One review, with its text."""
    found, parts = _at_desk(config, lambda desk: desk.show(review_id))
    if as_json:
        print_json({**_row(found), "parts": [_part(one) for one in parts]})
        return
    for name, value in _row(found).items():
        click.echo(f"{name}: {value}")
    for part in parts:
        click.echo(f"\n--- {part.path} ({part.role}, {part.kind}{', held' if part.held else ''})")
        if part.delivered:
            click.echo(f"[delivered already]\n{_shown(part.delivered)}\n[waiting]")
        click.echo(_shown(part.text))


@review.command()
@click.argument("review_id")
@config_option
def approve(review_id: str, config: Path | None) -> None:
    """Let it go as it stands."""
    _tell(_at_desk(config, lambda desk: desk.approve(review_id, _who())))


@review.command()
@click.argument("review_id")
@click.option("--text-file", required=True, type=click.File("r", encoding="utf-8"))
@click.option("--part", default=None, help="Which part, where several are held.")
@config_option
def edit(review_id: str, text_file: Any, part: str | None, config: Path | None) -> None:
    """Let other text go in its place."""
    text = text_file.read()
    _tell(_at_desk(config, lambda desk: desk.edit(review_id, _who(), text, part)))


@review.command()
@click.argument("review_id")
@click.option("--reason", required=True)
@config_option
def block(review_id: str, reason: str, config: Path | None) -> None:
    """Let nothing go."""
    _tell(_at_desk(config, lambda desk: desk.block(review_id, _who(), reason)))


def _at_desk(config: Path | None, work: Callable[[ReviewDesk], Awaitable[T]]) -> T:
    async def run() -> T:
        async with open_records(settings_of(config)) as records:
            return await work(ReviewDesk(records.store.reviews, SystemClock()))

    return asyncio.run(run())


def _who() -> str:
    return f"cli:{getpass.getuser()}"


def _tell(found: Review) -> None:
    click.echo(f"{found.id}: {found.choice or found.state}")


def _row(one: Review) -> dict[str, Any]:
    return {
        "id": one.id,
        "call": one.call,
        "state": str(one.state),
        "queue": one.queue,
        "stage": str(one.stage),
        "due_at": one.due_at.isoformat() if one.due_at else None,
        "policy": one.policy,
        "rules": list(one.rules),
        "labels": list(one.labels),
        "choice": str(one.choice) if one.choice else None,
    }


def _part(one: ReviewPart) -> dict[str, Any]:
    return {
        "path": one.path,
        "role": str(one.role),
        "kind": str(one.kind),
        "held": one.held,
        "delivered": one.delivered,
        "text": one.text,
    }


def _shown(text: str) -> str:
    """Hostile text on a terminal: control characters, escapes and bidi marks are spelled out."""
    return "".join(
        char if char in "\n\t" or char.isprintable() else f"\\u{{{ord(char):x}}}" for char in text
    )
