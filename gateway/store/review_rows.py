"""Reviews as rows and back: the only place that knows how their texts lie before sealing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from gateway.core.model import Kind, Role, Stage
from gateway.core.ports import Sealer
from gateway.core.review import Choice, Review, ReviewPart, ReviewState, Verdict
from gateway.store.keys import moment
from gateway.store.tables import review

COLUMNS = tuple(column for column in review.c if column.name != "parts")
"""All but the texts, which can be large and which few ask for."""


def row_of(held: Review) -> dict[str, Any]:
    """The columns of a new review that are known before its texts are sealed and its times set."""
    return {
        "id": held.id,
        "call": held.call,
        "stage": str(held.stage),
        "queue": held.queue,
        "policy": held.policy,
        "rules": json.dumps(held.rules),
        "labels": json.dumps(held.labels),
        "commitment": held.commitment,
        "state": str(ReviewState.OPEN),
    }


def review_of(sealer: Sealer, row: Mapping[Any, Any]) -> Review:
    """The review that a row holds."""
    verdict = open_verdict(sealer, row["id"], row["verdict"])
    return Review(
        id=row["id"],
        call=row["call"],
        stage=Stage(row["stage"]),
        queue=row["queue"],
        policy=row["policy"],
        rules=tuple(json.loads(row["rules"])),
        labels=tuple(json.loads(row["labels"])),
        commitment=row["commitment"],
        state=ReviewState(row["state"]),
        created=moment(row["created"]),
        due_at=moment(row["due_at"]),
        choice=verdict.choice if verdict else None,
        reason=verdict.reason if verdict else None,
    )


def seal_parts(sealer: Sealer, review_id: str, parts: Sequence[ReviewPart]) -> bytes:
    """All parts as one sealed payload, bound to this review."""
    plain = [
        [part.path, part.role, part.kind, part.text, part.held, part.delivered] for part in parts
    ]
    return sealer.seal(_pack(plain), bound_to=_parts_of(review_id))


def open_parts(sealer: Sealer, review_id: str, sealed: bytes) -> tuple[ReviewPart, ...]:
    """The parts that `seal_parts` sealed."""
    plain = json.loads(sealer.unseal(bytes(sealed), bound_to=_parts_of(review_id)))
    return tuple(
        ReviewPart(path, Role(role), Kind(kind), text, held, delivered)
        for path, role, kind, text, held, delivered in plain
    )


def seal_verdict(sealer: Sealer, review_id: str, verdict: Verdict) -> bytes:
    """The decision with its words as one sealed payload, bound to this review."""
    plain = [verdict.choice, verdict.by, verdict.reason, verdict.edits]
    return sealer.seal(_pack(plain), bound_to=_verdict_of(review_id))


def open_verdict(sealer: Sealer, review_id: str, sealed: bytes | None) -> Verdict | None:
    """The decision that `seal_verdict` sealed; None where there is none yet."""
    if sealed is None:
        return None
    choice, by, reason, edits = json.loads(
        sealer.unseal(bytes(sealed), bound_to=_verdict_of(review_id))
    )
    return Verdict(Choice(choice), by, reason, tuple((path, text) for path, text in edits))


def _pack(plain: object) -> bytes:
    # ASCII: a lone surrogate in a model's answer is sealed and comes back as it was.
    return json.dumps(plain, separators=(",", ":")).encode("ascii")


def _parts_of(review_id: str) -> str:
    return f"review/{review_id}/parts"


def _verdict_of(review_id: str) -> str:
    return f"review/{review_id}/verdict"
