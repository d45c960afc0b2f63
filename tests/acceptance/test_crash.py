"""Killed in the middle of its work, the gateway loses nothing that it said or let go."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.calling import Told, ask, session
from tests.acceptance.policies import ALLOW
from tests.acceptance.running import Running, outcomes, running
from tests.postgres import postgres
from tests.rig import MockUpstream

CALLS = 200
KILLS = int(os.environ.get("WARDGATE_TEST_KILLS", "3"))  # noqa: TID251 - `make soak` asks for more


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def gateway(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    mock_upstream_process: MockUpstream,
) -> Iterator[Running]:
    models = {
        "mock*": {"engine": "openai", "base_url": mock_upstream_process.base_url, "model": "*"}
    }
    folder = tmp_path_factory.mktemp("crash")
    if request.param == "sqlite":
        with running(folder, models, {"allow": ALLOW}) as gateway:
            yield gateway
        return
    with (
        postgres() as server,
        running(folder, models, {"allow": ALLOW}, database=server.url()) as gateway,
    ):
        yield gateway


ENOUGH = 100
"""Answers that came before the kill, so that it falls into the middle of the work."""


async def _calls_until_killed(gateway: Running, key: str, after: float) -> list[Told]:
    answers: list[Told] = []

    async def one(number: int) -> None:
        stream = number % 2 == 0
        # Streams of different lengths, so that some are in their middle at any moment.
        model = (
            f"mock~tokens={40 + number * 4}~delay_ms=5" if stream else "mock~tokens=4~delay_ms=5"
        )
        while gateway.process and gateway.process.poll() is None:
            answers.append(await ask(http, gateway.base_url, key, model, stream=stream))

    async def killer() -> None:
        while sum(answer.whole for answer in answers) < ENOUGH:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await asyncio.sleep(after)
        await asyncio.to_thread(gateway.kill)

    async with session(CALLS) as http:
        async with asyncio.timeout(60):
            await asyncio.gather(*(one(number) for number in range(CALLS)), killer())
    return answers


def _how(answers: list[Told]) -> Counter[tuple[int | None, bool, bool]]:
    """What a failure should say of the answers: status, whole, with text."""
    return Counter((one.status, one.whole, bool(one.text)) for one in answers)


def _wait_until_closed(gateway: Running, within: float = 15.0) -> dict[str, list[str]]:
    deadline = time.monotonic() + within
    while True:
        told = outcomes(gateway.records())
        if all(told.values()) or time.monotonic() > deadline:
            return told


def test_after_kill_9_every_released_answer_has_its_record_and_every_intent_is_closed(
    gateway: Running,
) -> None:
    key = gateway.key()
    for kill in range(KILLS):
        answers = asyncio.run(_calls_until_killed(gateway, key, 0.1 + kill * 0.17))
        gateway.start()

        told = _wait_until_closed(gateway)

        finished = [one for one in answers if one.status == 200 and one.whole]
        cut = [one for one in answers if one.status == 200 and not one.whole and one.text]
        assert finished, _how(answers)
        assert cut, _how(answers)
        assert {one.call: told.get(str(one.call)) for one in finished} == {
            one.call: ["completed"] for one in finished
        }
        # Its decision may have been durable when the process died: then the log says more than the
        # client got, which is the safe side.
        assert all(told[str(one.call)] in (["interrupted"], ["completed"]) for one in cut)
        assert {len(ends) for ends in told.values()} == {1}


def test_sequence_numbers_have_no_gap_after_all_that(gateway: Running) -> None:
    assert [record["seq"] for record in gateway.records()] == list(
        range(1, len(gateway.records()) + 1)
    )


def test_nothing_of_a_prompt_rests_in_the_data_folder(gateway: Running) -> None:
    key = gateway.key()

    async def one() -> Told:
        async with session(1) as http:
            return await ask(http, gateway.base_url, key, "mock", text="CANARY-REST-77123")

    assert asyncio.run(one()).status == 200
    for file in _files(gateway.folder):
        assert b"CANARY-REST-77123" not in file.read_bytes(), file


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]
