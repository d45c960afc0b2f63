"""Every command finds its settings the same way, and prints data the same way."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gateway.cli._configuration import config_option, json_option, print_json, settings_of
from gateway.core.errors import InvalidDocument


@click.command()
@config_option
@json_option
def probe(config: Path | None, *, as_json: bool) -> None:
    told = {"listen": str(settings_of(config).listen), "json": as_json}
    print_json(told)


def listen(*arguments: str) -> str:
    done = CliRunner().invoke(probe, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0
    return json.loads(done.output)["listen"]


def test_settings_come_from_the_file_else_from_here_else_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert listen() == "127.0.0.1:8080"

    Path("wardgate.yaml").write_text("listen: 127.0.0.1:1\n", "utf-8")
    assert listen() == "127.0.0.1:1"

    Path("other.yaml").write_text("listen: 127.0.0.1:2\n", "utf-8")
    assert listen("--config", "other.yaml") == "127.0.0.1:2"

    monkeypatch.setenv("WARDGATE_LISTEN", "127.0.0.1:3")
    assert listen("--config", "other.yaml") == "127.0.0.1:3"


def test_a_file_that_is_not_there_is_misuse() -> None:
    assert CliRunner().invoke(probe, ["--config", "missing.yaml"]).exit_code == 2


def test_settings_that_are_wrong_are_refused_with_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "wardgate.yaml"
    file.write_text("listn: 127.0.0.1:1\n", "utf-8")

    with pytest.raises(InvalidDocument, match=r"wardgate\.yaml:1: .*listen"):
        settings_of(file)


def test_data_is_printed_as_json_with_times_as_text(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"due_at": datetime(2030, 1, 1, tzinfo=UTC), "text": "é"})

    assert json.loads(capsys.readouterr().out) == {
        "due_at": "2030-01-01 00:00:00+00:00",
        "text": "é",
    }
