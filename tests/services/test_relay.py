"""The one way of a call: its order, its outcomes, and the one last record that each leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from gateway.core.errors import (
    AuditUnavailable,
    HeldUndecided,
    ModelNotFound,
    NoPolicy,
    OverLimit,
    PolicyBlocked,
    UnknownField,
    UnknownKey,
    UpstreamBroken,
    UpstreamFailed,
    UpstreamTimeout,
    WardgateError,
)
from gateway.core.model import Chunk, Finished, Kind, Opened, Text
from gateway.core.policy import Hold
from gateway.core.ports import Entry
from gateway.services.models import Model, Models
from gateway.services.relay import Progress, Request
from tests.factories import (
    BLOCKED,
    CHAT,
    HELD,
    Parts,
    World,
    body,
    make_relay,
    policies,
    reply,
)
from tests.fakes import ScriptedProvider
from tests.services.relaying import (
    DECISION,
    HELD_RECORD,
    INTENT,
    ONE_AT_ONCE,
    consume,
    reasons,
    room_is_free,
    said,
    watching,
)

# -- in order


async def test_an_allowed_call_leaves_its_intent_then_its_decision() -> None:
    world = await make_relay()

    items = await consume(world, world.request(stream=True))

    assert said(items) == "hello you"
    assert world.kinds == [INTENT, DECISION]
    assert world.decision["outcome"] == "completed"
    assert world.decision["usage"] == {"in": 5, "out": 7}
    assert world.decision["intent"] == world.store.ledger.records[-2].id
    assert world.store.database.open_calls == {}


async def test_nothing_reaches_the_model_before_its_intent_is_durable() -> None:
    order: list[str] = []

    async def tap(entry: Entry) -> None:
        order.append(f"asks for {entry.record.kind}")
        await asyncio.sleep(0)
        order.append(f"may write {entry.record.kind}")

    async def called() -> None:
        order.append("model called")

    world = await make_relay(tap=tap, provider=ScriptedProvider(reply("hi"), before=called))
    await consume(world, world.request())

    assert order == [
        f"asks for {INTENT}",
        f"may write {INTENT}",
        "model called",
        f"asks for {DECISION}",
        f"may write {DECISION}",
    ]
    (guarded,) = world.provider.calls
    assert guarded.receipt.record == world.store.ledger.records[-2].id


async def test_a_whole_reply_leaves_after_its_decision_and_not_before() -> None:
    world = await make_relay()
    async for _ in world.relay.relay(world.request(), Progress("call_1")):
        assert world.kinds == [INTENT, DECISION]


async def test_the_last_chunk_of_a_stream_leaves_after_its_decision() -> None:
    provider = ScriptedProvider(reply("all is well so far, and so to ", "the end"))
    world = await make_relay(force=watching("redact"), provider=provider)
    seen: list[tuple[str, list[str]]] = []
    async for one in world.relay.relay(world.request(stream=True), Progress("call_1")):
        assert isinstance(one, Chunk)
        seen.append((said([one]), world.kinds))
        assert reasons([one]) == (["stop"] if DECISION in world.kinds else [])

    assert seen[0][1] == [INTENT]
    assert seen[-1][0].endswith("the end")
    assert seen[-1][1] == [INTENT, DECISION]


async def test_what_is_redacted_reaches_neither_model_nor_client() -> None:
    provider = ScriptedProvider(reply("a secret of mine ", "and one secret more"))
    world = await make_relay(force=watching("redact"), provider=provider)
    progress = Progress("call_1")

    items = await consume(world, world.request("my secret", stream=True), progress)

    (guarded,) = provider.calls
    assert guarded.call.body["messages"][0]["content"] == "my <WORD>"
    assert [one.text for one in guarded.call.passages] == ["my <WORD>"]
    assert said(items) == "a <WORD> of mine and one <WORD> more"
    assert progress.action.word == "redact"
    assert world.decision["action"] == "redact"
    assert world.records(INTENT)[0]["findings_total"] == 1
    assert world.decision["findings_total"] == 2
    assert "secret of" not in repr(world.store.ledger.records)


async def test_what_was_looked_at_is_remembered_for_its_team_alone() -> None:
    force = watching("redact")
    world = await make_relay(force=force, cache_bytes=100_000)
    other = await world.relay.keys.create("blue")
    for number, key in enumerate((world.key, other, world.key)):
        request = Request(key, "openai.chat", body("my secret"))
        await consume(world, request, Progress(f"call_{number}"))

    for kind in (INTENT, DECISION):
        told = [list(one["coverage"]["secret"]) for one in world.records(kind)]
        assert told == [["scanned"], ["scanned"], ["cached"]]


# -- refusals that look at no text and leave no record


async def no_policy() -> World:
    world = await make_relay()
    return _with(world, policies=policies())


async def full() -> World:
    world = await make_relay(teams=ONE_AT_ONCE)
    world.relay.limits.admit(await world.relay.keys.identify(world.key))
    return world


def _with(world: World, **changes: Any) -> World:
    return replace(world, relay=replace(world.relay, **changes))


@pytest.mark.parametrize(
    ("make", "changes", "error"),
    [
        (make_relay, {"top_secret": 1}, UnknownField),
        (make_relay, {"model": "other"}, ModelNotFound),
        (no_policy, {}, NoPolicy),
        (full, {}, OverLimit),
    ],
)
async def test_a_call_that_is_not_admitted_touches_nothing(
    make: Callable[[], Awaitable[World]], changes: dict[str, Any], error: type[WardgateError]
) -> None:
    world = await make()

    with pytest.raises(error):
        await consume(world, world.request(**changes))

    assert world.kinds == []
    assert world.provider.calls == []


@pytest.mark.parametrize("key", [None, "", "wg_x", "wg_0123456789abcdef_" + "A" * 43])
async def test_an_unknown_key_is_refused_before_the_body_is_read(key: str | None) -> None:
    world = await make_relay()

    with pytest.raises(UnknownKey):
        await consume(world, Request(key, "openai.chat", b"not json"))


async def test_a_models_own_fields_are_admitted_and_guarded() -> None:
    provider = ScriptedProvider(reply("hi"))
    models = Models((Model("chat", provider, CHAT, {"guided": "text"}),))
    world = await make_relay(force=watching("redact"), provider=provider, models=models)

    await consume(world, world.request(guided="a secret"))

    assert provider.calls[0].call.body["guided"] == "a <WORD>"


# -- how a call can end


@dataclass
class Ending:
    """A way for a call to end: what it is made of, what comes of it, what it leaves."""

    name: str
    parts: Callable[[], Parts]
    outcome: str
    error: type[WardgateError] | None = None
    text: str = "hello"
    kinds: list[str] = field(default_factory=lambda: [INTENT, DECISION])
    said: str | None = None


def failing(error: Exception, *texts: str) -> Callable[[], Parts]:
    chunks = reply(*texts)[:-1] if texts else []
    return lambda: Parts(provider=ScriptedProvider(chunks, error))


ENDINGS = [
    Ending("completed", Parts, "completed"),
    Ending(
        "blocked at input",
        lambda: Parts(watching("block")),
        "blocked",
        PolicyBlocked,
        text="my secret",
        kinds=[DECISION],
    ),
    Ending(
        "blocked at output",
        lambda: Parts(watching("block"), ScriptedProvider(reply("secret here"))),
        "blocked",
        said=BLOCKED,
    ),
    Ending(
        "expired at input",
        lambda: Parts(watching("hold", hold=Hold(wait=0))),
        "expired",
        HeldUndecided,
        text="my secret",
        kinds=[HELD_RECORD, "review.expired", DECISION],
    ),
    Ending(
        "expired at output",
        lambda: Parts(watching("hold", hold=Hold(wait=0)), ScriptedProvider(reply("a secret"))),
        "expired",
        kinds=[INTENT, HELD_RECORD, "review.expired", DECISION],
        said=HELD,
    ),
    Ending("failed at once", failing(UpstreamFailed()), "upstream_failed", UpstreamFailed),
    Ending(
        "timed out", failing(UpstreamTimeout(), "hello ", "x"), "upstream_timeout", UpstreamTimeout
    ),
    Ending(
        "broke off", failing(UpstreamBroken(), "hello ", "x"), "upstream_failed", UpstreamBroken
    ),
    Ending(
        "ended without an end",
        lambda: Parts(provider=ScriptedProvider(reply("hello ", "x")[:-1])),
        "upstream_failed",
        UpstreamBroken,
    ),
]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("ending", ENDINGS, ids=lambda one: one.name)
async def test_each_ending_leaves_exactly_one_decision(ending: Ending, stream: bool) -> None:
    parts = ending.parts()
    parts.teams = ONE_AT_ONCE
    world = await make_relay(parts)

    if ending.error:
        with pytest.raises(ending.error):
            await consume(world, world.request(ending.text, stream=stream))
    else:
        items = await consume(world, world.request(ending.text, stream=stream))
        assert ending.said is None or said(items) == ending.said

    assert world.kinds == ending.kinds
    assert world.decision["outcome"] == ending.outcome
    assert world.store.database.open_calls == {}
    assert world.provider.closed == len(world.provider.calls)
    await room_is_free(world)


async def test_a_fault_of_ours_leaves_its_record_too() -> None:
    world = await make_relay(failing(ZeroDivisionError())())

    with pytest.raises(ZeroDivisionError):
        await consume(world, world.request())

    assert world.kinds == [INTENT, DECISION]
    assert world.decision["outcome"] == "failed"


async def test_a_call_that_is_running_takes_its_room() -> None:
    """Otherwise room would always be free, above."""
    world = await make_relay(teams=ONE_AT_ONCE)
    async with aclosing(world.relay.relay(world.request(), Progress("call_1"))) as items:
        await anext(items)
        with pytest.raises(OverLimit):
            await room_is_free(world)

    await room_is_free(world)


async def test_a_block_in_a_stream_ends_the_models_work_and_what_left_stays() -> None:
    chunks = reply("all is well so far, and ", "then a secret to the end", " and more")
    world = await make_relay(force=watching("block"), provider=ScriptedProvider(chunks))

    items = await consume(world, world.request(stream=True))

    assert said(items).startswith("all is well")
    assert "secret" not in said(items)
    assert BLOCKED not in said(items)
    assert reasons(items) == ["content_filter"]
    assert world.provider.closed == 1
    assert world.decision["outcome"] == "blocked"


async def test_nothing_of_a_broken_streams_last_window_leaves() -> None:
    provider = ScriptedProvider(
        reply("all is well so far, and then a secr", "x")[:-1], UpstreamBroken()
    )
    world = await make_relay(force=watching("redact"), provider=provider)
    left: list[Any] = []

    with pytest.raises(UpstreamBroken):
        await consume(world, world.request(stream=True), into=left)

    assert said(left)
    assert "secr" not in said(left)


# -- the log that cannot be written


async def test_a_log_that_is_away_means_no_call() -> None:
    world = await make_relay(teams=ONE_AT_ONCE)
    await world.relay.keys.identify(world.key)
    world.store.database.broken = True

    with pytest.raises(AuditUnavailable):
        await consume(world, world.request())

    assert world.provider.calls == []
    await room_is_free(world)
    world.store.database.broken = False
    await world.relay.closing.retry()
    assert world.store.database.open_calls == {}
    assert world.relay.closing.unwritten == 0


async def test_a_refusal_that_cannot_be_recorded_is_not_told_as_one() -> None:
    world = await make_relay(force=watching("block"))
    await world.relay.keys.identify(world.key)
    world.store.database.broken = True

    with pytest.raises(AuditUnavailable):
        await consume(world, world.request("my secret"))


@pytest.mark.parametrize("stream", [True, False])
async def test_without_its_decision_the_last_of_a_reply_does_not_leave(stream: bool) -> None:
    async def tap(entry: Entry) -> None:
        if entry.record.kind == DECISION and world.store.database.skew.total_seconds() == 0:
            raise AuditUnavailable

    provider = ScriptedProvider(reply("all is well so far, and so to ", "the end"))
    world = await make_relay(
        force=watching("redact"), provider=provider, tap=tap, teams=ONE_AT_ONCE
    )
    left: list[Any] = []
    with pytest.raises(AuditUnavailable):
        await consume(world, world.request(stream=stream), into=left)

    assert said(left).startswith("all is well") is stream
    assert "end" not in said(left)
    assert reasons(left) == []
    assert list(world.store.database.open_calls) == ["call_1"]
    await room_is_free(world)
    await world.relay.closing.retry()
    assert world.relay.closing.unwritten == 1

    world.store.database.age(1)
    await world.relay.closing.retry()
    assert world.kinds == [INTENT, DECISION]
    assert world.decision["outcome"] == "unrecorded"
    assert world.store.database.open_calls == {}


async def test_the_progress_tells_policy_action_and_review() -> None:
    world = await make_relay(force=watching("hold", hold=Hold(wait=0)))
    progress = Progress("call_1")

    with pytest.raises(HeldUndecided, match=HELD):
        await consume(world, world.request("my secret"), progress)

    assert progress.policy == world.relay.policies.policies[0].force.policy.reference
    assert progress.action.word == "hold"
    assert progress.review == world.records(HELD_RECORD)[0]["review"]


async def test_no_text_of_call_or_reply_is_in_any_record() -> None:
    provider = ScriptedProvider(reply("the secret canary-two", " and more"))
    world = await make_relay(force=watching("flag"), provider=provider)
    request = Request(world.key, "openai.chat", body("my secret canary-one", user="canary-three"))
    await consume(world, request)

    assert "canary" not in repr(world.store.ledger.records)


def test_a_reply_of_the_factory_has_its_parts_in_order() -> None:
    first, *_, last = reply("a", "b")

    assert first.parts == (Opened(0), Text(0, "content", Kind.TEXT, "a"))
    assert isinstance(last.parts[-2], Finished)
