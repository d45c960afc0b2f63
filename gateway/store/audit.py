"""Reading the log. Takes no lock that a writer wants; no transaction stays open between pages."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from sqlalchemy import Connection, select

from gateway.store.database import Database
from gateway.store.tables import LOG, audit_entry, audit_head

PAGE = 256
"""Entries read in one go: at most 16 MiB."""


class SqlAudit:
    """`Audit` on a database. Everything raises AuditUnavailable while it is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def size(self) -> int:
        """The sequence number of the last record; 0 when there is none."""

        def work(connection: Connection) -> int:
            query = select(audit_head.c.size).where(audit_head.c.log == LOG)
            return connection.execute(query).scalar_one()

        return await self._database.read(work)

    async def ping(self) -> None:
        """Raise AuditUnavailable unless the database answers and holds the log."""
        await self.size()

    async def entries(self, after: int = 0) -> AsyncGenerator[tuple[int, bytes, bytes], None]:
        """(seq, exact stored bytes, leaf hash) of all records after `after`, in order.

        The log only grows, and without gaps; so everything up to its present end is a snapshot.
        """
        last = await self.size()
        while after < last:
            page = await self._page(after, last)
            if not page:
                return
            for entry in page:
                yield entry
            after = page[-1][0]

    async def _page(self, after: int, last: int) -> list[tuple[int, bytes, bytes]]:
        query = (
            select(audit_entry.c.seq, audit_entry.c.body, audit_entry.c.leaf)
            .where(audit_entry.c.log == LOG, audit_entry.c.seq > after, audit_entry.c.seq <= last)
            .order_by(audit_entry.c.seq)
            .limit(PAGE)
        )

        def work(connection: Connection) -> list[tuple[int, bytes, bytes]]:
            rows = connection.execute(query)
            return [(row.seq, bytes(row.body), bytes(row.leaf)) for row in rows]

        return await self._database.read(work)
