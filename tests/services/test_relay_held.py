"""A held call goes on as a person left it, at either gate, and not without one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest

from gateway.core.errors import (
    PolicyBlocked,
)
from gateway.core.model import Action, Chunk
from gateway.core.policy import Hold
from gateway.core.review import Review
from gateway.services.relay import Request, Waiting
from gateway.services.reviews import ReviewDesk
from tests.factories import (
    BLOCKED,
    World,
    make_relay,
    reply,
)
from tests.fakes import ScriptedProvider
from tests.services.relaying import (
    DECISION,
    HELD_RECORD,
    INTENT,
    consume,
    reasons,
    said,
    watching,
)

Deed: TypeAlias = Callable[[ReviewDesk, str], Awaitable[Review]]


async def approve(desk: ReviewDesk, review: str) -> Review:
    return await desk.approve(review, "ann")


async def block(desk: ReviewDesk, review: str) -> Review:
    return await desk.block(review, "ann", "no")


def edit(text: str) -> Deed:
    return lambda desk, one: desk.edit(one, "ann", text)


async def decided(world: World, request: Request, deed: Deed) -> list[Any]:
    """What comes of a call that a person decides on as soon as it is held."""
    desk = ReviewDesk(world.store.reviews, world.clock)

    async def decide() -> None:
        while not (waiting := await desk.list()):  # noqa: ASYNC110 - the store is polled in life, too
            await asyncio.sleep(0)
        await deed(desk, waiting[0].id)

    deciding = asyncio.get_running_loop().create_task(decide())
    try:
        return await consume(world, request)
    finally:
        await deciding


async def holding(*texts: str) -> World:
    return await make_relay(force=watching("hold"), provider=ScriptedProvider(reply(*texts)))


@pytest.mark.parametrize(
    ("deed", "sent"),
    [(approve, "my secret"), (edit("my wish"), "my wish")],
    ids=["approve", "edit"],
)
async def test_held_input_goes_to_the_model_as_a_person_left_it(deed: Deed, sent: str) -> None:
    world = await holding("fine")

    items = await decided(world, world.request("my secret", stream=True), deed)

    assert world.provider.calls[0].call.body["messages"][0]["content"] == sent
    assert said(items) == "fine"
    assert world.kinds == [HELD_RECORD, "review.decided", INTENT, DECISION]
    assert world.decision["review"] == world.records(HELD_RECORD)[0]["review"]


async def test_the_reviewer_sees_all_of_the_input_and_which_part_is_held() -> None:
    world = await holding("fine")
    messages = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "my secret"}]
    await decided(world, world.request(messages=messages), approve)

    (held,) = world.store.database.reviews.values()
    assert [(one.role, one.text, one.held) for one in held.parts] == [
        ("system", "Be kind.", False),
        ("user", "my secret", True),
    ]


async def test_held_input_that_a_person_blocks_never_reaches_the_model() -> None:
    world = await holding("fine")

    with pytest.raises(PolicyBlocked, match=BLOCKED):
        await decided(world, world.request("my secret"), block)

    assert world.provider.calls == []
    assert world.kinds == [HELD_RECORD, "review.decided", DECISION]
    assert world.decision["outcome"] == "blocked"


@pytest.mark.parametrize(
    ("deed", "rest", "outcome"),
    [
        (approve, "a secret that goes on to its end", "completed"),
        (edit("[gone]"), "[gone]", "completed"),
        (block, "", "blocked"),
    ],
    ids=["approve", "edit", "block"],
)
async def test_the_rest_of_a_held_stream_goes_out_as_a_person_left_it(
    deed: Deed, rest: str, outcome: str
) -> None:
    first = "all is well so far, and then "
    world = await holding(first, "a secret that goes on", " to its end")

    items = await decided(world, world.request(stream=True), deed)

    waited = [isinstance(one, Waiting) for one in items]
    assert any(waited)
    before, after = items[: waited.index(True)], items[waited.index(True) :]
    assert said(before)
    assert "secret" not in said(before)
    whole = first + "a secret that goes on to its end"
    approved = whole.removeprefix(said(before))
    assert said(after) == (approved if deed is approve else rest)
    assert reasons(items) == (["content_filter"] if deed is block else ["stop"])
    assert world.decision["outcome"] == outcome
    assert world.kinds == [INTENT, HELD_RECORD, "review.decided", DECISION]


async def test_the_reviewer_sees_what_was_delivered_apart_from_the_rest() -> None:
    world = await holding("all is well so far, and then ", "a secret that goes on")

    items = await decided(world, world.request(stream=True), approve)

    (held,) = world.store.database.reviews.values()
    (part,) = held.parts
    assert part.held
    assert part.path == "choices.0.content"
    assert part.delivered + part.text == "all is well so far, and then a secret that goes on"
    assert "secret" not in part.delivered
    assert said(items) == part.delivered + part.text


@pytest.mark.parametrize("deed", [approve, edit("[gone]"), block], ids=["approve", "edit", "block"])
async def test_a_held_whole_reply_shows_nothing_until_it_is_decided(deed: Deed) -> None:
    world = await holding("all is well so far, and then ", "a secret")

    items = await decided(world, world.request(), deed)

    assert [type(one) for one in items] == [Chunk]
    expected: dict[Deed, str] = {approve: "all is well so far, and then a secret", block: BLOCKED}
    assert said(items) == expected.get(deed, "[gone]")


async def test_a_hold_that_nobody_decides_may_let_go_if_the_policy_says_so() -> None:
    force = watching("hold", hold=Hold(wait=0, on_timeout=Action.ALLOW))
    world = await make_relay(force=force, provider=ScriptedProvider(reply("a secret")))

    assert said(await consume(world, world.request("my secret"))) == "a secret"
