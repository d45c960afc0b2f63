"""What leaves a reply depends on the reply alone, never on its chunks; what is stopped never leaves."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import UpstreamBroken, UpstreamFailed
from gateway.core.model import Action, Chunk, Finished, Kind, Opened, Part, Text, ToolOpened, Usage
from gateway.core.ports import InForce, Reach
from gateway.services.inner_gate import InnerGate
from gateway.services.looking import Coverage
from tests.factories import BLOCKED, TEAM, make_force, make_guard, make_rule, reply
from tests.fakes import ScriptedDetector, finds
from tests.services.replies import (
    ARGUMENTS,
    NAME,
    Passed,
    chunked,
    cut_up,
    forces,
    passed,
    replies,
    singly,
)

SIZES = st.lists(st.integers(0, 5), max_size=12)
SECRET = ScriptedDetector("secret", finds("secret", "secret.word"), ("secret",), Reach(2, 8, 8, 8))


def through(force: InForce, chunks: list[Chunk], *, whole: bool = False) -> Passed:
    return asyncio.run(passed(force, chunks, whole=whole))


def gate_for(action: str = "redact", *, whole: bool = False) -> InnerGate:
    force = make_force(make_rule("secret", action), detectors=[SECRET])
    return InnerGate(make_guard(), force, TEAM, whole=whole)


def content(text: str, choice: int = 0) -> Text:
    return Text(choice, "content", Kind.TEXT, text)


def said(chunk: Chunk | None) -> str:
    return "".join(one.text for one in chunk.parts if isinstance(one, Text)) if chunk else ""


@given(forces, replies, SIZES, st.integers(1, 9))
def test_any_chunking_of_a_reply_comes_out_alike(
    force: InForce, parts: list[Part], sizes: list[int], cut: int
) -> None:
    at_once = through(force, [Chunk(tuple(parts))])
    by_character = through(force, singly(cut_up(parts, 1)))
    anyhow = through(force, chunked(cut_up(parts, cut), sizes))

    for other in (by_character, anyhow):
        assert other.texts == at_once.texts
        assert other.reasons == at_once.reasons
        assert other.rulings == at_once.rulings
        assert other.coverage == at_once.coverage
        assert (other.blocked, other.held, other.action) == (
            at_once.blocked,
            at_once.held,
            at_once.action,
        )
        assert other.delivered == at_once.delivered
        if at_once.blocked or at_once.held:
            assert other.early == at_once.early, "what left before the stop"


@given(forces, replies, SIZES)
def test_a_whole_reply_is_the_stream_and_leaves_at_its_end_or_not_at_all(
    force: InForce, parts: list[Part], sizes: list[int]
) -> None:
    whole = through(force, chunked(cut_up(parts, 2), sizes), whole=True)
    stream = through(force, singly(parts))

    assert whole.early == {}
    assert whole.rulings == stream.rulings
    if whole.blocked:
        assert whole.late == {(0, "content"): BLOCKED, (1, "content"): BLOCKED}
    else:
        assert whole.texts == stream.texts
        assert whole.reasons == stream.reasons


@given(forces, replies)
def test_nothing_leaves_of_a_call_to_a_tool_that_is_stopped(
    force: InForce, parts: list[Part]
) -> None:
    out = through(force, singly(cut_up(parts, 1)))
    for rulings in out.rulings.values():
        for ruling in rulings:
            if ruling.rule.startswith("None") and ruling.action >= Action.HOLD:
                choice = next(
                    int(origin.split(".")[1])
                    for origin, own in out.rulings.items()
                    if ruling in own
                )
                assert (choice, NAME) not in out.early
                assert (choice, ARGUMENTS) not in out.early


@given(replies, SIZES)
def test_without_rules_a_reply_comes_out_as_it_went_in(parts: list[Part], sizes: list[int]) -> None:
    out = through(make_force(), chunked(parts, sizes))
    texts: dict[tuple[int, str], str] = {}
    for part in parts:
        if isinstance(part, Text):
            texts[part.choice, part.slot] = texts.get((part.choice, part.slot), "") + part.text

    assert out.texts == texts
    assert out.reasons == {one.choice: one.reason for one in parts if isinstance(one, Finished)}


def test_the_drawn_replies_meet_every_action() -> None:
    """The properties above would hold of nothing, too."""
    met: set[Action] = set()
    stops: list[str] = []

    @given(forces, replies)
    def meet(force: InForce, parts: list[Part]) -> None:
        out = through(force, [Chunk(tuple(parts))])
        met.add(out.action)
        if out.early and (out.blocked or out.held):
            stops.append("block" if out.blocked else "hold")

    meet()

    assert met == set(Action)
    assert min(stops.count("block"), stops.count("hold")) >= 5, "after some text has left"


async def test_text_leaves_before_the_reply_ends() -> None:
    gate = gate_for()

    left = await gate.take(Chunk((Opened(0), content("all is well and more is to come"))))

    assert said(left).startswith("all is well")
    assert left
    assert left.parts[0] == Opened(0)


async def test_the_last_text_finish_and_usage_wait_for_the_end() -> None:
    gate = gate_for()

    left = await gate.take(Chunk((Opened(0), content("short"), Finished(0, "stop"), Usage(1, 2))))

    assert left is None
    assert gate.end().parts == (Opened(0), content("short"), Finished(0, "stop"), Usage(1, 2))


@pytest.mark.parametrize("whole", [True, False])
async def test_a_block_before_any_text_is_the_policys_message(whole: bool) -> None:
    gate = gate_for("block", whole=whole)

    left = await gate.take(Chunk((Opened(0), content("secret"), Finished(0, "stop"))))

    assert left is None
    assert gate.blocked
    parts = gate.cut_short(BLOCKED, 1).parts
    assert parts[:3] == (Opened(0), content(BLOCKED), Finished(0, "content_filter"))


async def test_a_block_after_some_text_ends_the_stream_without_a_message() -> None:
    gate = gate_for("block")
    first = await gate.take(Chunk((Opened(0), content("all is well so far, and then "))))
    second = await gate.take(Chunk((content("a secret that goes on and on"),)))

    assert gate.blocked
    assert "secret" not in said(first) + said(second)
    assert said(first)
    assert gate.cut_short(BLOCKED, 1).parts == (Finished(0, "content_filter"), Usage(0, 2))


async def test_every_choice_of_a_cut_stream_ends() -> None:
    gate = gate_for("block")
    await gate.take(Chunk((Opened(0), content("all is well so far, and then "))))
    await gate.take(Chunk((content("a secret that goes on and on"),)))

    ends = gate.cut_short(BLOCKED, 2).parts

    assert {one.choice for one in ends if isinstance(one, Finished)} == {0, 1}


async def test_windows_that_settle_at_one_end_are_decided_by_where_they_end() -> None:
    words = ScriptedDetector("words", finds("stop", "w.stop"), ("w",), Reach(4, 8, 0, 0))
    mail = ScriptedDetector("mail", finds("@", "pii.mail"), ("pii",), Reach(4, 8, 0, 9))
    force = make_force(make_rule("w", "block"), make_rule("pii", "flag"), detectors=[words, mail])
    gate = InnerGate(make_guard(), force, TEAM, whole=False)
    later = Text(0, "reasoning_content", Kind.REASONING, "@")
    await gate.take(Chunk((Opened(0), content("all is stop"), later, Finished(0, "stop"))))

    assert gate.blocked
    assert [len(one.decision.rulings) for one in gate.seen()] == [1, 1]


async def test_one_choice_goes_on_after_another_has_finished() -> None:
    gate = gate_for()
    parts = (Opened(0), Opened(1), content("x", 1), content("y"), Finished(0, "stop"))
    await gate.take(Chunk(parts))

    left = await gate.take(Chunk((content(" all is well and more is to come", 1),)))

    assert said(left).startswith("x all is well")


async def test_a_hold_lets_the_part_before_it_go_and_keeps_the_rest() -> None:
    gate = gate_for("hold")
    texts = ("all is well so far, and then ", "a secret that goes on", " to its end.")
    left = [await gate.take(chunk) for chunk in reply(*texts)]
    rest = gate.end()

    assert gate.held == {"choices.0.content"}
    assert "".join(map(said, left)) + said(rest) == "".join(texts)
    assert gate.delivered == {"choices.0.content": "".join(map(said, left))}
    assert "secret" not in gate.delivered["choices.0.content"]
    assert "secret" in said(rest)


async def test_what_was_delivered_is_kept_only_where_a_hold_is_possible() -> None:
    gate = gate_for("redact")
    await gate.take(Chunk((Opened(0), content("all is well and more is to come"))))

    assert gate.delivered == {}


@pytest.mark.parametrize(
    "parts",
    [
        (),
        (Opened(0),),
        (Opened(0), content("x")),
        (Opened(0), Opened(1), Finished(0, "stop")),
        (content("x", 1), Finished(0, "stop")),
    ],
)
async def test_a_reply_with_an_unfinished_choice_is_broken(parts: tuple[Part, ...]) -> None:
    gate = gate_for()
    await gate.take(Chunk(parts))

    with pytest.raises(UpstreamBroken):
        gate.end()


async def test_text_after_a_finish_is_the_engines_failure() -> None:
    gate = gate_for()
    await gate.take(Chunk((content("x"), Finished(0, "stop"))))

    with pytest.raises(UpstreamFailed):
        await gate.take(Chunk((content("y"),)))


async def test_a_second_finish_changes_nothing() -> None:
    gate = gate_for()
    await gate.take(Chunk((content("x"), Finished(0, "stop"), Finished(0, "length"))))

    assert [one for one in gate.end().parts if isinstance(one, Finished)] == [Finished(0, "stop")]


def tool(name: str, arguments: str = "") -> list[Part]:
    parts: list[Part] = [
        Opened(0),
        ToolOpened(0, 0, "call_0"),
        Text(0, NAME, Kind.TOOL_NAME, name),
    ]
    return parts + ([Text(0, ARGUMENTS, Kind.TOOL_ARGUMENTS, arguments)] if arguments else [])


async def test_a_tools_name_leaves_whole_and_only_once_it_is_whole() -> None:
    gate = InnerGate(make_guard(), make_force(), TEAM, whole=False)

    assert await gate.take(Chunk(tuple(tool("send_")))) is None
    assert await gate.take(Chunk((Text(0, NAME, Kind.TOOL_NAME, "mail"),))) is None
    left = await gate.take(Chunk((Text(0, ARGUMENTS, Kind.TOOL_ARGUMENTS, '{"to": 1'),)))

    assert said(left).startswith("send_mail{")


async def test_a_name_after_its_arguments_is_the_engines_failure() -> None:
    gate = gate_for()
    await gate.take(Chunk(tuple(tool("send", "{}"))))

    with pytest.raises(UpstreamFailed):
        await gate.take(Chunk((Text(0, NAME, Kind.TOOL_NAME, "_mail"),)))


async def test_arguments_of_a_tool_without_a_name_are_the_engines_failure() -> None:
    """Otherwise they would leave before the rules on tools could speak."""
    gate = gate_for()

    with pytest.raises(UpstreamFailed):
        await gate.take(Chunk((Opened(0), Text(0, ARGUMENTS, Kind.TOOL_ARGUMENTS, "{}"))))


async def test_a_rule_on_a_tool_speaks_once_for_each_call() -> None:
    force = make_force(make_rule(None, "flag", tools=("send*",)))
    gate = InnerGate(make_guard(), force, TEAM, whole=False)
    await gate.take(Chunk((*tool("send", "{}"), Finished(0, "tool_calls"))))

    assert [len(one.decision.rulings) for one in gate.seen()] == [1, 0]


async def test_a_tool_opens_once_however_often_the_engine_says_so() -> None:
    gate = gate_for()
    opened: list[Part] = []
    for text in ('{"to": "some', 'body", "and": "somebody', ' else"}'):
        parts = (
            Opened(0),
            ToolOpened(0, 0, "call_0"),
            Text(0, ARGUMENTS, Kind.TOOL_ARGUMENTS, text),
        )
        left = await gate.take(Chunk(tuple(tool("f")[2:]) + parts if not opened else parts))
        opened += [one for one in (left.parts if left else ()) if not isinstance(one, Text)]
    await gate.take(Chunk((Finished(0, "tool_calls"),)))
    opened += [one for one in gate.end().parts if not isinstance(one, Text)]

    assert opened == [Opened(0), ToolOpened(0, 0, "call_0"), Finished(0, "tool_calls")]


async def test_rules_on_a_tool_reach_its_arguments() -> None:
    mine = replace(make_rule("secret", "block"), tools=("send*",))
    force = make_force(mine, detectors=[SECRET])

    for name, blocked in (("send", True), ("find", False)):
        gate = InnerGate(make_guard(), force, TEAM, whole=True)
        await gate.take(Chunk((*tool(name, '{"a": "secret"}'), Finished(0, "tool_calls"))))
        assert gate.blocked is blocked


async def test_rules_on_a_tool_reach_what_is_found_in_its_name() -> None:
    mine = replace(make_rule("secret", "block"), tools=("*secret",))
    force = make_force(mine, detectors=[SECRET])
    gate = InnerGate(make_guard(), force, TEAM, whole=True)

    await gate.take(Chunk((*tool("a secret", "{}"), Finished(0, "tool_calls"))))

    assert gate.blocked


async def test_coverage_of_what_was_not_looked_at_is_not_inferred() -> None:
    gate = gate_for("block")
    reasoning = Text(0, "reasoning_content", Kind.REASONING, "a")
    await gate.take(Chunk((Opened(0), reasoning, content("a secret and more than that"))))

    told = {one.origin: one.coverage["secret"] for one in gate.seen()}

    assert told == {
        "choices.0.reasoning_content": Coverage.NOT_RUN,
        "choices.0.content": Coverage.SCANNED,
    }


async def test_windows_that_were_looked_at_leave_nothing_behind() -> None:
    gate = gate_for("redact")
    for _ in range(50):
        await gate.take(
            Chunk((Opened(0), content("some text that is looked at, and more of it. ")))
        )

    [slot] = gate._reply.slots
    assert len(slot.told) == 1


async def test_a_failed_detector_is_told_as_failed_and_ruled_on() -> None:
    def breaks(_: object) -> list[tuple[str, int, int]]:
        raise RuntimeError

    broken = ScriptedDetector("broken", breaks, ("pii",))
    rules = (make_rule("pii", "redact"), make_rule("detector.failed", "block"))
    gate = InnerGate(make_guard(), make_force(*rules, detectors=[broken]), TEAM, whole=False)
    left = await gate.take(Chunk((Opened(0), content("some text that is looked at"))))

    assert left is None
    assert gate.blocked
    assert gate.seen()[0].coverage == {"broken": Coverage.FAILED}
