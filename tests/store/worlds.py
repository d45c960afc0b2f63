"""The places where the store's contract must hold alike: in memory, SQLite and PostgreSQL."""

import itertools
import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, update

from gateway.core.model import Kind, Role, Stage
from gateway.core.ports import Entry
from gateway.core.records import Record
from gateway.core.review import Review, ReviewPart
from gateway.store import tables
from gateway.store.engine import connect
from gateway.store.schema import upgrade
from gateway.store.store import open_store
from tests.fakes_store import FakeDatabase, FakeStore

TS = "2026-11-23T18:00:00.123456Z"
_count = itertools.count()


class World(Protocol):
    """A database, and replicas that share it."""

    async def replica(self, name: str = "one") -> Any:
        """One more process's store, open until it dies or the world ends."""
        ...

    async def die(self, replica: Any) -> None:
        """The process goes without a word: its lease runs on, its open calls stay."""
        ...

    async def age(self, seconds: float) -> None:
        """Let time pass by the database's clock."""
        ...


class FakeWorld:
    def __init__(self) -> None:
        self.database = FakeDatabase()

    async def replica(self, name: str = "one") -> Any:
        return FakeStore(self.database, f"{name}/{next(_count)}")

    async def die(self, replica: Any) -> None:
        pass

    async def age(self, seconds: float) -> None:
        self.database.age(seconds)


class SqlWorld:
    def __init__(self, url: str, data: Path) -> None:
        self.url = url
        self.data = data
        self._stack = AsyncExitStack()

    async def replica(self, name: str = "one") -> Any:
        return await self._stack.enter_async_context(open_store(self.url, self.data, name))

    async def die(self, replica: Any) -> None:
        pass  # nobody beats its heart, which is all that others see of a death

    async def age(self, seconds: float) -> None:
        back = round(seconds * 1_000_000)
        seen, due, created = (
            tables.replica.c.seen_at,
            tables.review.c.due_at,
            tables.review.c.created,
        )

        def work(connection: Connection) -> None:
            connection.execute(update(tables.replica).values(seen_at=seen - back))
            connection.execute(
                update(tables.review).values(due_at=due - back, created=created - back)
            )

        await self.write(work)

    async def write(self, work: Any) -> Any:
        """Do something to the tables behind the store's back."""
        database = connect(self.url)
        try:
            return await database.write(work)
        finally:
            await database.close()

    async def upgrade(self) -> None:
        """Make the tables without opening a store."""
        database = connect(self.url)
        try:
            await upgrade(database)
        finally:
            await database.close()

    async def close(self) -> None:
        await self._stack.aclose()


@asynccontextmanager
async def sql_world(url: str, data: Path) -> AsyncGenerator[SqlWorld, None]:
    world = SqlWorld(url, data)
    try:
        yield world
    finally:
        await world.close()


def record(
    kind: str = "inference.intent",
    call: str | None = None,
    *,
    name: str | None = None,
    **detail: Any,
) -> Record:
    return Record(name or f"rec-{next(_count)}", kind, call, TS, "base@0123456789ab", detail)


def intent(call: str, **more: Any) -> Entry:
    return Entry(record("inference.intent", call, **more), opens=True)


def decision(call: str, **more: Any) -> Entry:
    return Entry(record("inference.decision", call, **more), closes=True)


def note(kind: str = "key.created", call: str | None = None, **more: Any) -> Entry:
    return Entry(record(kind, call, **more))


REVIEW = Review(
    id="review-1",
    call="call-1",
    stage=Stage.OUTPUT,
    queue="clinical",
    policy="base@0123456789ab",
    rules=("threats",),
    labels=("toxicity.threat", "pii.person"),
    commitment="c0ffee",
)
PARTS = (
    ReviewPart("choices.0.message.content", Role.ASSISTANT, Kind.TEXT, "a CANARY-7f3a here", True),
    ReviewPart("messages.0.content", Role.USER, Kind.TEXT, "half \ud83d of a pair", False, "gone"),
)


def a_review(name: str, call: str = "call-1") -> Review:
    return replace(REVIEW, id=name, call=call)


async def log(store: Any, after: int = 0) -> list[dict[str, Any]]:
    """The whole log, parsed; its sequence is checked on the way."""
    found = [(seq, json.loads(body)) async for seq, body, _ in store.audit.entries(after)]
    assert [seq for seq, _ in found] == list(range(after + 1, after + 1 + len(found)))
    return [body for _, body in found]
