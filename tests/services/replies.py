"""Replies drawn at random, cut into chunks in any way, and what an inner gate lets out of each."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from random import Random

from hypothesis import strategies as st

from gateway.core.model import (
    Action,
    Chunk,
    Finished,
    Kind,
    Opened,
    Part,
    Text,
    ToolOpened,
    Usage,
    Window,
)
from gateway.core.policy import Ruling
from gateway.core.ports import InForce, Reach
from gateway.core.redact import Hash, Mask, Remove, Replace
from gateway.services.inner_gate import InnerGate
from tests.factories import BLOCKED, TEAM, make_force, make_guard, make_rule
from tests.fakes import Look, ScriptedDetector, finds

NAME, ARGUMENTS = "tool_calls.0.name", "tool_calls.0.arguments"
SLOTS = {
    "content": Kind.TEXT,
    "reasoning_content": Kind.REASONING,
    NAME: Kind.TOOL_NAME,
    ARGUMENTS: Kind.TOOL_ARGUMENTS,
}
WORDS = (
    *("a@b", "bob@", "@", "12345", "7", "x", "xxxxxxxxxx", "halt", "ab", "a", " ", "\n", "e\u0301"),
    *("and so on ", "then ", "all is well ", "all is well ", "e\u0301 to be or not "),
    *('{"to": "', '"}', ",", "\\u00e9", "\\", "[1, 2", "]"),
)


def by_whole_window(label: str) -> Look:
    """Spans that hang on every character of a window: a model that must see windows alike."""

    def look(window: Window) -> Sequence[tuple[str, int, int]]:
        told = zlib.crc32(window.text.encode())
        start = told % (len(window.text) or 1)
        return [(label, start, start + 1 + (told >> 8) % 7)] if told % 5 == 0 else []

    return look


EDITED = (
    ScriptedDetector("mail", finds(r"\w+@\w+", "pii.mail"), ("pii.mail",), Reach(3, 7, 5, 4)),
    ScriptedDetector("digit", finds(r"\d{2,9}", "pii.digit"), ("pii.digit",), Reach(6, 11, 8, 9)),
    ScriptedDetector("x", finds(r"x", "keyword.x"), ("keyword.x",), Reach(1, 3, 0, 0)),
    ScriptedDetector("odd", by_whole_window("topic.odd"), ("topic.odd",), Reach(4, 9, 3, 5)),
)
STOPPED = (
    ScriptedDetector("halt", finds(r"halt", "keyword.halt"), ("keyword.halt",), Reach(2, 8, 4, 4)),
    ScriptedDetector("word", finds(r"ab\b|a@b", "topic.ab"), ("topic.ab",), Reach(5, 12, 2, 6)),
)
"""What they find is rarer, so that something has left a reply before it is stopped."""
OPERATORS = (Replace(), Mask(1), Hash(), Remove())


def drawn_force(random: Random) -> InForce:
    """Some of the detectors, and rules on their labels and on tools, of any strictness."""
    edited = random.sample(EDITED, random.randint(0, 3))
    stopped = random.sample(STOPPED, random.randint(0, 2))
    rules = [
        make_rule(
            one.emits[0], random.choice(["redact", "flag"]), operator=random.choice(OPERATORS)
        )
        for one in edited
    ]
    rules += [make_rule(one.emits[0], random.choice(["hold", "block"])) for one in stopped]
    if random.random() < 0.5:
        action = random.choice(["flag", "hold", "block"])
        rules.append(make_rule(None, action, tools=("a*",)))
    detectors = [*edited, *stopped]
    return make_force(*rules, detectors=random.sample(detectors, len(detectors)))


def drawn_reply(random: Random) -> list[Part]:
    """One or two choices, their slots in any order, each choice finished anywhere."""
    choices, length = random.randint(1, 2), random.randint(0, 10)
    ends = [random.randint(length // 2, length) for _ in range(choices)]
    parts: list[Part] = [Opened(choice) for choice in range(choices)]
    named: dict[int, str] = {}
    for at in range(length + 1):
        parts += [Finished(choice, "stop") for choice, end in enumerate(ends) if end == at]
        choice, slot = random.randrange(choices), random.choice(list(SLOTS))
        if at < ends[choice]:
            text = "".join(random.choices(WORDS, k=random.randint(1, 8)))
            parts += _said(named, choice, slot, text)
    return [*parts, Usage(3, 4)]


# Drawn from a seed rather than part by part: Hypothesis likes replies too short to be stopped midway.
forces = st.builds(drawn_force, st.randoms(use_true_random=True))
replies = st.builds(drawn_reply, st.randoms(use_true_random=True))


def _said(named: dict[int, str], choice: int, slot: str, text: str) -> Iterable[Part]:
    """A tool is opened and named before its arguments, and not named after them."""
    if slot.startswith("tool_calls"):
        if choice not in named:
            yield ToolOpened(choice, 0, "call_0")
            slot = NAME
        elif named[choice] == ARGUMENTS:
            slot = ARGUMENTS
        named[choice] = slot
    yield Text(choice, slot, SLOTS[slot], text)


def cut_up(parts: Iterable[Part], size: int) -> list[Part]:
    """The same reply with every text cut into texts of at most `size` characters."""
    cut: list[Part] = []
    for part in parts:
        if isinstance(part, Text):
            cut += [
                Text(part.choice, part.slot, part.kind, part.text[at : at + size])
                for at in range(0, len(part.text), size)
            ]
        else:
            cut.append(part)
    return cut


def chunked(parts: Sequence[Part], sizes: Sequence[int]) -> list[Chunk]:
    """Chunks of these many parts each; what is left comes last."""
    chunks: list[Chunk] = []
    at = 0
    for size in sizes:
        chunks.append(Chunk(tuple(parts[at : at + size])))
        at += size
    return [*chunks, Chunk(tuple(parts[at:]))]


def singly(parts: Sequence[Part]) -> list[Chunk]:
    return chunked(parts, [1] * len(parts))


@dataclass
class Passed:
    """What came out of a gate: texts by (choice, slot), before its end and in it; and why."""

    early: dict[tuple[int, str], str] = field(default_factory=dict[tuple[int, str], str])
    late: dict[tuple[int, str], str] = field(default_factory=dict[tuple[int, str], str])
    reasons: dict[int, str] = field(default_factory=dict[int, str])
    opened: list[Part] = field(default_factory=list[Part])
    rulings: dict[str, tuple[Ruling, ...]] = field(default_factory=dict[str, tuple[Ruling, ...]])
    coverage: dict[str, object] = field(default_factory=dict[str, object])
    delivered: dict[str, str] = field(default_factory=dict[str, str])
    held: frozenset[str] = frozenset()
    blocked: bool = False
    action: Action = Action.ALLOW

    @property
    def texts(self) -> dict[tuple[int, str], str]:
        keys = {*self.early, *self.late}
        return {key: self.early.get(key, "") + self.late.get(key, "") for key in keys}

    def take(self, chunk: Chunk, into: dict[tuple[int, str], str]) -> None:
        for part in chunk.parts:
            match part:
                case Text():
                    key = (part.choice, part.slot)
                    into[key] = into.get(key, "") + part.text
                case Finished():
                    assert part.choice not in self.reasons, "a choice ends once"
                    self.reasons[part.choice] = part.reason
                case Opened() | ToolOpened():
                    assert part not in self.opened, "a choice and a tool open once"
                    self.opened.append(part)
                case Usage():
                    pass


async def passed(force: InForce, chunks: Iterable[Chunk], *, whole: bool = False) -> Passed:
    """Send the chunks through a gate, as the relay does."""
    gate, out = InnerGate(make_guard(), force, TEAM, whole=whole), Passed()
    for chunk in chunks:
        if left := await gate.take(chunk):
            out.take(left, out.early)
        if gate.blocked:
            break
    out.take(gate.cut_short(BLOCKED, 2) if gate.blocked else gate.end(), out.late)
    out.rulings = {one.origin: one.decision.rulings for one in gate.seen() if one.decision.rulings}
    out.coverage = {} if gate.blocked else {one.origin: one.coverage for one in gate.seen()}
    out.delivered = gate.delivered
    out.held, out.blocked, out.action = frozenset(gate.held), gate.blocked, gate.action
    return out
