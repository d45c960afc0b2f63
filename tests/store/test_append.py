"""Appending inside a transaction: what is refused takes nothing with it, and undoing undoes all."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite

from gateway.core.model import Receipt
from gateway.core.records import encode, leaf_hash
from gateway.store.append import AlreadyClosed, Appender, appender, earlier, prepare
from gateway.store.database import run
from gateway.store.engine import connect
from tests.store.worlds import SqlWorld, decision, intent, note

pytestmark = pytest.mark.anyio


def of(sql: SqlWorld) -> Appender:
    return appender(connect(sql.url).dialect, "one")


def seqs(connection: Connection) -> list[tuple[int, str]]:
    rows = run(connection, "SELECT seq, id FROM audit_entry ORDER BY seq", ())
    return [(seq, name) for seq, name in rows]


async def test_refused_entries_leave_no_gap(sql: SqlWorld) -> None:
    await sql.upgrade()
    entries = [
        intent("a", name="1"),
        decision("nobody", name="x"),
        decision("a", name="2"),
        decision("a", name="y"),
        note(name="3"),
    ]

    outcomes = await sql.write(lambda c: of(sql).append(c, [prepare(e) for e in entries]))

    assert [type(outcome) for outcome in outcomes] == [
        Receipt,
        AlreadyClosed,
        Receipt,
        AlreadyClosed,
        Receipt,
    ]
    assert await sql.write(seqs) == [(1, "1"), (2, "2"), (3, "3")]


async def test_a_transaction_that_is_undone_gives_its_numbers_back(sql: SqlWorld) -> None:
    await sql.upgrade()

    def undone(connection: Connection) -> None:
        of(sql).append_one(connection, prepare(note()))
        raise LookupError

    with pytest.raises(LookupError):
        await sql.write(undone)
    receipt = await sql.write(lambda c: of(sql).append_one(c, prepare(note(name="n"))))

    assert receipt == Receipt("n", 1)


async def test_two_appends_in_one_transaction_follow_each_other(sql: SqlWorld) -> None:
    await sql.upgrade()

    def work(connection: Connection) -> list[int]:
        return [of(sql).append_one(connection, prepare(note())).seq for _ in range(3)]

    assert await sql.write(work) == [1, 2, 3]


async def test_appending_nothing_changes_nothing(sql: SqlWorld) -> None:
    await sql.upgrade()

    assert await sql.write(lambda c: of(sql).append(c, [])) == []
    assert await sql.write(of(sql).lock) == 0


async def test_only_the_very_same_record_is_an_earlier_self(sql: SqlWorld) -> None:
    await sql.upgrade()
    await sql.write(lambda c: of(sql).append_one(c, prepare(note(name="n", x=1))))

    assert await sql.write(lambda c: earlier(c, prepare(note(name="n", x=1)))) == Receipt("n", 1)
    assert await sql.write(lambda c: earlier(c, prepare(note(name="n", x=2)))) is None
    assert await sql.write(lambda c: earlier(c, prepare(note(name="m", x=1)))) is None


@given(st.dictionaries(st.sampled_from("abc"), st.integers(0, 9) | st.text(max_size=5)))
def test_prepared_bytes_are_the_records_own(detail: dict[str, Any]) -> None:
    entry = note(**detail)

    prepared = prepare(entry)

    assert prepared.body == encode(entry.record)
    assert prepared.leaf == leaf_hash(prepared.body)
    assert json.loads(prepared.body)["id"] == entry.record.id


def test_the_head_row_is_locked_where_a_transaction_does_not_lock_all() -> None:
    assert appender(postgresql.dialect(), "r").lock_sql.endswith("FOR UPDATE")
    assert "FOR UPDATE" not in appender(sqlite.dialect(), "r").lock_sql
