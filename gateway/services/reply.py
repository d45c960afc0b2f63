"""A model's reply as it comes: its choices and fields, and what there is to do about each part.

It plans in upstream order, so that a window is decided where its last code point came, whatever the
chunks were. It looks at nothing, decides nothing and lets nothing go: the inner gate does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from gateway.core.errors import UpstreamBroken, UpstreamFailed
from gateway.core.model import (
    NOTHING,
    Chunk,
    Field,
    Finished,
    Form,
    Kind,
    Opened,
    Part,
    Passage,
    Rank,
    Role,
    Stage,
    Text,
    ToolOpened,
    Usage,
    Vector,
)
from gateway.core.ports import Detector, InForce
from gateway.core.strand import Due, Strand
from gateway.services.guard import Guard, Rulings
from gateway.services.looking import Coverage


@dataclass(slots=True)
class Slot:
    """One (choice, field) of the reply."""

    choice: int
    slot: str
    kind: Kind
    strand: Strand
    detectors: tuple[Detector, ...]
    passage: Passage
    rulings: Rulings = field(default_factory=Rulings)
    told: set[tuple[str, Coverage]] = field(default_factory=set[tuple[str, Coverage]])
    """How detectors looked, each way once: a stream has windows without end."""
    finished: bool = False
    name: str = ""
    """What has come of a tool's name."""
    cleared: bool = True
    """A tool's name leaves whole, once the rules on tools have spoken."""
    shown: bool = False
    """The client knows that there is such a field."""

    @property
    def looked_by(self) -> tuple[Detector, ...]:
        """The detectors that have missed nothing: one that saw no window of some text has not run."""
        told = {name for name, _ in self.told}
        return tuple(one for one in self.detectors if self.strand.blank or one.name in told)

    @property
    def origin(self) -> str:
        return f"choices.{self.choice}.{self.slot}"


@dataclass(frozen=True, slots=True)
class Step:
    """Something to do in upstream order, once the windows of a chunk have been looked at."""

    slot: Slot | None = None
    due: Due | None = None
    called: bool = False
    finished: Finished | None = None


