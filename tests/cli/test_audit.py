"""`wardgate audit export` writes the log to a file, and changes nothing."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from tests.houses import build


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A gateway with two records."""
    made = build(tmp_path)
    for team in ("red", "blue"):
        done = CliRunner().invoke(main, ["key", "create", "--team", team, "--config", str(made)])
        assert done.exit_code == 0
    return made


def export(config: Path, kind: str, out: Path) -> Result:
    arguments = ["audit", "export", "--format", kind, "--out", str(out), "--config", str(config)]
    return CliRunner().invoke(main, arguments)


def test_jsonl_is_one_record_a_line(config: Path, tmp_path: Path) -> None:
    out = tmp_path / "log.jsonl"
    done = export(config, "jsonl", out)

    assert done.exit_code == 0
    assert done.stdout == ""
    assert done.stderr == f"2 records written to {out}\n"
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [(row["seq"], row["kind"], row["team"]) for row in rows] == [
        (1, "key.created", "red"),
        (2, "key.created", "blue"),
    ]


def test_csv_is_a_table(config: Path, tmp_path: Path) -> None:
    out = tmp_path / "log.csv"
    assert export(config, "csv", out).exit_code == 0

    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["team"] for row in rows] == ["red", "blue"]


def test_exporting_adds_no_record(config: Path, tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    export(config, "jsonl", first)
    export(config, "jsonl", second)

    assert first.read_bytes() == second.read_bytes()


@pytest.mark.parametrize("kind", ["bundle", "parquet", "ocsf"])
def test_a_format_that_comes_later_is_refused_and_not_faked(
    config: Path, tmp_path: Path, kind: str
) -> None:
    done = export(config, kind, tmp_path / "log")

    assert done.exit_code == 2
    assert "not yet supported" in done.stderr
    assert not (tmp_path / "log").exists()


def test_an_unknown_format_is_misuse(config: Path, tmp_path: Path) -> None:
    assert export(config, "pdf", tmp_path / "log").exit_code == 2


def test_a_folder_that_is_not_there_is_a_message_and_no_traceback(
    config: Path, tmp_path: Path
) -> None:
    done = export(config, "jsonl", tmp_path / "missing" / "log")

    assert done.exit_code in {1, 2}
    assert "missing" in done.stderr
