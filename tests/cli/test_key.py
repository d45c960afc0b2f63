"""`wardgate key create` prints a key that works, and nothing else."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.core.model import Caller
from gateway.wiring import open_records
from tests.houses import SETTINGS, build, settings_of


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return build(tmp_path)


def create(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["key", "create", *arguments, "--config", str(config)])


def identified(config: Path, key: str) -> Caller:
    async def identify() -> Caller:
        async with open_records(settings_of(config)) as records:
            return await records.keys.identify(key)

    return asyncio.run(identify())


def test_it_prints_the_key_and_nothing_else(config: Path) -> None:
    done = create(config, "--team", "red", "--owner", "ann")

    assert done.exit_code == 0
    assert done.stderr == ""
    assert re.fullmatch(r"wg_[0-9a-f]{16}_[A-Za-z0-9_-]{43}\n", done.stdout)
    caller = identified(config, done.stdout.strip())
    assert (caller.team, caller.owner) == ("red", "ann")


def test_a_team_that_the_settings_do_not_know_is_misuse(config: Path) -> None:
    done = create(config, "--team", "green")

    assert done.exit_code == 2
    assert done.stdout == ""
    assert "blue, red" in done.stderr


def test_without_teams_in_the_settings_any_team_will_do(tmp_path: Path) -> None:
    config = build(tmp_path, settings=SETTINGS.partition("teams:")[0])
    done = create(config, "--team", "green")

    assert identified(config, done.stdout.strip()).team == "green"


def test_a_key_needs_a_team(config: Path) -> None:
    assert create(config).exit_code == 2


def test_the_key_is_nowhere_in_the_database_or_its_folder(config: Path) -> None:
    secret = create(config, "--team", "red").stdout.strip()[20:].encode()

    files = [file for file in (config.parent / "var").rglob("*") if file.is_file()]
    assert files
    assert not [file for file in files if secret in file.read_bytes()]


def test_a_database_that_is_away_is_exit_1_and_a_message(tmp_path: Path) -> None:
    away = SETTINGS.replace("sqlite:///var/wardgate.db", "postgresql://x@127.0.0.1:1/x")
    done = create(build(tmp_path, settings=away), "--team", "red")

    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr
