"""A call that waits for a person: opening the review, waiting on it, and what follows from it.

The text rests sealed in the store and nowhere else. The store is polled: polling is the truth.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass

from gateway.core.model import Action, Chunk, Part, Role, Stage, Text
from gateway.core.ports import Clock, Reviews
from gateway.core.records import canonical
from gateway.core.review import Choice, Review, ReviewPart, ReviewState
from gateway.services.account import Account
from gateway.services.ids import new_id

POLL = 0.25
"""Seconds between two looks at a review."""
TICK = 5.0
"""Seconds between two signs of life to a waiting client."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a review: go on (with these edits, by part path), or stop. `decided` by a person."""

    go_on: bool
    decided: bool
    edits: Mapping[str, str]


class Holds:
    """`secret` keys the commitment to the text shown."""

    def __init__(self, reviews: Reviews, secret: bytes, clock: Clock) -> None:
        self._reviews = reviews
        self._secret = secret
        self._clock = clock

    async def open(self, account: Account, stage: Stage, parts: Sequence[ReviewPart]) -> str:
        """Store the review with its text sealed and its record, at once. The review's id."""
        policy = account.force.policy
        rulings = [
            ruling
            for seen in account.seen.get(stage, ())
            for ruling in seen.decision.rulings
            if ruling.action is Action.HOLD
        ]
        shown = canonical([[part.path, part.text, part.delivered] for part in parts])
        review = Review(
            id=new_id("rev"),
            call=account.call.id,
            stage=stage,
            queue=policy.hold.queue,
            policy=policy.reference,
            rules=tuple(dict.fromkeys(ruling.rule for ruling in rulings)),
            labels=tuple(dict.fromkeys(ruling.finding.label for ruling in rulings)),
            commitment=hmac.digest(self._secret, shown, "sha256").hex(),
        )
        await self._reviews.open(review, policy.hold.wait, parts, account.held(review))
        account.proved = True
        return review.id

    async def wait(self, review_id: str) -> AsyncGenerator[None, None]:
        """Yield at once and then every few seconds, until the review is no longer open."""
        ticked = float("-inf")
        while (await self._reviews.get(review_id)).state is ReviewState.OPEN:
            if self._clock.monotonic() - ticked >= TICK:
                ticked = self._clock.monotonic()
                yield
            await asyncio.sleep(POLL)

    async def outcome(self, review_id: str, on_timeout: Action) -> Outcome:
        """What was decided; where nobody did, what the policy says."""
        verdict = await self._reviews.verdict(review_id)
        if verdict is None:
            return Outcome(on_timeout < Action.HOLD, decided=False, edits={})
        return Outcome(verdict.choice is not Choice.BLOCK, decided=True, edits=dict(verdict.edits))


def reply_parts(
    chunk: Chunk, held: set[str], delivered: Mapping[str, str]
) -> tuple[ReviewPart, ...]:
    """The texts of what is left of a reply, as a reviewer sees them: one part for each field."""
    texts: dict[str, list[Text]] = {}
    for part in chunk.parts:
        if isinstance(part, Text):
            texts.setdefault(_origin(part), []).append(part)
    return tuple(
        ReviewPart(
            path=origin,
            role=Role.ASSISTANT,
            kind=own[0].kind,
            text="".join(one.text for one in own),
            held=origin in held,
            delivered=delivered.get(origin, ""),
        )
        for origin, own in texts.items()
    )


def edited(chunk: Chunk, edits: Mapping[str, str]) -> Chunk:
    """The rest of a reply with a reviewer's text in the place of the fields that they edited."""
    parts: list[Part] = []
    done: set[str] = set()
    for part in chunk.parts:
        if not isinstance(part, Text) or _origin(part) not in edits:
            parts.append(part)
        elif _origin(part) not in done:
            done.add(_origin(part))
            parts.append(Text(part.choice, part.slot, part.kind, edits[_origin(part)]))
    return Chunk(tuple(parts), chunk.envelope)


def _origin(part: Text) -> str:
    return f"choices.{part.choice}.{part.slot}"
