"""The gate after inference: looks at a reply as it grows, and says what of it may leave.

Windows are decided one after another in the order they settle, so what leaves does not depend on how
the reply was cut into chunks. Text of a choice that finished, its finish and usage wait for `end`.
It knows no wire and writes no record.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from gateway.core.errors import UpstreamBroken, UpstreamFailed
from gateway.core.model import (
    Action,
    Chunk,
    Field,
    Finished,
    Form,
    Kind,
    Opened,
    Part,
    Passage,
    Role,
    Stage,
    Text,
    ToolOpened,
    Usage,
)
from gateway.core.policy import decide, tool_rulings
from gateway.core.ports import Detector, InForce
from gateway.core.strand import Due, Strand
from gateway.services.guard import Guard, Rulings, Seen, coverage, placed, spans
from gateway.services.looking import Ask, Coverage, Looked


@dataclass(slots=True)
class _Slot:
    """One (choice, field) of the reply."""

    choice: int
    slot: str
    kind: Kind
    strand: Strand
    detectors: tuple[Detector, ...]
    passage: Passage
    rulings: Rulings = field(default_factory=Rulings)
    told: list[tuple[str, Coverage]] = field(default_factory=list[tuple[str, Coverage]])
    finished: bool = False
    name: str = ""
    """What has come of a tool's name."""
    cleared: bool = True
    """A tool's name leaves whole, once the rules on tools have spoken."""

    @property
    def looked_by(self) -> tuple[Detector, ...]:
        """The detectors that have missed nothing: one that saw no window of some text has not run."""
        told = {name for name, _ in self.told}
        return tuple(one for one in self.detectors if not self.strand.length or one.name in told)

    @property
    def origin(self) -> str:
        return f"choices.{self.choice}.{self.slot}"


@dataclass(frozen=True, slots=True)
class _Step:
    """Something to do in upstream order, once the windows of a chunk have been looked at."""

    slot: _Slot | None = None
    due: Due | None = None
    called: bool = False
    finished: Finished | None = None


