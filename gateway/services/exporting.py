"""The audit log as files for people and programs: one JSON object a line, or a table. Reads only."""

from __future__ import annotations

import csv
import json
from collections.abc import AsyncGenerator
from enum import StrEnum
from typing import IO, Any

from gateway.core.ports import Audit

COLUMNS = (
    *("seq", "id", "kind", "call", "ts", "policy", "team", "key", "surface", "model", "stage"),
    *("action", "outcome", "findings_total", "review", "leaf"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Format(StrEnum):
    JSONL = "jsonl"
    CSV = "csv"


async def export(audit: Audit, kind: Format, out: IO[str]) -> int:
    """Write every record to `out` in order of sequence; how many."""
    rows = _rows(audit)
    return await (_jsonl(rows, out) if kind is Format.JSONL else _csv(rows, out))


async def _rows(audit: Audit) -> AsyncGenerator[dict[str, Any]]:
    async for seq, body, leaf in audit.entries():
        yield {"seq": seq, **json.loads(body), "leaf": leaf.hex()}


async def _jsonl(rows: AsyncGenerator[dict[str, Any]], out: IO[str]) -> int:
    count = 0
    async for row in rows:
        out.write(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")
        count += 1
    return count


async def _csv(rows: AsyncGenerator[dict[str, Any]], out: IO[str]) -> int:
    table = csv.writer(out, lineterminator="\r\n")
    table.writerow(COLUMNS)
    count = 0
    async for row in rows:
        table.writerow([_cell(row.get(column)) for column in COLUMNS])
        count += 1
    return count


def _cell(value: Any) -> str:
    """A cell that no spreadsheet takes for a formula (ASVS 1.2.10)."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
