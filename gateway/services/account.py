"""What one call leaves behind: gathered along the way, told as records. Never holds text.

Records carry labels, offsets, scores, hashes, ids and the operator's own names, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from gateway.core.model import Action, Call, Caller, Stage, Usage
from gateway.core.ports import Clock, Entry, InForce
from gateway.core.records import MAX_FINDINGS, Record, canonical, ruling_rows, timestamp
from gateway.core.review import Review
from gateway.services.guard import Seen
from gateway.services.ids import new_id

MAX_PASSAGES = 200
"""Passages whose coverage a record lists one by one; the counts by detector are always there."""
COVERAGE_BYTES = 16_000
"""What the paths of those passages may take of a record."""
FINDINGS_BYTES = 40_000
"""What the findings that are listed may take of a record: with the above, it always fits."""


@dataclass(slots=True)
class Account:
    """One call's. `opened` is whether a record has made the call open, so that one must close it."""

    call: Call
    caller: Caller
    force: InForce
    engine: str | None
    """The alias of the model that is asked; None where none is."""
    catalogue: str | None
    clock: Clock
    seen: dict[Stage, tuple[Seen, ...]] = field(default_factory=dict[Stage, tuple[Seen, ...]])
    intent_id: str | None = None
    opened: bool = False
    proved: bool = False
    """Whether the record that opens the call is known to be durable."""
    review: str | None = None
    usage: Usage | None = None
    outcome: str = "completed"
    recorded: bool = False
    """Whether the last record is durable."""
    marks: dict[str, int] = field(default_factory=dict[str, int])
    _last: float = 0.0

    def __post_init__(self) -> None:
        self._last = self.clock.monotonic()

    def mark(self, step: str) -> None:
        """The time since the last mark belongs to `step` (microseconds)."""
        now = self.clock.monotonic()
        self.marks[step] = self.marks.get(step, 0) + round((now - self._last) * 1_000_000)
        self._last = now

    @property
    def action(self) -> Action:
        """The strictest action so far."""
        return max(
            (one.decision.action for seen in self.seen.values() for one in seen),
            default=Action.ALLOW,
        )

    def intent(self) -> Entry:
        """What has to be durable before a byte goes upstream."""
        entry = self._entry("inference.intent", self._looked(Stage.INPUT), opens=not self.opened)
        self.opened = True
        self.intent_id = entry.record.id
        return entry

    def held(self, review: Review) -> Entry:
        """A person has to decide; the call waits."""
        detail = {"review": review.id, "queue": review.queue, "stage": str(review.stage)}
        entry = self._entry("inference.held", detail, opens=not self.opened)
        self.opened = True
        self.review = review.id
        return entry

    def decision(self) -> Entry:
        """How the call ended; exactly one for each call."""
        stage = Stage.OUTPUT if self.intent_id or Stage.OUTPUT in self.seen else Stage.INPUT
        detail = {
            **self._looked(stage),
            "outcome": self.outcome,
            "action": self.action.word,
            "intent": self.intent_id,
            "review": self.review,
            "t_us": dict(self.marks),
            "usage": {"in": self.usage.prompt, "out": self.usage.completion}
            if self.usage
            else None,
        }
        return self._entry("inference.decision", detail, closes=self.opened)

    def _entry(
        self, kind: str, detail: Mapping[str, Any], *, opens: bool = False, closes: bool = False
    ) -> Entry:
        about = {
            "team": self.caller.team,
            "key": self.caller.key,
            "surface": self.call.surface,
            "model": self.engine,
            "catalogue": self.catalogue,
            "stream": self.call.stream,
            "policy_digest": self.force.policy.digest,
            **detail,
        }
        ts = timestamp(self.clock.now())
        record = Record(new_id("rec"), kind, self.call.id, ts, self.force.policy.reference, about)
        return Entry(record, opens=opens, closes=closes)

    def _looked(self, stage: Stage) -> dict[str, Any]:
        seen = self.seen.get(stage, ())
        rows = [
            row
            for one in seen
            if one.decision.rulings
            for row in ruling_rows(one.origin, one.decision.rulings)
        ]
        return {
            "stage": str(stage),
            "action": max((one.decision.action for one in seen), default=Action.ALLOW).word,
            "findings": rows[: _fitting([len(canonical(row)) for row in rows[:MAX_FINDINGS]])],
            "findings_total": len(rows),
            "coverage": _coverage(seen),
        }


def _coverage(seen: Sequence[Seen]) -> dict[str, Any]:
    """By detector: which passages were covered how; counts, where they are too many to list."""
    told: dict[str, dict[str, Any]] = {}
    sizes = [(len(one.origin) + 3) * len(one.coverage) for one in seen[:MAX_PASSAGES]]
    listed = _fitting(sizes, COVERAGE_BYTES)
    for one in seen[:listed]:
        for detector, status in one.coverage.items():
            told.setdefault(detector, {}).setdefault(str(status), []).append(one.origin)
    if len(seen) > listed:
        for one in seen:
            for detector, status in one.coverage.items():
                counts = told.setdefault(detector, {}).setdefault("totals", {})
                counts[str(status)] = counts.get(str(status), 0) + 1
    return told


def _fitting(sizes: Sequence[int], most: int = FINDINGS_BYTES) -> int:
    """How many of the first fit into so many bytes."""
    return sum(1 for total in accumulate(sizes) if total <= most)
