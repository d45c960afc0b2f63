"""As many outcomes as calls, whatever becomes of them: upstreams that fail, clients that leave."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.acceptance.calling import Told, ask, session
from tests.acceptance.policies import WORDS
from tests.acceptance.running import Running, outcomes, running
from tests.rig import MockUpstream

SLOW = "mock~tokens=200~delay_ms=20"
KINDS: list[tuple[str, bool, float | None]] = [
    ("mock~tokens=5", False, None),
    ("mock~tokens=50~delay_ms=2", True, None),
    ("mock~fail=500", False, None),
    ("mock~fail=reset", True, None),
    ("mock~tokens=60~fail=midstream", True, None),
    ("mock~fail=truncate", False, None),
    (SLOW, False, 0.3),
    (SLOW, True, 0.5),
]


@pytest.fixture(scope="module")
def gateway(
    tmp_path_factory: pytest.TempPathFactory, mock_upstream_process: MockUpstream
) -> Iterator[Running]:
    models = {
        "mock*": {"engine": "openai", "base_url": mock_upstream_process.base_url, "model": "*"}
    }
    with running(tmp_path_factory.mktemp("outcomes"), models, {"words": WORDS}) as gateway:
        yield gateway


def test_64_calls_at_once_have_64_outcomes(gateway: Running, mock_upstream: MockUpstream) -> None:
    key = gateway.key()

    async def all_at_once() -> list[Told]:
        async with session(64) as http:
            return await asyncio.gather(
                *(
                    ask(http, gateway.base_url, key, model, stream=stream, leave_after=leave)
                    for model, stream, leave in KINDS * 8
                )
            )

    before = outcomes(gateway.records()).keys()
    told = asyncio.run(all_at_once())

    every = _ends(gateway, len(before) + 64)
    ends = {call: how for call, how in every.items() if call not in before}
    assert Counter(len(one) for one in ends.values()) == {1: 64}
    assert Counter(one[0] for one in ends.values()) == {
        "completed": 16,
        "upstream_failed": 32,
        "abandoned": 16,
    }
    assert sum(one.whole and one.status == 200 for one in told) == 16
    assert mock_upstream.stats().get("active", 0) == 0


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_leaves_cancels_the_models_work_within_a_second(
    gateway: Running, mock_upstream: MockUpstream, *, stream: bool
) -> None:
    key = gateway.key()

    async def leave() -> None:
        async with session(1) as http:
            model = "mock~tokens=500~delay_ms=20"
            await ask(http, gateway.base_url, key, model, stream=stream, leave_after=0.5)

    asyncio.run(leave())

    deadline = time.monotonic() + 1.0
    while mock_upstream.stats().get("cancelled", 0) < 1:
        assert time.monotonic() < deadline, "the model went on working"


def _ends(gateway: Running, calls: int) -> dict[str, list[str]]:
    deadline = time.monotonic() + 20
    while True:
        ends = outcomes(gateway.records())
        done = len(ends) >= calls and all(ends.values())
        if done or time.monotonic() > deadline:
            return ends
