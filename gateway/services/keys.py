"""API keys: made once, shown once, known afterwards by a keyed hash alone.

A key is `wg_<id>_<secret>`: the id finds it, the secret (256 bits) proves it. What the store said is
remembered for a few seconds, which is how long a revoked key can still pass.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections import OrderedDict
from datetime import UTC

from gateway.core.errors import UnknownKey
from gateway.core.model import Caller
from gateway.core.ports import Clock, Entry, Keys, StoredKey
from gateway.core.records import Record, timestamp
from gateway.services.ids import new_id

REMEMBERED = 5.0
"""Seconds that what the store said of a key stays true."""
_MOST = 10_000
_FORM = re.compile(r"wg_([0-9a-f]{16})_([A-Za-z0-9_-]{43})", re.ASCII)


class KeyService:
    """`pepper` keys the hash; without it the stored digests are of no use."""

    def __init__(self, keys: Keys, pepper: bytes, clock: Clock) -> None:
        self._keys = keys
        self._pepper = pepper
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, StoredKey | None]] = OrderedDict()

    async def create(self, team: str, owner: str | None = None) -> str:
        """A new key for a team: returned here and never again."""
        key_id = secrets.token_hex(8)
        key = f"wg_{key_id}_{secrets.token_urlsafe(32)}"
        now = self._clock.now().astimezone(UTC)
        detail = {"key": key_id, "team": team}
        record = Record(new_id("rec"), "key.created", None, timestamp(now), None, detail)
        stored = StoredKey(key_id, self._digest(key), team, owner, now)
        await self._keys.add(stored, Entry(record))
        return key

    async def identify(self, key: str | None) -> Caller:
        """Who holds this key. Raise UnknownKey; the same work is done whether the id exists or not."""
        form = _FORM.fullmatch(key or "")
        if form is None or key is None:
            raise UnknownKey
        stored = await self._find(form.group(1))
        expected = stored.digest if stored else bytes(32)
        matches = hmac.compare_digest(expected, self._digest(key))
        if stored is None or stored.revoked or not matches:
            raise UnknownKey
        return Caller(stored.id, stored.team, stored.owner)

    def _digest(self, key: str) -> bytes:
        # Not `hmac.digest`: it lets go of the interpreter's lock and waits for it again.
        return hmac.new(self._pepper, key.encode(), "sha256").digest()

    async def _find(self, key_id: str) -> StoredKey | None:
        now = self._clock.monotonic()
        known = self._known.get(key_id)
        if known and known[0] > now:
            return known[1]
        stored = await self._keys.find(key_id)
        self._known[key_id] = (now + REMEMBERED, stored)
        self._known.move_to_end(key_id)
        while len(self._known) > _MOST:
            self._known.popitem(last=False)
        return stored
