"""A detector that raises or hangs is seen, named in the record, and by the base policy blocks."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator

import pytest

from gateway.settings import shipped_policies
from tests.acceptance.calling import Told, ask, session
from tests.acceptance.running import Running, running
from tests.rig import MockUpstream


@pytest.fixture(scope="module")
def gateway(
    tmp_path_factory: pytest.TempPathFactory, mock_upstream_process: MockUpstream
) -> Iterator[Running]:
    models = {
        "chat": {
            "engine": "openai",
            "base_url": mock_upstream_process.base_url,
            "model": "mock~script=echo",
        }
    }
    policies = {"base": (shipped_policies() / "base.yaml").read_text()}
    program = (sys.executable, "-m", "tests.acceptance.broken")
    folder = tmp_path_factory.mktemp("broken")
    with running(folder, models, policies, program=program) as gateway:
        yield gateway


def _calls(gateway: Running, texts: list[str]) -> list[Told]:
    key = gateway.key()

    async def all_at_once() -> list[Told]:
        async with session(len(texts)) as http:
            return await asyncio.gather(
                *(ask(http, gateway.base_url, key, "chat", text=text) for text in texts)
            )

    return asyncio.run(all_at_once())


@pytest.mark.parametrize("how", ["RAISE", "HANG"])
def test_it_blocks_before_the_model_and_the_record_says_which(
    gateway: Running, mock_upstream: MockUpstream, how: str
) -> None:
    [told] = _calls(gateway, [f"please {how} CANARY-{how}"])

    assert told.status == 400
    assert b"policy_blocked" in told.text
    assert mock_upstream.stats().get("requests", 0) == 0
    [record] = [one for one in gateway.records() if one["call"] == told.call]
    assert record["outcome"] == "blocked"
    assert {finding["label"] for finding in record["findings"]} == {"detector.failed.pii"}
    assert record["coverage"]["pii"] == {"failed": ["messages.0.content"]}
    assert f"CANARY-{how}" not in gateway.log.read_text()


def test_the_loop_stays_responsive_while_detectors_hang(gateway: Running) -> None:
    slowest = 0.0

    async def watch() -> list[Told]:
        nonlocal slowest
        key = await asyncio.to_thread(gateway.key)
        async with session(20) as http:
            async with asyncio.TaskGroup() as group:
                hanging = [
                    group.create_task(
                        ask(http, gateway.base_url, key, "chat", text=f"HANG {number}")
                    )
                    for number in range(8)
                ]
                while not all(one.done() for one in hanging):
                    began = time.monotonic()
                    async with http.get(gateway.base_url.replace("/v1", "/healthz")) as answer:
                        assert answer.status == 200
                    slowest = max(slowest, time.monotonic() - began)
            return [one.result() for one in hanging]

    told = asyncio.run(watch())

    assert {one.status for one in told} == {400}
    assert slowest < 0.9


def test_it_works_again_afterwards(gateway: Running) -> None:
    [told] = _calls(gateway, ["all is well"])

    assert told.status == 200
