"""The store as a whole: what a kill leaves, which keys it takes, and that text rests sealed."""

import asyncio
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.core.errors import AuditUnavailable, InvalidDocument
from gateway.core.review import Choice, Verdict
from gateway.store.store import open_store
from tests.store.worlds import PARTS, REVIEW, SqlWorld, intent, log, note

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 23, 18, 0, 0, tzinfo=UTC)


async def test_a_killed_process_gave_no_receipt_without_its_record(
    sql: SqlWorld, tmp_path: Path
) -> None:
    printed = await _killed_after(sql.url, tmp_path / "var", lines=150)
    assert len(printed) >= 150

    store = await sql.replica("next")
    bodies = await log(store)
    kept = {body["id"]: seq for seq, body in enumerate(bodies, 1)}
    assert [line for line in printed if kept.get(line[1]) != line[0]] == []

    await sql.age(11)
    await store.ledger.heartbeat()
    await store.ledger.close_abandoned(now=NOW)
    bodies = await log(store)
    opened = sorted(body["call"] for body in bodies if body["kind"] == "inference.intent")
    closed = sorted(body["call"] for body in bodies if body["kind"] != "inference.intent")
    assert opened == closed
    assert any(body["kind"] == "inference.interrupted" for body in bodies)


async def _killed_after(url: str, data: Path, lines: int) -> list[tuple[int, str]]:
    """The receipts that a process printed before it was killed in full flight."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.store.crashing",
        url,
        str(data),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    printed = [await process.stdout.readline() for _ in range(lines)]
    process.kill()
    rest = await process.stdout.read()
    await process.wait()
    whole = b"".join(printed) + rest[: rest.rfind(b"\n") + 1]
    return [(int(seq), name) for seq, name in map(str.split, whole.decode().splitlines())]


async def test_other_keys_than_the_databases_are_refused(sql: SqlWorld, tmp_path: Path) -> None:
    await sql.replica()
    await sql.close()

    with pytest.raises(InvalidDocument, match="Restore"):
        await _open_and_close(sql.url, tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere" / "keys" / "kek").exists()

    shutil.copytree(tmp_path / "var" / "keys", tmp_path / "copy" / "keys")
    await _open_and_close(sql.url, tmp_path / "copy")

    (tmp_path / "copy" / "keys" / "kek").write_bytes(b"z" * 32)
    with pytest.raises(InvalidDocument, match="sealed with"):
        await _open_and_close(sql.url, tmp_path / "copy")


async def _open_and_close(url: str, data: Path) -> None:
    async with open_store(url, data, "other"):
        pass


async def test_an_error_of_the_block_comes_out_as_it_is(sql: SqlWorld) -> None:
    with pytest.raises(LookupError):
        async with open_store(sql.url, sql.data, "one"):
            raise LookupError


async def test_a_database_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(AuditUnavailable):
        await _open_and_close("postgresql://nobody@127.0.0.1:1/x", tmp_path)


async def test_no_sealed_text_is_readable_in_any_file(tmp_path: Path) -> None:
    # SQLite's own files can be read whole; on PostgreSQL the same bytes go into the same columns.
    url = f"sqlite:///{tmp_path}/var/wardgate.db"
    async with open_store(url, tmp_path / "var", "one") as store:
        await store.ledger.append(intent("call-1"))
        await store.reviews.open(REVIEW, 60, PARTS, note("inference.held"))
        verdict = Verdict(Choice.EDIT, "ada", "CANARY-reason", (("p", "CANARY-edit"),))
        await store.reviews.decide("review-1", verdict, note("review.decided"))
        assert (await store.reviews.parts("review-1")) == PARTS
        during = list(_readable(tmp_path / "var"))
    after = list(_readable(tmp_path / "var"))

    assert any(name.endswith("-wal") for name, _ in during)
    assert [name for name, data in during + after if b"CANARY" in data] == []
    assert any(b"review-1" in data for _, data in during)


def _readable(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield path.name, path.read_bytes()


async def test_a_secret_is_the_same_for_every_replica(sql: SqlWorld) -> None:
    one: Any = await sql.replica("one")
    two: Any = await sql.replica("two")

    assert one.secrets.secret("api-key-pepper") == two.secrets.secret("api-key-pepper")
    sealed = one.sealer.seal(b"x", bound_to="here")
    assert two.sealer.unseal(sealed, bound_to="here") == b"x"