class Reply:
    """One reply's: `steps` of each chunk, then `check_whole`."""

    def __init__(self, guard: Guard, force: InForce) -> None:
        self._guard = guard
        self._force = force
        self._slots: dict[tuple[int, str], Slot] = {}
        self._begun: set[tuple[int, int | None]] = set()
        self.opened: dict[int, Opened] = {}
        """Choices that have begun and of which nothing has left."""
        self._tools: dict[tuple[int, str], ToolOpened] = {}
        self.finished: dict[int, Finished] = {}
        self.envelope: Mapping[str, object] = NOTHING
        self.usage: Usage | None = None
        self.numbers: list[Vector | Rank] = []
        """Vectors and ranks, in the order in which they came: no text, so nobody looks at them."""
        self.pieces = 0
        """Texts that have come, as the engine cut them."""

    @property
    def slots(self) -> Sequence[Slot]:
        """Every field so far, in the order in which they began."""
        return tuple(self._slots.values())

    def steps(self, chunk: Chunk) -> list[Step]:
        """What to do about this much more. Raise UpstreamFailed where it contradicts what came."""
        if chunk.envelope and not self.envelope:
            self.envelope = chunk.envelope
        self.pieces += sum(type(part) is Text for part in chunk.parts)
        return [step for part in _joined(chunk.parts) for step in self._steps(part)]

    def take_openings(self, slot: Slot) -> list[Part]:
        """What has to leave before the first text of a field does; given once.

        A field that began earlier opens first, with no text, though its own may leave later: clients
        show fields, and run tools, in the order in which they open.
        """
        openings: list[Part] = []
        if slot.shown:
            return openings
        if slot.choice in self.opened:
            openings.append(self.opened.pop(slot.choice))
        for one in self._slots.values():
            if one.choice != slot.choice or one.shown or (_is_name(one) and one is not slot):
                continue
            one.shown = True
            if tool := self._tools.pop((one.choice, _name_slot(one.slot)), None):
                openings.append(tool)
            if one is slot:
                break
            openings.append(Text(one.choice, one.slot, one.kind, ""))
        return openings

    def check_whole(self) -> None:
        """Raise UpstreamBroken unless there is an answer and every choice of it has finished."""
        choices = {*self.opened, *(slot.choice for slot in self._slots.values())}
        if not self.finished or choices - self.finished.keys():
            raise UpstreamBroken("The model server ended its answer without finishing it.")

    def _steps(self, part: Part) -> Iterator[Step]:
        match part:
            case Text():
                yield from self._text_steps(part)
            case Opened() | ToolOpened():
                self._open(part)
            case Finished():
                if part.choice in self.finished:
                    return
                self.finished[part.choice] = part
                yield Step(finished=part)
                own = [slot for slot in self._slots.values() if slot.choice == part.choice]
                names = [slot for slot in own if _is_name(slot) and not slot.strand.ended]
                yield from _in_order([(slot, due) for slot in own for due in _end(slot)])
                yield from (Step(slot, called=True) for slot in names)
            case Usage():
                self.usage = part
            case Vector() | Rank():
                self.numbers.append(part)

    def _open(self, part: Opened | ToolOpened) -> None:
        """Once: some engines say it again with every event."""
        key = (part.choice, part.index if isinstance(part, ToolOpened) else None)
        if key in self._begun:
            return
        self._begun.add(key)
        if isinstance(part, Opened):
            self.opened[part.choice] = part
        else:
            self._tools[part.choice, f"tool_calls.{part.index}.name"] = part

    def _text_steps(self, part: Text) -> Iterator[Step]:
        if part.choice in self.finished:
            raise UpstreamFailed("The model server went on with a choice that it had finished.")
        if part.kind is Kind.TOOL_ARGUMENTS:
            name = self._slots.get((part.choice, _name_slot(part.slot)))
            if name is None:
                # They would leave before the rules on tools could speak.
                raise UpstreamFailed("The model server gave a tool's arguments without its name.")
            if not name.strand.ended:
                yield from _in_order([(name, due) for due in _end(name)])
                yield Step(name, called=True)
        slot = self._slot(part)
        if slot.strand.ended:
            raise UpstreamFailed("The model server went on with a tool's name after its arguments.")
        if part.kind is Kind.TOOL_NAME:
            slot.name += part.text
        slot.strand.feed(part.text)
        yield from _in_order([(slot, due) for due in slot.strand.due()])

    def _slot(self, part: Text) -> Slot:
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
        self._open(Opened(part.choice))
        path = ("choices", part.choice, part.slot)
        about = Field(path, "", Role.ASSISTANT, part.kind, form, tool)
        detectors = self._guard.watchers(self._force, Stage.OUTPUT, Role.ASSISTANT, part.kind)
        strand = Strand(form, [one.reach for one in detectors], self._guard.secret)
        passage = Passage(Stage.OUTPUT, (about,))
        slot = Slot(part.choice, part.slot, part.kind, strand, detectors, passage)
        slot.cleared = part.kind is not Kind.TOOL_NAME
        self._slots[key] = slot
        return slot


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


def _end(slot: Slot) -> list[Due]:
    if _is_name(slot):
        [about] = slot.passage.fields
        whole = replace(about, text=slot.name, tool=slot.name)
        slot.passage = Passage(Stage.OUTPUT, (whole,))
    slot.strand.end()
    return slot.strand.due()


def _in_order(dues: Sequence[tuple[Slot, Due]]) -> Iterator[Step]:
    """Windows in the order they settle; at the end of a choice all settle at once, so where they end."""
    ordered = sorted(dues, key=lambda one: one[1].order) if len(dues) > 1 else dues
    return (Step(slot, due) for slot, due in ordered)


def _is_name(slot: Slot) -> bool:
    return slot.kind is Kind.TOOL_NAME


def _name_slot(slot: str) -> str:
    """The slot of the name of the tool call that a slot belongs to."""
    return slot.removesuffix(".arguments").removesuffix(".name") + ".name"