class InnerGate:
    """One reply's. `take` each chunk, then `end`; `blocked` and `held` say why to stop or wait.

    Of a reply that is asked for `whole`, nothing leaves before `end`.
    """

    def __init__(self, guard: Guard, force: InForce, team: str, *, whole: bool) -> None:
        self._whole = whole
        self._guard = guard
        self._force = force
        self._team = team
        self._slots: dict[tuple[int, str], _Slot] = {}
        self._begun: set[tuple[int, int | None]] = set()
        self._opened: dict[int, Opened] = {}
        self._tools: dict[tuple[int, str], ToolOpened] = {}
        self._finished: dict[int, Finished] = {}
        self._out: list[Part] = []
        self._rest: list[Part] = []
        self._delivered: dict[str, list[str]] = {}
        self._keep_delivered = not whole and any(
            rule.action is Action.HOLD and Stage.OUTPUT in rule.stages
            for rule in force.policy.rules
        )
        self.envelope = Chunk(()).envelope
        self.usage: Usage | None = None
        self.pieces = 0
        self.blocked = False
        self.held: set[str] = set()
        self.action = Action.ALLOW
        self._silent = True

    # -- upstream to steps

    async def take(self, chunk: Chunk) -> Chunk | None:
        """Look at what came; the chunk that may leave now, if any."""
        if chunk.envelope and not self.envelope:
            self.envelope = chunk.envelope
        self.pieces += sum(type(part) is Text for part in chunk.parts)
        steps = [step for part in _joined(chunk.parts) for step in self._steps(part)]
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

    def _steps(self, part: Part) -> Iterator[_Step]:
        match part:
            case Text():
                yield from self._text_steps(part)
            case Opened() | ToolOpened():
                self._open(part)
            case Finished():
                if part.choice in self._finished:
                    return
                self._finished[part.choice] = part
                yield _Step(finished=part)
                own = [slot for slot in self._slots.values() if slot.choice == part.choice]
                names = [slot for slot in own if _is_name(slot) and not slot.strand.ended]
                yield from _in_order([(slot, due) for slot in own for due in _end(slot)])
                yield from (_Step(slot, called=True) for slot in names)
            case Usage():
                self.usage = part

    def _open(self, part: Opened | ToolOpened) -> None:
        """Once: some engines say it again with every event."""
        key = (part.choice, part.index if isinstance(part, ToolOpened) else None)
        if key in self._begun:
            return
        self._begun.add(key)
        if isinstance(part, Opened):
            self._opened[part.choice] = part
        else:
            self._tools[part.choice, f"tool_calls.{part.index}.name"] = part

    def _text_steps(self, part: Text) -> Iterator[_Step]:
        if part.choice in self._finished:
            raise UpstreamFailed("The model server went on with a choice that it had finished.")
        if part.kind is Kind.TOOL_ARGUMENTS:
            name = self._slots.get((part.choice, _name_slot(part.slot)))
            if name is None:
                # They would leave before the rules on tools could speak.
                raise UpstreamFailed("The model server gave a tool's arguments without its name.")
            if not name.strand.ended:
                yield from _in_order([(name, due) for due in _end(name)])
                yield _Step(name, called=True)
        slot = self._slot(part)
        if slot.strand.ended:
            raise UpstreamFailed("The model server went on with a tool's name after its arguments.")
        if part.kind is Kind.TOOL_NAME:
            slot.name += part.text
        slot.strand.feed(part.text)
        yield from _in_order([(slot, due) for due in slot.strand.due()])

    def _slot(self, part: Text) -> _Slot:
        key = (part.choice, part.slot)
        known = self._slots.get(key)
        if known:
            return known
        tool: str | None = None
        form = Form.PLAIN
        if part.kind is Kind.TOOL_ARGUMENTS:
            form = Form.JSON_TEXT
            named = self._slots.get((part.choice, _name_slot(part.slot)))
            tool = named.name if named else None
        path = ("choices", part.choice, part.slot)
        about = Field(path, "", Role.ASSISTANT, part.kind, form, tool)
        detectors = self._guard.watchers(self._force, Stage.OUTPUT, Role.ASSISTANT, part.kind)
        strand = Strand(form, [one.reach for one in detectors], self._guard.secret)
        passage = Passage(Stage.OUTPUT, (about,))
        slot = _Slot(part.choice, part.slot, part.kind, strand, detectors, passage)
        slot.cleared = part.kind is not Kind.TOOL_NAME
        self._slots[key] = slot
        return slot

    # -- deciding

    def _do(self, step: _Step, looked: Iterator[Looked]) -> None:
        if step.finished:
            self._release()
            for slot in self._slots.values():
                slot.finished |= slot.choice == step.finished.choice
        elif step.slot and step.called:
            self._decide_call(step.slot)
        elif step.slot and step.due:
            self._decide_window(step.slot, step.due, looked)

    def _decide_window(self, slot: _Slot, due: Due, looked: Iterator[Looked]) -> None:
        if due.window is None:
            slot.strand.decide(due, ())
            return
        answer = next(looked)
        slot.told.append((slot.detectors[due.detector].name, answer.coverage))
        if not answer.findings:
            slot.strand.decide(due, ())
            return
        decision = decide(self._force.policy.rules, slot.passage, answer.findings)
        slot.rulings.add(placed(decision.rulings, slot.strand))
        self._stop(slot, decision.action)
        if not self.blocked:
            slot.strand.decide(due, spans(decision.rulings))

    def _decide_call(self, slot: _Slot) -> None:
        """The tool's name is whole: rules on tools speak before anything of the call leaves."""
        about = Field(
            ("choices", slot.choice, slot.slot),
            slot.name,
            Role.ASSISTANT,
            slot.kind,
            tool=slot.name,
        )
        rulings = tool_rulings(self._force.policy.rules, Passage(Stage.OUTPUT, (about,)))
        slot.rulings.add(rulings)
        self._stop(slot, max((one.action for one in rulings), default=Action.ALLOW))
        slot.cleared = not self.blocked

    def _stop(self, slot: _Slot, action: Action) -> None:
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
        for slot in self._slots.values():
            if not slot.cleared or (slot.finished and not final):
                continue
            released = slot.strand.release()
            if released is None or not (text := released.rewritten):
                continue
            if slot.choice in self._opened:
                out.append(self._opened.pop(slot.choice))
            if tool := self._tools.pop((slot.choice, _name_slot(slot.slot)), None):
                out.append(tool)
            out.append(Text(slot.choice, slot.slot, slot.kind, text))
            if self._keep_delivered and not self.held:
                self._delivered.setdefault(slot.origin, []).append(text)

    def _leave(self) -> Chunk | None:
        if self._whole or not self._out:
            return None
        parts, self._out = tuple(self._out), []
        self._silent = False
        return Chunk(parts, self.envelope)

    def end(self) -> Chunk:
        """The reply is at its end: what waited for it. Raise UpstreamBroken when it is not whole."""
        if not self._finished or any(
            choice not in self._finished
            for choice in {*self._opened, *(slot.choice for slot in self._slots.values())}
        ):
            raise UpstreamBroken("The model server ended its answer without finishing it.")
        self._release(final=True)
        tail: list[Part] = [*self._opened.values(), *self._finished.values()]
        if self.usage:
            tail.append(self.usage)
        parts = (*self._out, *self._rest, *tail)
        return Chunk(parts, self.envelope)

    def cut_short(self, message: str, choices: int) -> Chunk:
        """What ends a blocked reply: the policy's message where nothing has left yet."""
        if self._silent:
            ends = stand_in(message, "content_filter", choices)
        else:
            known = {slot.choice for slot in self._slots.values()}
            ends = tuple(
                Finished(choice, "content_filter") for choice in sorted(known | {*range(choices)})
            )
        # The engine never tells what a cut reply took: its pieces so far are what is known.
        usage = self.usage or Usage(0, self.pieces)
        return Chunk((*ends, usage), self.envelope)

    # -- what the records and the reviewer need

    def seen(self) -> tuple[Seen, ...]:
        return tuple(
            Seen(
                slot.origin,
                slot.rulings.decision,
                coverage(self._force.detectors, slot.looked_by, slot.told),
            )
            for slot in self._slots.values()
        )

    @property
    def delivered(self) -> dict[str, str]:
        """What of each field the client has had already; kept only where a hold is possible."""
        return {origin: "".join(texts) for origin, texts in self._delivered.items()}


