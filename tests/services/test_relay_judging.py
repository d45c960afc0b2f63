"""Surfaces that ask no model: the same gate, one record, and no way to a provider."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.core.errors import AuditUnavailable, NoPolicy, OverLimit, UnknownField, UnknownKey
from gateway.core.model import Action
from gateway.core.policy import Judgement
from gateway.core.ports import Entry
from gateway.services.relay import Progress, Request
from tests.factories import World, make_relay
from tests.services.relaying import DECISION, ONE_AT_ONCE, room_is_free, watching


async def judge(world: World, *, key: str | None = None, **body: Any) -> tuple[Judgement, Progress]:
    progress = Progress("call_1")
    sent = json.dumps(body or {"text": "a secret here"}).encode()
    request = Request(key or world.key, "wardgate.guard", sent)
    return await world.relay.judge(request, progress), progress


@pytest.mark.parametrize("action", ["flag", "redact", "hold", "block"])
async def test_what_is_decided_is_told_and_recorded_and_no_model_is_asked(action: str) -> None:
    world = await make_relay(force=watching(action))

    judgement, progress = await judge(world)

    assert judgement.action is Action[action.upper()] is progress.action
    [judged] = judgement.judged
    assert [(r.finding.start, r.finding.end) for r in judged.rulings] == [(2, 8)]
    assert judged.coverage == {"secret": "scanned"}
    assert world.kinds == [DECISION]
    assert world.decision["outcome"] == "completed"
    assert world.decision["model"] is None
    assert world.decision["intent"] is None
    assert world.provider.calls == []
    assert await world.store.reviews.list() == []


async def test_the_text_comes_back_as_redaction_would_make_it() -> None:
    world = await make_relay(force=watching("redact"))

    _, progress = await judge(world)

    assert progress.call is not None
    assert progress.call.body["text"] == "a <WORD> here"


async def test_an_answer_is_looked_at_by_the_rules_on_answers() -> None:
    world = await make_relay(force=watching("redact"))

    judgement, _ = await judge(world, text="a secret here", stage="output")

    assert judgement.action is Action.REDACT
    assert world.decision["stage"] == "output"
    assert len(world.decision["findings"]) == 1


async def test_what_cannot_be_recorded_is_not_told() -> None:
    async def away(_: Entry) -> None:
        raise AuditUnavailable

    world = await make_relay(force=watching("redact"), tap=away)

    with pytest.raises(AuditUnavailable):
        await judge(world)


async def test_it_is_refused_as_any_other_call_is() -> None:
    world = await make_relay(force=watching("redact"), teams=ONE_AT_ONCE)
    stranger = world.key[:-1] + ("A" if world.key[-1] != "A" else "B")

    with pytest.raises(UnknownKey):
        await judge(world, key=stranger)
    with pytest.raises(UnknownField):
        await judge(world, text="x", other=1)
    with (
        world.relay.limits.admit(await world.relay.keys.identify(world.key)),
        pytest.raises(OverLimit),
    ):
        await judge(world)
    await room_is_free(world)
    assert world.kinds == []


async def test_without_a_policy_there_is_no_judgement() -> None:
    world = await make_relay()
    relay = world.relay
    nobody = type(relay.policies)(())

    with pytest.raises(NoPolicy):
        await type(relay)(**{**_fields(relay), "policies": nobody}).judge(
            Request(world.key, "wardgate.guard", b'{"text": "x"}'), Progress("call_1")
        )


def _fields(relay: Any) -> dict[str, Any]:
    return {name: getattr(relay, name) for name in relay.__dataclass_fields__}


async def test_what_is_no_text_is_judged_by_the_policys_word_on_it() -> None:
    world = await make_relay(force=watching("redact"))
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}

    judgement, _ = await judge(world, messages=[{"role": "user", "content": [picture]}])

    assert judgement.action is Action.BLOCK
    [(path, ruling)] = judgement.shown
    assert path == ("messages", 0, "content", 0)
    assert (ruling.rule, ruling.finding.label) == ("media", "media.image.png")
    assert world.decision["findings"][0]["path"] == "messages.0.content.0"
