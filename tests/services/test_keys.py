"""A key is shown once and known by its keyed hash; nothing of its secret rests anywhere."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from gateway.core.errors import AuditUnavailable, UnknownKey
from gateway.core.model import Caller
from gateway.core.ports import StoredKey
from gateway.services.keys import REMEMBERED, KeyService
from tests.fakes import HandClock
from tests.fakes_store import FakeDatabase, FakeKeys


class CountingKeys(FakeKeys):
    asked = 0

    async def find(self, key_id: str) -> StoredKey | None:
        self.asked += 1
        return await super().find(key_id)


def service() -> tuple[KeyService, CountingKeys, HandClock]:
    keys, clock = CountingKeys(FakeDatabase()), HandClock()
    return KeyService(keys, b"p" * 32, clock), keys, clock


async def test_a_key_has_its_form_and_256_random_bits() -> None:
    made, _, _ = service()
    one, other = await made.create("red"), await made.create("red")

    assert re.fullmatch(r"wg_[0-9a-f]{16}_[A-Za-z0-9_-]{43}", one)
    assert len(base64.urlsafe_b64decode(one[20:] + "=")) == 32
    assert one[20:] != other[20:]


async def test_a_key_says_whose_it_is() -> None:
    made, _, _ = service()
    key = await made.create("red", "ann")

    assert await made.identify(key) == Caller(key[3:19], "red", "ann")


async def test_nothing_of_the_secret_is_stored_or_recorded() -> None:
    made, keys, _ = service()
    key = await made.create("red", "ann")
    secret = key[20:]

    (stored,) = keys.database.keys.values()
    (record,) = keys.database.records
    assert secret not in repr(keys.database)
    assert base64.urlsafe_b64decode(secret + "=") not in stored.digest
    assert len(stored.digest) == 32
    assert record.kind == "key.created"
    assert record.detail == {"key": stored.id, "team": "red"}


async def test_the_hash_hangs_on_the_pepper() -> None:
    made, keys, clock = service()
    key = await made.create("red")

    with pytest.raises(UnknownKey):
        await KeyService(keys, b"q" * 32, clock).identify(key)


SPOILT: dict[str, Callable[[str], str | None]] = {
    "none": lambda _: None,
    "empty": lambda _: "",
    "short": lambda key: key[:-1],
    "long": lambda key: key + "A",
    "line end": lambda key: key + "\n",
    "space": lambda key: f" {key}",
    "capitals": lambda key: key.upper(),
    "another secret": lambda key: key[:20] + "A" * 43,
    "another id": lambda key: "wg_" + "0" * 16 + key[19:],
    "not ASCII": lambda key: key[:20] + "\u00e9" * 43,
}


@pytest.mark.parametrize("how", SPOILT)
async def test_anything_but_the_key_is_unknown(how: str) -> None:
    made, _, _ = service()

    with pytest.raises(UnknownKey):
        await made.identify(SPOILT[how](await made.create("red")))


async def test_an_unknown_id_costs_the_same_hash_as_a_known_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made, _, _ = service()
    key = await made.create("red")
    hashed: list[str] = []
    own = made._digest
    monkeypatch.setattr(made, "_digest", lambda one: hashed.append(one) or own(one))
    wrong = [key[:-1] + "-", "wg_" + "0" * 16 + key[19:]]

    for one in wrong:
        with pytest.raises(UnknownKey):
            await made.identify(one)

    assert hashed == wrong


async def test_a_revoked_key_is_unknown_within_seconds() -> None:
    made, keys, clock = service()
    key = await made.create("red")
    await made.identify(key)
    keys.database.keys[key[3:19]] = replace(keys.database.keys[key[3:19]], revoked=True)

    clock.advance(REMEMBERED - 0.1)
    assert await made.identify(key)

    clock.advance(0.1)
    with pytest.raises(UnknownKey):
        await made.identify(key)


async def test_the_store_is_asked_once_in_five_seconds() -> None:
    made, keys, clock = service()
    key = await made.create("red")
    unknown = "wg_" + "0" * 16 + key[19:]
    for _ in range(3):
        await made.identify(key)
        with pytest.raises(UnknownKey):
            await made.identify(unknown)
    assert keys.asked == 2

    clock.advance(5)
    await made.identify(key)
    assert keys.asked == 3


async def test_a_store_that_is_away_is_no_unknown_key() -> None:
    made, keys, _ = service()
    key = await made.create("red")
    keys.database.broken = True

    with pytest.raises(AuditUnavailable):
        await made.identify(key)


async def test_a_key_whose_record_cannot_be_written_is_not_made() -> None:
    made, keys, _ = service()
    keys.database.broken = True

    with pytest.raises(AuditUnavailable):
        await made.create("red")

    assert keys.database.keys == {}


async def test_many_wrong_ids_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.services.keys._MOST", 20)
    made, _, _ = service()
    for number in range(50):
        with pytest.raises(UnknownKey):
            await made.identify(f"wg_{number:016x}_" + "A" * 43)

    assert len(made._known) == 20
