"""The tables, as SQLAlchemy Core knows them. `migrations/versions` makes them; a test compares.

Times are integers: microseconds since 1970, by the database's clock. No column holds a message's
text in the clear: what is sealed is a BLOB of `sealing.py`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import ColumnElement

LOG = "main"
"""The one log of a deployment (`audit_head.log`)."""

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

audit_head = Table(
    "audit_head",
    metadata,
    Column("log", Text, primary_key=True),
    Column("size", BigInteger, nullable=False),
)
"""One row per log. Whoever holds its lock may append; `size` is the last sequence number."""

audit_entry = Table(
    "audit_entry",
    metadata,
    Column("log", Text, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False),
    Column("ts", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("call", Text),
    Column("leaf", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("id"),
)
"""The records: `body` is the very bytes that `leaf` is the hash of."""

open_call = Table(
    "open_call",
    metadata,
    Column("call", Text, primary_key=True),
    Column("replica", Text, nullable=False),
    Column("intent", Text, nullable=False),
    Column("ts", Text, nullable=False),
)
"""Calls with an intent and no outcome yet."""

replica = Table(
    "replica",
    metadata,
    Column("id", Text, primary_key=True),
    Column("seen_at", BigInteger, nullable=False),
)
"""The leases of the processes that own open calls."""

api_key = Table(
    "api_key",
    metadata,
    Column("id", Text, primary_key=True),
    Column("digest", LargeBinary, nullable=False),
    Column("team", Text, nullable=False),
    Column("owner", Text),
    Column("created", BigInteger, nullable=False),
    Column("revoked", Boolean, nullable=False),
)

review = Table(
    "review",
    metadata,
    Column("id", Text, primary_key=True),
    Column("call", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("rules", Text, nullable=False),
    Column("labels", Text, nullable=False),
    Column("commitment", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("choice", Text),
    Column("parts", LargeBinary, nullable=False),
    Column("verdict", LargeBinary),
    Index("ix_review_call", "call"),
    Index("ix_review_state_due_at", "state", "due_at"),
)
"""`parts` and `verdict` are sealed; a reason can quote a message, so it rests in the verdict."""

fingerprint = Table(
    "fingerprint",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""Which database this is and which key-encryption key belongs to it."""


class now_us(ColumnElement[int]):  # noqa: N801 - reads as the SQL function that it is
    """The database's clock, in microseconds since 1970 (SQLite counts in milliseconds)."""

    inherit_cache = True
    type = BigInteger()


@compiles(now_us, "sqlite")
def _sqlite_now(_element: now_us, _compiler: SQLCompiler, **_options: Any) -> str:
    return "(CAST(ROUND((julianday('now') - 2440587.5) * 86400000.0) AS INTEGER) * 1000)"


@compiles(now_us, "postgresql")
def _postgresql_now(_element: now_us, _compiler: SQLCompiler, **_options: Any) -> str:
    # clock_timestamp, not now(): a transaction that waited for the head row must not see the past.
    return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"
