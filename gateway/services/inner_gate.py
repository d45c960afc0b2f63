"""The gate after inference: looks at a reply as it grows, and says what of it may leave.

Windows are decided one after another in the order they settle, so what leaves does not depend on how
the reply was cut into chunks. Text of a choice that finished, its finish, vectors, ranks and usage
wait for `end`.
It knows no wire and writes no record.
"""

from __future__ import annotations

from collections.abc import Iterator

from gateway.core.model import Action, Chunk, Finished, Kind, Opened, Part, Stage, Text, Usage
from gateway.core.policy import decide, tool_rulings
from gateway.core.ports import InForce
from gateway.core.strand import Due
from gateway.services.guard import Guard, Seen, coverage, placed, spans
from gateway.services.looking import Ask, Looked
from gateway.services.reply import Reply, Slot, Step


class InnerGate:
    """One reply's. `take` each chunk, then `end`; `blocked` and `held` say why to stop or wait.

    Of a reply that is asked for `whole`, nothing leaves before `end`.
    """

    def __init__(self, guard: Guard, force: InForce, team: str, *, whole: bool) -> None:
        self._whole = whole
        self._guard = guard
        self._force = force
        self._team = team
        self._reply = Reply(guard, force)
        self._out: list[Part] = []
        self._rest: list[Part] = []
        self._delivered: dict[str, list[str]] = {}
        self._keep_delivered = not whole and any(
            rule.action is Action.HOLD and Stage.OUTPUT in rule.stages
            for rule in force.policy.rules
        )
        self.blocked = False
        self.held: set[str] = set()
        self.action = Action.ALLOW
        self._silent = True

    @property
    def usage(self) -> Usage | None:
        """What the engine counted, if it has told yet."""
        return self._reply.usage

    async def take(self, chunk: Chunk) -> Chunk | None:
        """Look at what came; the chunk that may leave now, if any."""
        steps = self._reply.steps(chunk)
        asks = [
            Ask(step.slot.detectors[step.due.detector], step.due.window)
            for step in steps
            if step.slot and step.due and step.due.window
        ]
        looked = iter(await self._guard.lookout.look(self._team, asks))
        for step in steps:
            if self.blocked:
                break
            self._do(step, looked)
        if not self.blocked:
            self._release()
        return self._leave()

    # -- deciding

    def _do(self, step: Step, looked: Iterator[Looked]) -> None:
        if step.finished:
            self._release()
            for slot in self._reply.slots:
                slot.finished |= slot.choice == step.finished.choice
        elif step.slot and step.called:
            self._decide_call(step.slot)
        elif step.slot and step.due:
            self._decide_window(step.slot, step.due, looked)

    def _decide_window(self, slot: Slot, due: Due, looked: Iterator[Looked]) -> None:
        if due.window is None:
            slot.strand.decide(due, ())
            return
        answer = next(looked)
        slot.told.add((slot.detectors[due.detector].name, answer.coverage))
        if not answer.findings:
            slot.strand.decide(due, ())
            return
        decision = decide(self._force.policy.rules, slot.passage, answer.findings)
        slot.rulings.add(placed(decision.rulings, slot.strand))
        self._stop(slot, decision.action)
        if not self.blocked:
            slot.strand.decide(due, spans(decision.rulings))

    def _decide_call(self, slot: Slot) -> None:
        """The tool's name is whole: rules on tools speak before anything of the call leaves."""
        rulings = tool_rulings(self._force.policy.rules, slot.passage)
        slot.rulings.add(rulings)
        self._stop(slot, max((one.action for one in rulings), default=Action.ALLOW))
        slot.cleared = not self.blocked

    def _stop(self, slot: Slot, action: Action) -> None:
        """A block or a hold stops the reply at the frontier reached before it."""
        self.action = max(self.action, action)
        if action is Action.BLOCK:
            self._release()
            self.blocked = True
        elif action is Action.HOLD:
            if not self.held:
                self._release()
            self.held.add(slot.origin)

    # -- downstream

    def _release(self, *, final: bool = False) -> None:
        """Move what may leave to the way out, or to the rest that a person has to see."""
        out = self._rest if self.held else self._out
        for slot in self._reply.slots:
            if not slot.cleared or (slot.finished and not final):
                continue
            released = slot.strand.release()
            if released is None or not (text := released.rewritten):
                continue
            out.extend(self._reply.take_openings(slot))
            out.append(Text(slot.choice, slot.slot, slot.kind, text))
            if self._keep_delivered and not self.held:
                self._delivered.setdefault(slot.origin, []).append(text)

    def _leave(self) -> Chunk | None:
        if self._whole or not self._out:
            return None
        parts, self._out = tuple(self._out), []
        self._silent = False
        return Chunk(parts, self._reply.envelope)

    def end(self) -> Chunk:
        """The reply is at its end: what waited for it. Raise UpstreamBroken when it is not whole."""
        self._reply.check_whole()
        self._release(final=True)
        tail: list[Part] = [
            *self._reply.opened.values(),
            *self._reply.numbers,
            *self._reply.finished.values(),
        ]
        if self.usage:
            tail.append(self.usage)
        parts = (*self._out, *self._rest, *tail)
        return Chunk(parts, self._reply.envelope)

    def cut_short(self, message: str, choices: int) -> Chunk:
        """What ends a blocked reply: the policy's message where nothing has left yet."""
        if self._silent:
            ends = stand_in(message, "content_filter", choices)
        else:
            known = {slot.choice for slot in self._reply.slots}
            ends = tuple(
                Finished(choice, "content_filter") for choice in sorted(known | {*range(choices)})
            )
        # The engine never tells what a cut reply took: its pieces so far are what is known.
        usage = self.usage or Usage(0, self._reply.pieces)
        return Chunk((*ends, usage), self._reply.envelope)

    # -- what the records and the reviewer need

    def seen(self) -> tuple[Seen, ...]:
        return tuple(
            Seen(
                slot.origin,
                slot.rulings.decision,
                coverage(self._force.detectors, slot.looked_by, slot.told),
            )
            for slot in self._reply.slots
        )

    @property
    def delivered(self) -> dict[str, str]:
        """What of each field the client has had already; kept only where a hold is possible."""
        return {origin: "".join(texts) for origin, texts in self._delivered.items()}


def stand_in(message: str, reason: str, choices: int) -> tuple[Part, ...]:
    """The operator's own words in the place of an answer."""
    return tuple(
        part
        for choice in range(choices)
        for part in (
            Opened(choice),
            Text(choice, "content", Kind.TEXT, message),
            Finished(choice, reason),
        )
    )
