"""Everything put together as the settings ask: one call goes all the way, and it closes in good order."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from gateway.core.errors import (
    AuditUnavailable,
    InvalidDocument,
    ModelNotFound,
    OverLimit,
    PolicyBlocked,
)
from gateway.core.model import Chunk, Text
from gateway.services.relay import Progress, Request
from gateway.wiring import Services, open_policies, open_records, open_services
from tests.factories import body
from tests.houses import POLICY, SETTINGS, build, settings_of


async def said(services: Services, key: str, text: str, **changes: Any) -> str:
    request = Request(key, "openai.chat", body(text, **changes))
    items = services.relay.relay(request, Progress("call_1"))
    chunks = [one async for one in items if isinstance(one, Chunk)]
    parts = [part for chunk in chunks for part in chunk.parts]
    return "".join(part.text for part in parts if isinstance(part, Text))


async def records(services: Services) -> list[dict[str, Any]]:
    return [json.loads(row) async for _, row, _ in services.records.store.audit.entries()]


async def test_a_call_goes_all_the_way_through_what_the_settings_ask_for(tmp_path: Path) -> None:
    async with open_services(settings_of(build(tmp_path))) as services:
        key = await services.records.keys.create("red")
        assert await said(services, key, "about bluebird") == "about <PROJECTS>"
        assert await services.database_answers()
        assert services.local_models_run()
        assert [one.name for one in services.detectors] == ["keywords"]
        kinds = [one["kind"] for one in await records(services)]

    assert kinds == ["key.created", "inference.intent", "inference.decision"]


async def test_a_blocked_call_is_refused_and_recorded(tmp_path: Path) -> None:
    async with open_services(settings_of(build(tmp_path))) as services:
        key = await services.records.keys.create("red")
        with pytest.raises(PolicyBlocked):
            await said(services, key, "about TCK-123456")
        last = (await records(services))[-1]

    assert (last["kind"], last["outcome"]) == ("inference.decision", "blocked")


async def test_teams_have_their_models_and_limits(tmp_path: Path) -> None:
    async with open_services(settings_of(build(tmp_path))) as services:
        red, blue = [await services.records.keys.create(team) for team in ("red", "blue")]
        assert await said(services, blue, "hi", model="lab/one") == "hi"
        with pytest.raises(ModelNotFound):
            await said(services, red, "hi", model="lab/one")

        caller = await services.relay.keys.identify(red)
        rooms = [services.relay.limits.admit(caller) for _ in range(2)]
        with pytest.raises(OverLimit):
            await said(services, red, "hi")
        for room in rooms:
            with room:
                pass
        assert await said(services, red, "hi") == "hi"


async def test_keys_and_records_outlast_the_process(tmp_path: Path) -> None:
    settings = settings_of(build(tmp_path))
    async with open_records(settings) as first:
        key = await first.keys.create("red")
    async with open_services(settings) as services:
        assert await said(services, key, "hi") == "hi"
    async with open_services(settings) as services:
        assert await said(services, key, "hi") == "hi"
        kinds = [one["kind"] for one in await records(services)]

    assert kinds.count("inference.decision") == 2


async def test_a_policy_that_is_wrong_stops_the_start(tmp_path: Path) -> None:
    config = build(tmp_path, policy=POLICY.replace("action: block", "action: blok"))

    with pytest.raises(InvalidDocument) as refused:
        async with open_services(settings_of(config)):
            pass

    (problem,) = refused.value.problems
    assert problem.file.endswith("house.yaml")
    assert problem.line == 8


async def test_a_database_that_is_away_stops_the_start(tmp_path: Path) -> None:
    away = SETTINGS.replace("sqlite:///var/wardgate.db", "postgresql://x@127.0.0.1:1/x")

    with pytest.raises(AuditUnavailable):
        async with open_services(settings_of(build(tmp_path, settings=away))):
            pass


async def test_calls_that_run_at_the_end_leave_their_record(tmp_path: Path) -> None:
    settings = settings_of(build(tmp_path))
    async with open_services(settings) as services:
        key = await services.records.keys.create("blue")
        request = Request(key, "openai.chat", body("word " * 2_000, stream=True))
        items = services.relay.relay(request, Progress("call_1"))
        await anext(items)
        leaving = asyncio.get_running_loop().create_task(items.aclose())
        await asyncio.sleep(0)
    await leaving

    async with open_services(settings) as services:
        last = (await records(services))[-1]
    assert (last["kind"], last["outcome"]) == ("inference.decision", "abandoned")


async def test_policies_open_without_a_store(tmp_path: Path) -> None:
    settings = settings_of(build(tmp_path))
    async with open_policies(settings) as policies:
        found = await policies.load(settings.policies)

    assert [one.name for one in found.policies] == ["house"]
    assert not (tmp_path / "var").exists()
