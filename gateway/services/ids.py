"""Names for calls, records and reviews: sortable by time, unguessable, and free of meaning."""

from __future__ import annotations

import secrets
import time


def new_id(prefix: str) -> str:
    """`prefix_` and 32 hex digits: 48 bits of milliseconds, then 80 random bits (as UUIDv7 does)."""
    return f"{prefix}_{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"
