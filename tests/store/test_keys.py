"""The keys' contract, wherever they are kept."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.ports import StoredKey
from gateway.store.keys import micros, moment
from tests.store.worlds import log, note

pytestmark = pytest.mark.anyio
CREATED = datetime(2026, 11, 23, 18, 0, 0, 123457, tzinfo=UTC)
KEY = StoredKey("k_1", bytes(range(32)), "clinical", "ada", CREATED)


async def test_a_key_is_found_as_it_was_stored(world: Any) -> None:
    store = await world.replica()
    other = StoredKey("k_2", b"\0" * 32, "billing", None, CREATED, revoked=True)
    await store.keys.add(KEY, note())
    await store.keys.add(other, note())

    assert await store.keys.find("k_1") == KEY
    assert await store.keys.find("k_2") == other
    assert await store.keys.find("k_3") is None
    assert await store.keys.count() == 2


async def test_a_key_comes_with_its_record(world: Any) -> None:
    store = await world.replica()
    await store.keys.add(KEY, note("key.created", key="k_1"))

    assert [(body["kind"], body["key"]) for body in await log(store)] == [("key.created", "k_1")]


async def test_a_key_whose_record_is_refused_is_not_stored(world: Any) -> None:
    store = await world.replica()

    with pytest.raises(ValueError, match="record"):
        await store.keys.add(KEY, note(score=0.5))
    assert await store.keys.find("k_1") is None
    assert await store.keys.count() == 0


async def test_a_key_whose_id_is_taken_changes_nothing(world: Any) -> None:
    store = await world.replica()
    await store.keys.add(KEY, note())

    with pytest.raises(ValueError, match="exists already"):
        await store.keys.add(StoredKey("k_1", b"x", "thieves", None, CREATED), note())
    assert await store.keys.find("k_1") == KEY
    assert len(await log(store)) == 1


async def test_keys_and_calls_share_one_gapless_sequence(world: Any) -> None:
    one, two = await world.replica("one"), await world.replica("two")

    await asyncio.gather(
        *(one.keys.add(StoredKey(f"k{n}", b"d", "t", None, CREATED), note()) for n in range(10)),
        *(two.ledger.append(note()) for _ in range(30)),
    )

    assert len(await log(one)) == 40


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_moment_survives_as_microseconds(when: datetime) -> None:
    assert moment(micros(when)) == when
