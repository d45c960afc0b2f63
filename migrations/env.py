"""How Alembic reaches the database: over the connection that `gateway.store.schema` hands in.

It opens none by itself, so that the settings of `engine.py` hold for migrations too.
"""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection

from gateway.store.tables import metadata


def run() -> None:
    """Run the migrations in the transaction that is open already."""
    connection = context.config.attributes.get("connection")
    if not isinstance(connection, Connection):
        raise TypeError("migrations run through gateway.store.schema.upgrade, not by themselves")
    context.configure(
        connection=connection, target_metadata=metadata, transaction_per_migration=False
    )
    context.run_migrations()


run()
