"""`wardgate audit`: evidence out of the log. It reads; nothing here changes a record."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from gateway.cli._configuration import config_option, settings_of
from gateway.services.exporting import Format
from gateway.services.exporting import export as write
from gateway.settings import Settings
from gateway.wiring import open_records

LATER = ("bundle", "parquet", "ocsf")


@click.group()
def audit() -> None:
    """The audit log."""


@audit.command()
@click.option(
    "--format", "kind", type=click.Choice([*(str(one) for one in Format), *LATER]), required=True
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True)
@config_option
def export(kind: str, out: Path, config: Path | None) -> None:
    """Write every record, in order, to a file."""
    if kind in LATER:
        raise click.BadParameter(f"{kind} is not yet supported; there are: jsonl, csv.")
    settings = settings_of(config)
    try:
        count = asyncio.run(_export(settings, Format(kind), out))
    except OSError as error:
        raise click.ClickException(f"{out} cannot be written: {error.strerror}.") from error
    click.echo(f"{count} records written to {out}", err=True)


async def _export(settings: Settings, kind: Format, out: Path) -> int:
    async with open_records(settings) as records:
        # newline="": the csv module writes its own line ends.
        with out.open("w", encoding="utf-8", newline="") as file:
            return await write(records.store.audit, kind, file)
