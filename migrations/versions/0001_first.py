"""The first schema: audit log, open calls, leases, keys, reviews.

Migrations never import `gateway.store.tables`: what they made must not change when it does.
There are no downgrades: the audit log is never taken back.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _audit()
    _calls()
    _keys()
    _reviews()


def _audit() -> None:
    head = op.create_table(
        "audit_head",
        sa.Column("log", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("log", name="pk_audit_head"),
    )
    op.create_table(
        "audit_entry",
        sa.Column("log", sa.Text, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("ts", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("call", sa.Text),
        sa.Column("leaf", sa.LargeBinary, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("log", "seq", name="pk_audit_entry"),
        sa.UniqueConstraint("id", name="uq_audit_entry_id"),
    )
    op.bulk_insert(head, [{"log": "main", "size": 0}])


def _calls() -> None:
    op.create_table(
        "open_call",
        sa.Column("call", sa.Text, nullable=False),
        sa.Column("replica", sa.Text, nullable=False),
        sa.Column("intent", sa.Text, nullable=False),
        sa.Column("ts", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("call", name="pk_open_call"),
    )
    op.create_table(
        "replica",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_replica"),
    )


def _keys() -> None:
    op.create_table(
        "api_key",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("owner", sa.Text),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("revoked", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
    )
    op.create_table(
        "fingerprint",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_fingerprint"),
    )


def _reviews() -> None:
    op.create_table(
        "review",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("call", sa.Text, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        sa.Column("queue", sa.Text, nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("rules", sa.Text, nullable=False),
        sa.Column("labels", sa.Text, nullable=False),
        sa.Column("commitment", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("due_at", sa.BigInteger, nullable=False),
        sa.Column("choice", sa.Text),
        sa.Column("parts", sa.LargeBinary, nullable=False),
        sa.Column("verdict", sa.LargeBinary),
        sa.PrimaryKeyConstraint("id", name="pk_review"),
    )
    op.create_index("ix_review_call", "review", ["call"])
    op.create_index("ix_review_state_due_at", "review", ["state", "due_at"])
