"""The migrations make the very tables that the code knows, once, whoever starts together."""

import asyncio
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from gateway.store.schema import migrations
from gateway.store.tables import LOG, metadata
from tests.store.worlds import SqlWorld

pytestmark = pytest.mark.anyio

UPGRADE = """
import asyncio, sys
from gateway.store.engine import connect
from gateway.store.schema import upgrade
async def main():
    database = connect(sys.argv[1])
    await upgrade(database)
    await database.close()
asyncio.run(main())
"""


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return compare_metadata(context, metadata)


async def test_the_migrations_make_the_tables_that_the_code_knows(sql: SqlWorld) -> None:
    await sql.upgrade()

    assert await sql.write(differences) == []


async def test_a_missing_column_would_be_seen(sql: SqlWorld) -> None:
    await sql.upgrade()
    await sql.write(lambda c: c.exec_driver_sql("ALTER TABLE api_key DROP COLUMN owner") and None)

    assert await sql.write(differences) != []


async def test_upgrading_again_changes_nothing(sql: SqlWorld) -> None:
    store = await sql.replica()
    await store.ledger.heartbeat()
    await sql.upgrade()

    heads = await sql.write(
        lambda c: list(map(tuple, c.exec_driver_sql("SELECT log, size FROM audit_head")))
    )
    assert heads == [(LOG, 0)]


async def test_replicas_that_start_together_migrate_once(sql: SqlWorld) -> None:
    command = [sys.executable, "-W", "error", "-c", UPGRADE, sql.url]
    started = [await asyncio.create_subprocess_exec(*command) for _ in range(3)]
    codes = await asyncio.gather(*(one.wait() for one in started))

    assert codes == [0, 0, 0]
    assert await sql.write(differences) == []


def test_the_migrations_are_where_the_code_looks() -> None:
    folder = migrations()

    assert (folder / "env.py").is_file()
    assert list((folder / "versions").glob("0001_*.py"))
