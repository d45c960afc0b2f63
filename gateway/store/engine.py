"""From the URL in the settings to the database that it names."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from gateway.store.database import Database
from gateway.store.postgres import PostgresDatabase
from gateway.store.sqlite import SqliteDatabase


def connect(url: str) -> Database:
    """The database at `sqlite:///path` or `postgresql://…`; opens nothing yet. Raise ValueError."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    match parsed.get_backend_name() if parsed else None:
        case "sqlite" if parsed and parsed.database:
            return SqliteDatabase(Path(parsed.database))
        case "postgresql" if parsed:
            return PostgresDatabase(parsed)
        case _:
            raise ValueError(
                "a database is `sqlite:///path/to/file.db` or `postgresql://user@host/name`"
            )
