"""What detectors have said of windows before, so that a conversation costs what is new in it.

Holds offsets and scores under keyed hashes, never text; bounded in bytes; the oldest use goes first.
"""

from __future__ import annotations

from collections import OrderedDict

from gateway.core.model import Finding

ENTRY_BYTES = 260
"""What an entry without findings takes: key, tuple, links (measured with tracemalloc, rounded up)."""
FINDING_BYTES = 160
"""What each finding adds; its label, detector and version are shared strings."""


class LruScanCache:
    """`capacity` is in bytes; 0 keeps nothing."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._size = 0
        self._entries: OrderedDict[bytes, tuple[Finding, ...]] = OrderedDict()

    @property
    def size(self) -> int:
        """Bytes held, as this cache counts them."""
        return self._size

    def get(self, key: bytes) -> tuple[Finding, ...] | None:
        found = self._entries.get(key)
        if found is not None:
            self._entries.move_to_end(key)
        return found

    def put(self, key: bytes, findings: tuple[Finding, ...]) -> None:
        old = self._entries.pop(key, None)
        if old is not None:
            self._size -= _weight(old)
        weight = _weight(findings)
        if weight > self._capacity:
            return
        self._entries[key] = findings
        self._size += weight
        while self._size > self._capacity:
            _, dropped = self._entries.popitem(last=False)
            self._size -= _weight(dropped)


def _weight(findings: tuple[Finding, ...]) -> int:
    return ENTRY_BYTES + FINDING_BYTES * len(findings)
