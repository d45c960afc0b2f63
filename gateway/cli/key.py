"""`wardgate key`: API keys. A key is printed once, here, and known by its keyed hash afterwards."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from gateway.cli._configuration import config_option, settings_of
from gateway.settings import Settings
from gateway.wiring import open_records


@click.group()
def key() -> None:
    """API keys."""


@key.command()
@click.option("--team", required=True, help="The team whose policy and limits the key has.")
@click.option("--owner", default=None, help="Who answers for the key.")
@config_option
def create(team: str, owner: str | None, config: Path | None) -> None:
    """Print a new key, and nothing else."""
    settings = settings_of(config)
    if settings.teams is not None and team not in settings.teams:
        known = ", ".join(sorted(settings.teams))
        raise click.BadParameter(f"no such team in the settings; there are: {known}.")
    click.echo(asyncio.run(_create(settings, team, owner)))


async def _create(settings: Settings, team: str, owner: str | None) -> str:
    async with open_records(settings) as records:
        return await records.keys.create(team, owner)
