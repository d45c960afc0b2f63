"""One entry of the audit log, and its exact bytes.

Restricted canonical JSON (RFC 8785 without floats): ASCII keys, sorted; integers within 2^53-1; no lone
surrogates. The bytes that are hashed are the bytes that are stored. A record never holds text: only
labels, offsets, scores in basis points, hashes, ids and the operator's own names.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, cast

from gateway.core.model import NOTHING
from gateway.core.policy import Ruling

MAX_BYTES = 65_535
"""An entry's largest size (C2SP tlog-tiles)."""
MAX_FINDINGS = 200
"""Rulings that one record lists; the count of all of them is always there."""
_LARGEST = 2**53 - 1


@dataclass(frozen=True, slots=True)
class Record:
    """`detail` holds what is particular to the kind. `ts` is UTC, ISO 8601, with microseconds."""

    id: str
    kind: str
    call: str | None
    ts: str
    policy: str | None = None
    detail: Mapping[str, Any] = field(default_factory=lambda: NOTHING)


def timestamp(moment: datetime) -> str:
    """A moment as records write it: UTC, ISO 8601, microseconds, `Z`."""
    told = moment.astimezone(UTC).isoformat(timespec="microseconds")
    return told.removesuffix("+00:00") + "Z"


def encode(record: Record) -> bytes:
    """The canonical bytes. Raise ValueError where the record breaks the profile above."""
    body = {
        **record.detail,
        "v": 1,
        "id": record.id,
        "kind": record.kind,
        "call": record.call,
        "ts": record.ts,
        "policy": record.policy,
    }
    encoded = canonical(body)
    if len(encoded) > MAX_BYTES:
        raise ValueError(f"a record is at most {MAX_BYTES} bytes; this one has {len(encoded)}")
    return encoded


_PLAIN: Final = frozenset({str, bool, type(None)})
_ENCODER: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def canonical(value: Any) -> bytes:
    """Canonical JSON of the restricted profile. Raise ValueError outside it."""
    _check(value)
    return _ENCODER.encode(value).encode("utf-8")


def _check(value: Any) -> None:
    # By exact type first: this sees every value of every record, and asking an ABC costs more than the rest.
    if type(value) in _PLAIN:
        return
    if type(value) is int:
        if not -_LARGEST <= value <= _LARGEST:
            raise ValueError("an integer of a record is within 2^53-1")
    elif type(value) is dict or isinstance(value, Mapping):
        _check_members(cast("Mapping[Any, Any]", value))
    elif isinstance(value, list | tuple):
        for item in cast("list[Any]", value):
            if type(item) is not str:
                _check(item)
    else:
        raise ValueError(f"a record holds no {type(value).__name__}")


def _check_members(value: Mapping[Any, Any]) -> None:
    for key, item in value.items():
        if type(key) is not str or not key.isascii():
            raise ValueError("a key of a record is ASCII")
        if type(item) not in _PLAIN:
            _check(item)


def leaf_hash(encoded: bytes) -> bytes:
    """RFC 6962: SHA-256 of 0x00 and the entry."""
    return hashlib.sha256(b"\x00" + encoded).digest()


def ruling_rows(passage: str, rulings: tuple[Ruling, ...]) -> list[dict[str, Any]]:
    """Rulings as a record lists them: what, where, how sure, by whom, and what was done."""
    return [
        {
            "path": passage,
            "label": ruling.finding.label,
            "start": ruling.finding.start,
            "end": ruling.finding.end,
            "score_bp": round(ruling.finding.score * 10_000),
            "detector": ruling.finding.detector,
            "version": ruling.finding.version,
            "rule": ruling.rule,
            "action": ruling.action.word,
        }
        for ruling in rulings
    ]
