"""Brings a database to the schema of this version. Only migrations change a schema."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from gateway.store.database import Database

_LOCK = 0x57415244
"""PostgreSQL's advisory lock of the migrations ("WARD")."""


def migrations() -> Path:
    """The folder of `env.py`: beside the package in a checkout, inside it in a wheel."""
    here = Path(__file__).parent
    inside = here / "migrations"
    return inside if inside.is_dir() else here.parents[1] / "migrations"


def alembic_config(connection: Connection) -> Config:
    """Alembic's configuration for work on an open connection."""
    config = Config()
    config.set_main_option("script_location", str(migrations()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def upgrade_in(connection: Connection) -> None:
    """Run the missing migrations in this transaction; replicas that start together take turns."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
    if not connection.in_transaction():
        # Or Alembic, which sees only SQLAlchemy's transactions, would commit by itself.
        connection.begin()
    command.upgrade(alembic_config(connection), "head")


async def upgrade(database: Database) -> None:
    """Bring the database to the newest schema. Raises DatabaseDown."""
    await database.migrate(upgrade_in)
