"""The `--config` and `--json` options that every command shares, and the settings they stand for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from gateway.settings import Settings, environment, load_settings

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    default=None,
    help="The settings file; default wardgate.yaml, else the built-in defaults.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print data as JSON.")


def settings_of(config: Path | None) -> Settings:
    """The settings of this command. Raise InvalidDocument."""
    return load_settings(config, environment())


def print_json(value: Any) -> None:
    """Data for another program to read."""
    click.echo(json.dumps(value, indent=2, default=str))
