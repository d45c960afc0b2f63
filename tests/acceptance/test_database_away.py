"""Without a place for its records the gateway makes no call; with it again, it goes on by itself."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.acceptance.calling import Told, ask, session
from tests.acceptance.policies import ALLOW
from tests.acceptance.running import Running, outcomes, running
from tests.postgres import postgres
from tests.rig import MockUpstream

WITHIN = 15.0
"""Seconds in which the gateway is to notice, and to come back."""


@pytest.fixture
def models(mock_upstream: MockUpstream) -> dict[str, object]:
    return {"mock*": {"engine": "openai", "base_url": mock_upstream.base_url, "model": "*"}}


def _call(gateway: Running, key: str) -> Told:
    async def one() -> Told:
        async with session(1) as http:
            return await ask(http, gateway.base_url, key, "mock~tokens=3")

    return asyncio.run(one())


def _until(gateway: Running, key: str, wanted: Callable[[Told], bool]) -> Told:
    deadline = time.monotonic() + WITHIN
    while not wanted(told := _call(gateway, key)):
        assert time.monotonic() < deadline, (told.status, told.text)
    return told


def _refuses_without_a_call(gateway: Running, key: str, upstream: MockUpstream) -> None:
    refused = _until(gateway, key, lambda told: told.status == 503)
    assert b"audit_unavailable" in refused.text
    before = upstream.stats().get("requests", 0)
    for _ in range(3):
        assert _call(gateway, key).status == 503
    assert upstream.stats().get("requests", 0) == before


def _comes_back(gateway: Running, key: str) -> None:
    _until(gateway, key, lambda told: told.status == 200)
    deadline = time.monotonic() + WITHIN
    while not all(len(ends) == 1 for ends in outcomes(gateway.records()).values()):
        assert time.monotonic() < deadline, "an intent stayed open"


def test_a_write_lock_held_by_another_process(
    tmp_path: Path, models: dict[str, object], mock_upstream: MockUpstream
) -> None:
    with running(tmp_path, models, {"allow": ALLOW}) as gateway:
        key = gateway.key()
        assert _call(gateway, key).status == 200
        other = sqlite3.connect(tmp_path / "var" / "wardgate.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        _refuses_without_a_call(gateway, key, mock_upstream)

        other.execute("ROLLBACK")
        other.close()
        _comes_back(gateway, key)


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip("a small disk needs root: mount -t tmpfs is not allowed here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_disk_that_is_full(
    tmp_path: Path, models: dict[str, object], mock_upstream: MockUpstream
) -> None:
    with _small_disk(tmp_path / "small") as disk:
        database = f"sqlite:///{disk}/wardgate.db"
        with running(tmp_path, models, {"allow": ALLOW}, database=database) as gateway:
            key = gateway.key()
            assert _call(gateway, key).status == 200
            filler = disk / "filler"
            _fill(filler)

            _refuses_without_a_call(gateway, key, mock_upstream)

            filler.unlink()
            _comes_back(gateway, key)


def _fill(filler: Path) -> None:
    """Write until the disk takes no more."""
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            os.fsync(file.fileno())


def test_postgresql_stopped_and_started_under_load(
    tmp_path: Path, models: dict[str, object], mock_upstream: MockUpstream
) -> None:
    with (
        postgres() as server,
        running(tmp_path, models, {"allow": ALLOW}, database=server.url()) as gateway,
    ):
        key = gateway.key()

        async def load() -> list[Told]:
            answers: list[Told] = []
            stop = asyncio.Event()

            async def client() -> None:
                while not stop.is_set():
                    answers.append(await ask(http, gateway.base_url, key, "mock~tokens=3"))

            async def outage() -> None:
                await _until_answered(answers, 200)
                await asyncio.to_thread(server.crash)
                await _until_answered(answers, 503)
                await asyncio.to_thread(server.start)
                del answers[:]
                await _until_answered(answers, 200)
                stop.set()

            async with session(16) as http:
                await asyncio.gather(*(client() for _ in range(16)), outage())
            return answers

        asyncio.run(load())
        _comes_back(gateway, key)

        server.stop()
        _refuses_without_a_call(gateway, key, mock_upstream)
        server.start()
        _comes_back(gateway, key)


async def _until_answered(answers: list[Told], status: int) -> None:
    deadline = time.monotonic() + WITHIN
    while not any(one.status == status for one in answers):
        assert time.monotonic() < deadline, f"never answered {status}"
        await asyncio.sleep(0.02)
