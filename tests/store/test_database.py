"""What both kinds of database promise: all or nothing, errors by their right name, no leaks."""

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from gateway.core.errors import AuditUnavailable
from gateway.store.database import DatabaseDown, Marked, run, run_many
from gateway.store.engine import connect
from tests.store.worlds import SqlWorld

pytestmark = pytest.mark.anyio


def insert(connection: Connection, name: str, value: str) -> None:
    connection.execute(
        text("INSERT INTO fingerprint VALUES (:name, :value)"), {"name": name, "value": value}
    )


def names(connection: Connection) -> list[str]:
    rows = run(connection, "SELECT name FROM fingerprint ORDER BY name", ())
    return [row[0] for row in rows]


async def test_work_that_raises_leaves_nothing_behind(sql: SqlWorld) -> None:
    await sql.upgrade()

    def work(connection: Connection) -> None:
        insert(connection, "a", "1")
        raise LookupError

    with pytest.raises(LookupError):
        await sql.write(work)
    assert await sql.write(names) == []


async def test_a_taken_name_is_an_integrity_error_on_every_path(sql: SqlWorld) -> None:
    await sql.upgrade()
    mark = "$1, $2" if sql.url.startswith("postgres") else "?, ?"
    prebuilt = f"INSERT INTO fingerprint VALUES ({mark})"  # noqa: S608 - placeholders

    await sql.write(lambda connection: insert(connection, "a", "1"))
    with pytest.raises(IntegrityError):
        await sql.write(lambda connection: insert(connection, "a", "2"))
    with pytest.raises(IntegrityError):
        await sql.write(lambda connection: run(connection, prebuilt, ("a", "2")))
    with pytest.raises(IntegrityError):
        await sql.write(lambda connection: run_many(connection, prebuilt, [("b", ""), ("a", "")]))
    assert await sql.write(names) == ["a"]


async def test_an_error_of_the_database_shows_no_values(sql: SqlWorld) -> None:
    await sql.upgrade()

    def work(connection: Connection) -> None:
        connection.execute(text("INSERT INTO nowhere VALUES (:it)"), {"it": "CANARY-77"})

    with pytest.raises(AuditUnavailable) as caught:
        await sql.write(work)
    assert isinstance(caught.value, DatabaseDown)
    assert not caught.value.outcome_unknown
    assert "CANARY-77" not in f"{caught.value}{caught.value.__cause__}"


async def test_a_connection_is_used_again_after_an_error(sql: SqlWorld) -> None:
    await sql.upgrade()
    database = connect(sql.url)
    try:
        with pytest.raises(DatabaseDown):
            await database.write(lambda connection: run(connection, "SELECT * FROM nowhere", ()))
        with pytest.raises(DatabaseDown):
            await database.read(lambda connection: run(connection, "SELECT * FROM nowhere", ()))
        assert await database.write(names) == await database.read(names) == []
    finally:
        await database.close()


def test_marked_work_tells_whether_it_came_to_its_end() -> None:
    done = Marked(lambda connection: 7)
    failed = Marked(lambda connection: 1 // 0)

    assert done(None) == 7  # type: ignore[arg-type]
    with pytest.raises(ZeroDivisionError):
        failed(None)  # type: ignore[arg-type]
    assert (done.done, failed.done) == (True, False)
