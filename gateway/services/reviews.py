"""What a person does with a held call: look at it and decide, once. Each decision is a record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.core.errors import ReviewConflict
from gateway.core.ports import Clock, Entry, Reviews
from gateway.core.records import Record, timestamp
from gateway.core.review import Choice, Review, ReviewPart, ReviewState, Verdict
from gateway.services.ids import new_id


@dataclass(frozen=True, slots=True)
class ReviewDesk:
    reviews: Reviews
    clock: Clock

    async def list(self, state: ReviewState | None = None) -> Sequence[Review]:
        """Reviews in this state, or all."""
        return await self.reviews.list(state)

    async def show(self, review_id: str) -> tuple[Review, tuple[ReviewPart, ...]]:
        """A review with its text. Raise ReviewNotFound."""
        return await self.reviews.get(review_id), await self.reviews.parts(review_id)

    async def approve(self, review_id: str, by: str) -> Review:
        """Let it go as it stands."""
        return await self._decide(review_id, Verdict(Choice.APPROVE, by))

    async def block(self, review_id: str, by: str, reason: str) -> Review:
        return await self._decide(review_id, Verdict(Choice.BLOCK, by, reason))

    async def edit(self, review_id: str, by: str, text: str, path: str | None = None) -> Review:
        """Let `text` go in the place of one part: `path`, or the only one that is held."""
        parts = await self.reviews.parts(review_id)
        held = [part.path for part in parts if part.held]
        chosen = path or (held[0] if len(held) == 1 else None)
        if chosen is None or chosen not in {part.path for part in parts}:
            listed = ", ".join(part.path for part in parts)
            raise ReviewConflict(f"Say which part to edit; this review has: {listed}.")
        return await self._decide(review_id, Verdict(Choice.EDIT, by, edits=((chosen, text),)))

    async def _decide(self, review_id: str, verdict: Verdict) -> Review:
        review = await self.reviews.get(review_id)
        # The reason is a person's own words and may quote the text: it rests sealed, not in the log.
        detail = {
            "review": review_id,
            "choice": str(verdict.choice),
            "by": verdict.by,
            "commitment": review.commitment,
            "edited": [path for path, _ in verdict.edits],
        }
        ts = timestamp(self.clock.now())
        record = Record(new_id("rec"), "review.decided", review.call, ts, review.policy, detail)
        return await self.reviews.decide(review_id, verdict, Entry(record))
