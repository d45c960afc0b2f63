"""The log as files: every record, in order, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.ports import Entry
from gateway.core.records import Record
from gateway.services.exporting import COLUMNS, Format, _cell, export
from tests.fakes_store import FakeAudit, FakeDatabase, FakeLedger

TS = "2030-01-01T00:00:00.000000Z"


async def audit(*teams: str) -> FakeAudit:
    database = FakeDatabase()
    ledger = FakeLedger(database)
    for number, team in enumerate(teams):
        detail = {"team": team, "findings_total": number, "findings": [{"label": "pii"}]}
        await ledger.append(
            Entry(
                Record(
                    f"rec_{number}", "inference.decision", f"call_{number}", TS, "house@1", detail
                )
            )
        )
    return FakeAudit(database)


async def written(log: FakeAudit, kind: Format) -> tuple[int, str]:
    out = io.StringIO(newline="")
    return await export(log, kind, out), out.getvalue()


async def test_jsonl_has_one_record_a_line_with_sequence_and_leaf() -> None:
    count, text = await written(await audit("red", "blü\nrot"), Format.JSONL)

    rows = [json.loads(line) for line in text.splitlines()]
    assert count == len(rows) == 2
    assert [(row["seq"], row["id"], row["team"]) for row in rows] == [
        (1, "rec_0", "red"),
        (2, "rec_1", "blü\nrot"),
    ]
    assert rows[1]["findings"] == [{"label": "pii"}]
    assert all(len(bytes.fromhex(row["leaf"])) == 32 for row in rows)


async def test_csv_has_the_columns_and_a_row_for_each_record() -> None:
    count, text = await written(await audit("red", 'a "quoted", team'), Format.CSV)

    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert count == len(rows) == 2
    assert tuple(rows[0]) == COLUMNS
    assert rows[1]["team"] == 'a "quoted", team'
    assert (rows[1]["seq"], rows[1]["findings_total"], rows[1]["outcome"]) == ("2", "1", "")


@pytest.mark.parametrize("team", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
async def test_a_formula_becomes_text(team: str) -> None:
    _, text = await written(await audit(team), Format.CSV)

    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert row["team"] == f"'{team}"


@given(st.one_of(st.none(), st.integers(), st.text()))
def test_no_cell_begins_like_a_formula(value: str | int | None) -> None:
    assert not _cell(value).startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize("kind", list(Format))
async def test_an_empty_log_is_an_empty_file(kind: Format) -> None:
    count, text = await written(await audit(), kind)

    assert count == 0
    assert text == ("" if kind is Format.JSONL else ",".join(COLUMNS) + "\r\n")
