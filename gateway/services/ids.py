"""Names for calls, records and reviews: sortable by time, unlike each other, and free of meaning.

A name is no secret: nothing may be allowed to whoever knows one.
"""

from __future__ import annotations

import random
import time


def new_id(prefix: str) -> str:
    """`prefix_` and 32 hex digits: 48 bits of milliseconds, then 80 random bits (as UUIDv7 does)."""
    # `os.urandom` lets go of the interpreter's lock and waits for it again: three times a call on the
    # event loop, that cost more than the audit log's hashing.
    chance = random.getrandbits(80)
    return f"{prefix}_{time.time_ns() // 1_000_000:012x}{chance:020x}"
