"""A canary in prompts, answers, keys and errors is in no log line, span, metric, error body or record."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.acceptance.calling import Told, ask, session
from tests.acceptance.listening import Answer, listening, talkative
from tests.acceptance.policies import WORDS
from tests.acceptance.running import Running, running

CANARY = "CANARY-90210"
OTHER = "qzx-unmistakable"
"""One that no rule of the policy redacts: it may reach model and client, and nothing else."""


@dataclass
class Sinks:
    gateway: Running
    telemetry: list[bytes] = field(default_factory=list[bytes])

    def written(self) -> dict[str, bytes]:
        """Everything that a gateway which has stopped wrote about its calls, by where it stands."""
        told = {
            "telemetry": b"".join(self.telemetry),
            "records": str(self.gateway.records()).encode(),
        }
        for file in _files(self.gateway.folder):
            if file.name != "wardgate.yaml":
                told[str(file.relative_to(self.gateway.folder))] = file.read_bytes()
        return told


@pytest.fixture
def sinks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sinks]:
    collected: list[bytes] = []

    def collect(_: str, body: bytes) -> Answer:
        collected.append(body)
        return 200, "application/x-protobuf", b""

    with (
        listening(talkative(f"{CANARY} {OTHER}")) as upstream,
        listening(collect) as collector,
        running(
            tmp_path_factory.mktemp("canary"),
            {"chat": {"engine": "openai", "base_url": f"{upstream}/v1", "model": "m"}},
            {"words": WORDS},
            telemetry={"otlp_endpoint": collector},
            log_level="debug",
        ) as gateway,
    ):
        yield Sinks(gateway, collected)


WAYS = ["fine", "error", "refuse", "garbage", "wrong", "streamerror", "badstream"]


def _all_calls(gateway: Running) -> list[Told]:
    key = gateway.key()

    async def run() -> list[Told]:
        async with session(8) as http:
            good = [
                ask(
                    http,
                    gateway.base_url,
                    key,
                    "chat",
                    stream=stream,
                    text=f"{CANARY} {OTHER} {way}",
                )
                for way in WAYS
                for stream in (False, True)
            ]
            refused = [
                ask(http, gateway.base_url, f"wg_{OTHER}", "chat", text=OTHER),
                ask(http, gateway.base_url, key[:-12] + "qzxqzxqzxqzx", "chat", text=OTHER),
                ask(http, gateway.base_url, key, OTHER, text=OTHER),
                ask(http, gateway.base_url, key, "chat", text=f"{OTHER} blockme {CANARY}"),
                ask(http, gateway.base_url, key, "chat", text=OTHER, temperature=OTHER),
                ask(http, gateway.base_url, key, "chat", text=OTHER, tools=[OTHER]),
                ask(http, gateway.base_url, key, "chat", text=OTHER, unknown_field=OTHER),
                ask(http, gateway.base_url, key, "chat", text=OTHER, messages=OTHER),
            ]
            return await asyncio.gather(*good, *refused)

    return asyncio.run(run())


def test_no_sink_holds_a_canary(sinks: Sinks) -> None:
    told = _all_calls(sinks.gateway)
    pages = {
        "metrics": sinks.gateway.get("/metrics", admin=True)[1],
        "start page": sinks.gateway.get("/", admin=True)[1],
    }
    sinks.gateway.stop()

    assert {one.status for one in told} >= {200, 400, 401, 404, 502}
    for one in told:
        assert CANARY.encode() not in one.text
        if one.status != 200:
            assert OTHER.encode() not in one.text, one
    everything = {**pages, **sinks.written()}
    assert b"wardgate.look_input" in everything["telemetry"]
    assert b"wardgate_calls_total" in everything["metrics"]
    for where, content in everything.items():
        for canary in (CANARY.encode(), OTHER.encode(), b"qzxqzx"):
            assert canary not in content, f"{canary!r} in {where}"


def test_what_an_answer_carries_beside_its_known_fields_is_left_out(sinks: Sinks) -> None:
    key = sinks.gateway.key()

    async def one() -> Told:
        async with session(1) as http:
            return await ask(http, sinks.gateway.base_url, key, "chat", text="fine")

    told = asyncio.run(one())

    assert told.status == 200
    assert told.text.count(OTHER.encode()) == 1  # in the content, where no rule forbids it
    assert CANARY.encode() not in told.text


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and "policies" not in path.parts]