def _joined(parts: Sequence[Part]) -> Iterator[Part]:
    """Texts of one field that follow each other, as one: how they were cut decides nothing."""
    first: Text | None = None
    texts: list[str] = []
    for part in parts:
        if type(part) is Text:
            if first and (part.slot, part.choice) == (first.slot, first.choice):
                texts.append(part.text)
                continue
            if first:
                yield _all_of(first, texts)
            first, texts = part, [part.text]
            continue
        if first:
            yield _all_of(first, texts)
            first = None
        yield part
    if first:
        yield _all_of(first, texts)


def _all_of(first: Text, texts: list[str]) -> Text:
    if len(texts) == 1:
        return first
    return Text(first.choice, first.slot, first.kind, "".join(texts))


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


def _end(slot: _Slot) -> list[Due]:
    slot.strand.end()
    return slot.strand.due()


def _in_order(dues: Sequence[tuple[_Slot, Due]]) -> Iterator[_Step]:
    """Windows in the order they settle; at the end of a choice all settle at once, so where they end."""
    ordered = sorted(dues, key=lambda one: one[1].order) if len(dues) > 1 else dues
    return (_Step(slot, due) for slot, due in ordered)


def _is_name(slot: _Slot) -> bool:
    return slot.kind is Kind.TOOL_NAME


def _name_slot(slot: str) -> str:
    """The slot of the name of the tool call that a slot belongs to."""
    return slot.removesuffix(".arguments").removesuffix(".name") + ".name"
