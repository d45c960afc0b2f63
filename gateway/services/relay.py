"""The one way of a call, top to bottom. No other path reaches a model, and nothing switches a step off.

It knows no wire and no database: surfaces, providers and the store are handed in behind their ports.
Only here is a GuardedCall made, from the Receipt of a durable intent.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

from opentelemetry.trace import Span

from gateway.core.errors import (
    AuditUnavailable,
    BadRequest,
    HeldUndecided,
    PolicyBlocked,
    UpstreamError,
    UpstreamTimeout,
)
from gateway.core.model import Action, Call, Chunk, Field, GuardedCall, Path, Stage
from gateway.core.policy import Judgement
from gateway.core.ports import Clock, Ledger, Surface
from gateway.core.review import ReviewPart
from gateway.services.account import Account
from gateway.services.closing import UNRECORDED, Closing
from gateway.services.guard import Examination, Guard
from gateway.services.holds import Holds, edited, reply_parts
from gateway.services.inner_gate import InnerGate
from gateway.services.keys import KeyService
from gateway.services.limits import Limits, Room
from gateway.services.models import Model, Models
from gateway.services.policies import PolicySet
from gateway.services.telling import Teller


@dataclass(frozen=True, slots=True)
class Request:
    """What the edge got: the key, the surface that was called, and the body."""

    api_key: str | None
    surface: str
    body: bytes


@dataclass(slots=True)
class Progress:
    """What the edge may tell of a call while it is on its way: headers, and which Call to render by."""

    id: str
    call: Call | None = None
    policy: str | None = None
    action: Action = Action.ALLOW
    review: str | None = None


@dataclass(frozen=True, slots=True)
class Admitted:
    """A call that may go on. `model` is None where the surface asks no model."""

    account: Account
    surface: Surface
    model: Model | None
    room: Room
    span: Span


@dataclass(frozen=True, slots=True)
class Waiting:
    """A person is looking; the client should see a sign of life."""


@dataclass(frozen=True, slots=True)
class Relay:
    surfaces: Mapping[str, Surface]
    keys: KeyService
    policies: PolicySet
    models: Models
    limits: Limits
    guard: Guard
    holds: Holds
    ledger: Ledger
    closing: Closing
    teller: Teller
    clock: Clock

    async def relay(
        self, request: Request, progress: Progress
    ) -> AsyncGenerator[Chunk | Waiting, None]:
        """The guarded reply. However the call ends, it leaves exactly one last record."""
        async with self._admitted(request, progress) as admitted:
            guarded = await self._outer_gate(admitted, progress)
            async with aclosing(self._inner_gate(admitted, guarded, progress)) as reply:
                async for chunk in reply:
                    yield chunk

    async def judge(self, request: Request, progress: Progress) -> Judgement:
        """What is decided on the call's own text, where that is the answer and no model is asked."""
        async with self._admitted(request, progress) as admitted:
            return await self._judgement(admitted, progress)

    # -- who, what, and by which policy

    @asynccontextmanager
    async def _admitted(self, request: Request, progress: Progress) -> AsyncGenerator[Admitted]:
        """A call on its way: whoever leaves this, and however, its last record is written."""
        span = self.teller.begin(request.surface)
        try:
            admitted = await self._admit(request, progress, span)
        except BaseException as error:
            self.teller.refused(span, request.surface, error)
            raise
        with admitted.room:
            try:
                yield admitted
            except BaseException as error:
                await self._end(admitted.account, error)
                raise
            finally:
                self.teller.ended(span, admitted.account)

    async def _admit(self, request: Request, progress: Progress, span: Span) -> Admitted:
        """Identify, parse, match the policy, admit. What fails here has looked at no text."""
        with self.teller.step(span, "identify"):
            caller = await self.keys.identify(request.api_key)
        surface = self.surfaces[request.surface]
        with self.teller.step(span, "parse"):
            call = progress.call = surface.parse(progress.id, request.body)
        with self.teller.step(span, "match"):
            force = self.policies.match(caller.team, call.model, surface.name)
            progress.policy = force.policy.reference
        with self.teller.step(span, "admit"):
            model = None
            if surface.asks_model:
                model = self.models.find(call.model, caller.team, surface.name)
            call = progress.call = surface.admit_extra(call, model.extra if model else {})
            room = self.limits.admit(caller)
        engine, catalogue = (model.alias, model.catalogue) if model else (None, None)
        account = Account(call, caller, force, engine, catalogue, self.clock)
        self.teller.known(span, account)
        return Admitted(account, surface, model, room, span)

    async def _end(self, account: Account, error: BaseException) -> None:
        """The last record of a call that ended early; one that has it already needs no other."""
        if account.recorded:
            return
        account.outcome = _outcome(error)
        try:
            await self.closing.close(account)
        except AuditUnavailable:
            # Whoever left is told nothing; whoever waits is told that it could not be recorded.
            if not isinstance(error, asyncio.CancelledError | GeneratorExit):
                raise

    # -- before inference

    async def _look(self, admitted: Admitted, progress: Progress) -> Examination:
        """Look at all that the call carries, and decide on it."""
        account, call = admitted.account, admitted.account.call
        with self.teller.step(admitted.span, "look_input"):
            examined = await self.guard.examine(
                account.force, call.passages, media=call.media, team=account.caller.team
            )
        stage = call.passages[0].stage if call.passages else Stage.INPUT
        account.seen[stage] = examined.all_seen
        account.mark("look_input")
        progress.action = account.action
        return examined

    async def _judgement(self, admitted: Admitted, progress: Progress) -> Judgement:
        """Look, decide, record; and tell what was decided."""
        account, surface = admitted.account, admitted.surface
        call, policy = account.call, account.force.policy
        examined = await self._look(admitted, progress)
        with self.teller.step(admitted.span, "record_decision"):
            await self.ledger.append(account.decision())
        account.recorded = True
        progress.call = surface.rewrite(call, examined.texts)
        shown = tuple(
            (media.path, one.decision.rulings[0])
            for media, one in zip(call.media, examined.shown, strict=True)
        )
        judged = examined.judged(call.passages)
        return Judgement(policy.reference, account.action, judged, shown)

    async def _outer_gate(self, admitted: Admitted, progress: Progress) -> GuardedCall:
        """Look at the input, decide, refuse or hold or rewrite; then make the intent durable."""
        account, surface = admitted.account, admitted.surface
        call, force = account.call, account.force
        examined = await self._look(admitted, progress)
        if account.action is Action.BLOCK:
            raise PolicyBlocked(force.policy.messages.blocked)
        call = surface.rewrite(call, examined.texts)
        if account.action is Action.HOLD:
            edits = await self._held_input(call, examined, account, progress)
            call = surface.rewrite(call, edits)
        with self.teller.step(admitted.span, "record_intent"):
            receipt = await self.ledger.append(account.intent())
        account.proved = True
        account.mark("record_intent")
        progress.call = call
        return GuardedCall(call, receipt)

    async def _held_input(
        self, call: Call, examined: Examination, account: Account, progress: Progress
    ) -> dict[Path, str]:
        """Wait until a person has decided on the input; what they put in its place, by path."""
        held = {one.origin for one in examined.seen if one.decision.action is Action.HOLD}
        parts = [
            ReviewPart(one.origin, one.role, one.kind, one.text, held=one.origin in held)
            for one in call.passages
        ]
        review = await self.holds.open(account, Stage.INPUT, parts)
        progress.review = review
        async for _ in self.holds.wait(review):
            pass
        account.mark("review")
        policy = account.force.policy
        result = await self.holds.outcome(review, policy.hold.on_timeout)
        if not result.go_on and result.decided:
            raise PolicyBlocked(policy.messages.blocked)
        if not result.go_on:
            raise HeldUndecided(policy.messages.held, review=review)
        edits: dict[Path, str] = {}
        for passage in call.passages:
            if passage.origin in result.edits:
                edits.update(_spread(passage.fields, result.edits[passage.origin]))
        return edits

    # -- inference, and after it

    async def _inner_gate(
        self, admitted: Admitted, guarded: GuardedCall, progress: Progress
    ) -> AsyncGenerator[Chunk | Waiting, None]:
        """Look at the reply as it grows; let go of what is settled; record before the last of it."""
        account, call = admitted.account, guarded.call
        messages = account.force.policy.messages
        gate = InnerGate(self.guard, account.force, account.caller.team, whole=not call.stream)
        async with aclosing(self._complete(admitted, guarded, gate)) as settled:
            async for chunk in settled:
                progress.action = max(progress.action, gate.action)
                yield chunk
        progress.action = account.action
        if gate.blocked:
            account.outcome = "blocked"
            last = gate.cut_short(messages.blocked, call.choices)
        else:
            last = gate.end()
        if gate.held and not gate.blocked:
            async with aclosing(self._held_reply(gate, last, account, progress)) as waiting:
                async for one in waiting:
                    if isinstance(one, Chunk):
                        last = one
                    elif call.stream:
                        yield one
        with self.teller.step(admitted.span, "record_decision"):
            await self.ledger.append(account.decision())
        account.recorded = True
        yield last

    async def _complete(
        self, admitted: Admitted, guarded: GuardedCall, gate: InnerGate
    ) -> AsyncGenerator[Chunk, None]:
        """The model's answer through the gate, until it ends or is blocked."""
        account, model = admitted.account, admitted.model
        assert model is not None, "a surface that asks a model is admitted with one"
        try:
            async with aclosing(model.provider.complete(guarded)) as reply:
                async for chunk in reply:
                    if settled := await gate.take(chunk):
                        yield settled
                    if gate.blocked:
                        return
        finally:
            account.seen[Stage.OUTPUT] = gate.seen()
            account.usage = gate.usage
            account.mark("complete")

    async def _held_reply(
        self, gate: InnerGate, rest: Chunk, account: Account, progress: Progress
    ) -> AsyncGenerator[Chunk | Waiting, None]:
        """Wait until a person has decided on the rest of a reply; last comes what goes out."""
        parts = reply_parts(rest, gate.held, gate.delivered)
        review = await self.holds.open(account, Stage.OUTPUT, parts)
        progress.review = review
        async for _ in self.holds.wait(review):
            yield Waiting()
        account.mark("review")
        policy = account.force.policy
        result = await self.holds.outcome(review, policy.hold.on_timeout)
        if result.go_on:
            yield edited(rest, result.edits)
            return
        account.outcome = "blocked" if result.decided else "expired"
        message = policy.messages.blocked if result.decided else policy.messages.held
        yield gate.cut_short(message, account.call.choices)


def _spread(fields: tuple[Field, ...], text: str) -> dict[Path, str]:
    """A reviewer's text for a passage: into its first Field, the others emptied."""
    return {one.path: text if at == 0 else "" for at, one in enumerate(fields)}


_OUTCOMES: tuple[tuple[type[BaseException], str], ...] = (
    (PolicyBlocked, "blocked"),
    (HeldUndecided, "expired"),
    (BadRequest, "refused"),
    (UpstreamTimeout, "upstream_timeout"),
    (UpstreamError, "upstream_failed"),
    (AuditUnavailable, UNRECORDED),
    (asyncio.CancelledError, "abandoned"),
    (GeneratorExit, "abandoned"),
)


def _outcome(error: BaseException) -> str:
    """How a call that ended so is told in its last record."""
    return next((told for sort, told in _OUTCOMES if isinstance(error, sort)), "failed")
