"""A reply is planned in upstream order, each opening once, and is whole only when every choice is."""

from __future__ import annotations

import pytest

from gateway.core.errors import UpstreamBroken, UpstreamFailed
from gateway.core.model import Chunk, Finished, Kind, Opened, Part, Text, ToolOpened, Usage
from gateway.services.reply import Reply
from tests.factories import make_force, make_guard


def reply() -> Reply:
    return Reply(make_guard(), make_force())


def text(words: str, slot: str = "content", choice: int = 0) -> Text:
    kind = {"name": Kind.TOOL_NAME, "arguments": Kind.TOOL_ARGUMENTS}.get(slot.rpartition(".")[2])
    return Text(choice, slot, kind or Kind.TEXT, words)


def test_steps_come_in_the_order_of_the_parts() -> None:
    one = reply()

    steps = one.steps(Chunk((text("a"), text("b", "refusal"), Finished(0, "stop"))))

    told = [step.slot.slot if step.slot else step.finished for step in steps]
    assert told == ["content", "refusal", Finished(0, "stop")]


def test_texts_of_one_field_that_follow_each_other_are_one_step() -> None:
    one = reply()

    steps = one.steps(Chunk((text("a"), text("b"), text("c"))))

    assert len(steps) == 1
    assert one.pieces == 3


def test_a_tools_call_is_a_step_before_its_arguments() -> None:
    one = reply()
    parts: tuple[Part, ...] = (
        ToolOpened(0, 0, "call_1"),
        text("pay", "tool_calls.0.name"),
        text("{}", "tool_calls.0.arguments"),
    )

    steps = one.steps(Chunk(parts))

    called = next(at for at, step in enumerate(steps) if step.called)
    arguments = [at for at, step in enumerate(steps) if step.slot and "arguments" in step.slot.slot]
    assert called < min(arguments)
    assert [slot.passage.tool for slot in one.slots] == ["pay", "pay"]


def test_an_opening_is_given_once() -> None:
    one = reply()
    one.steps(Chunk((Opened(0), Opened(0), text("a"))))
    [slot] = one.slots

    assert one.take_openings(slot) == [Opened(0)]
    assert one.take_openings(slot) == []


def test_usage_and_envelope_are_kept() -> None:
    one = reply()
    one.steps(Chunk((text("a"),), {"id": "first"}))
    one.steps(Chunk((Usage(1, 2),), {"id": "second"}))

    assert one.usage == Usage(1, 2)
    assert one.envelope == {"id": "first"}


def test_text_after_the_end_of_its_choice_is_the_engines_failure() -> None:
    one = reply()
    one.steps(Chunk((text("a"), Finished(0, "stop"))))

    with pytest.raises(UpstreamFailed):
        one.steps(Chunk((text("b"),)))


@pytest.mark.parametrize(
    "parts",
    [(), (text("a"),), (Opened(0),), (text("a"), text("b", choice=1), Finished(0, "stop"))],
    ids=["nothing", "no finish", "opened alone", "one of two"],
)
def test_what_is_not_finished_is_broken(parts: tuple[Part, ...]) -> None:
    one = reply()
    one.steps(Chunk(parts))

    with pytest.raises(UpstreamBroken):
        one.check_whole()


def test_a_finished_reply_is_whole() -> None:
    one = reply()
    one.steps(Chunk((Opened(0), text("a"), Finished(0, "stop"))))

    one.check_whole()


def test_a_choice_opens_also_where_the_engine_does_not_say_so() -> None:
    one = reply()
    one.steps(Chunk((text("a"), Opened(0), text("b", choice=1))))
    first, second = one.slots

    assert one.take_openings(first) == [Opened(0)]
    assert one.take_openings(second) == [Opened(1)]
    assert one.opened == {}


def test_fields_open_in_the_order_in_which_they_began() -> None:
    one = reply()
    parts: tuple[Part, ...] = (
        text("hm", "reasoning_content"),
        text("other", choice=1),
        ToolOpened(0, 0, "call_1"),
        text("pay", "tool_calls.0.name"),
        text("{}", "tool_calls.0.arguments"),
        text("well"),
    )
    one.steps(Chunk(parts))
    slots = {(slot.choice, slot.slot): slot for slot in one.slots}

    assert one.take_openings(slots[0, "tool_calls.0.name"]) == [
        Opened(0),
        text("", "reasoning_content"),
        ToolOpened(0, 0, "call_1"),
    ]
    assert one.take_openings(slots[0, "content"]) == [text("", "tool_calls.0.arguments")]
    assert one.take_openings(slots[0, "reasoning_content"]) == []
