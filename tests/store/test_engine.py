"""A URL names a database, or is refused with what was expected."""

from pathlib import Path

import pytest

from gateway.store.engine import connect
from gateway.store.postgres import PostgresDatabase
from gateway.store.sqlite import SqliteDatabase


def test_a_file_is_sqlite_and_its_folder_is_made(tmp_path: Path) -> None:
    database = connect(f"sqlite:///{tmp_path}/a/b/wardgate.db")

    assert isinstance(database, SqliteDatabase)
    assert (tmp_path / "a" / "b").is_dir()


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+asyncpg", "postgresql+psycopg"])
def test_a_server_is_postgresql_whatever_driver_is_named(scheme: str) -> None:
    database = connect(f"{scheme}://ada@db.internal/wardgate")

    assert isinstance(database, PostgresDatabase)
    assert database.dialect.driver == "asyncpg"


@pytest.mark.parametrize("url", ["", "wardgate.db", "sqlite://", "mysql://a@b/c", "postgres:/x"])
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="sqlite:///path"):
        connect(url)
