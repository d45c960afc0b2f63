"""The database's clock counts microseconds, on either database, as ours does."""

import time

import pytest
from sqlalchemy import select

from gateway.store.tables import metadata, now_us
from tests.store.worlds import SqlWorld

pytestmark = pytest.mark.anyio


async def test_the_databases_clock_is_in_microseconds(sql: SqlWorld) -> None:
    await sql.upgrade()
    before = time.time_ns() // 1000
    told = await sql.write(lambda c: c.execute(select(now_us())).scalar_one())

    assert isinstance(told, int)
    assert before - 5_000_000 < told < time.time_ns() // 1000 + 5_000_000


def test_texts_of_people_rest_in_sealed_columns_alone() -> None:
    """A new text column is a decision: add it here when it can hold no message's text."""
    texts = {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if str(column.type) == "TEXT" and not column.primary_key
    }

    assert texts == {
        "audit_entry.id", "audit_entry.ts", "audit_entry.kind", "audit_entry.call",
        "open_call.replica", "open_call.intent", "open_call.ts",
        "api_key.team", "api_key.owner", "fingerprint.value",
        "review.call", "review.stage", "review.queue", "review.policy", "review.rules",
        "review.labels", "review.commitment", "review.state", "review.choice",
    }  # fmt: skip
