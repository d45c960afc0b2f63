"""The matrix: every surface, whole and as a stream, every place of text, every disguise; nothing gets by.

The places come from the censuses, so a new field enters by itself. The model speaks too: in every place
where one can.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest

from gateway.http.app import ROUTES
from gateway.wiring import surfaces
from tests.acceptance.calling import session
from tests.acceptance.listening import Answer, listening
from tests.acceptance.running import Running, running
from tests.acceptance.speaking import speaking
from tests.surfaces.placing import Place, places

POLICY = """
version: 1
name: matrix
applies_to: {}
media: {image: allow, audio: allow, file: allow}
detectors:
  pii: {languages: [en], entities: [EMAIL_ADDRESS, US_SSN]}
  keywords: {lists: {animals: [quagga]}}
rules:
  - {id: closed, label: detector.failed, action: block}
  - {id: people, label: [pii.email_address, pii.us_ssn], action: redact}
  - {id: animals, label: keyword.animals, action: redact}
"""
EMAIL = "zebra.canary@corp.example.com"


@dataclass(frozen=True)
class Canary:
    """A text in some disguise; none of `traces` may be anywhere after it."""

    name: str
    text: str
    traces: tuple[str, ...] = ("zebra",)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


CANARIES = (
    Canary("word", "quagga", ("quagga",)),
    Canary("e-mail", EMAIL),
    Canary("zero width", EMAIL.replace("a", "a\u200b")),
    Canary("fullwidth at", EMAIL.replace("@", "\uff20")),
    Canary("percent at", EMAIL.replace("@", "%40")),
    Canary("html at", EMAIL.replace("@", "&#64;")),
    Canary("base64", _base64(f"mail {EMAIL} now"), (_base64(f"mail {EMAIL} now")[16:32],)),
    Canary("hyphens", "ssn 457\u201155\u20115462", ("457-55", "457\u201155", "55\u20115462", "55-5462")),
    Canary("tag characters", EMAIL.replace("canary", "".join(chr(0xE0000 + ord(c)) for c in "canary"))),
)  # fmt: skip
STREAMING = {name: "stream" in cast("Any", one).census.fields for name, one in surfaces().items()}
PATHS = {surface: path for path, surface in ROUTES.items()}
ON_MESSAGES = ("anthropic.messages", "anthropic.count_tokens", "openai.chat", "openai.responses")
"""What an engine that speaks Messages can be asked on."""
MODELLESS = ("openai.moderations", "wardgate.guard")


@dataclass
class House:
    """A gateway before a model server that says canaries; `heard` is what reached the server."""

    gateway: Running
    key: str
    heard: list[bytes]
    telemetry: list[bytes] = field(default_factory=list[bytes])


@contextmanager
def _open_house(folder: Path) -> Iterator[House]:
    heard: list[bytes] = []
    collected: list[bytes] = []

    def collect(_: str, body: bytes) -> Answer:
        collected.append(body)
        return 200, "application/x-protobuf", b""

    with (
        listening(speaking([one.text for one in CANARIES], heard)) as engine,
        listening(collect) as collector,
        running(
            folder,
            {
                "m*": {"engine": "openai", "base_url": f"{engine}/v1", "model": "*"},
                "a*": {"engine": "anthropic", "base_url": f"{engine}/v1", "model": "*"},
            },
            {"matrix": POLICY},
            telemetry={"otlp_endpoint": collector},
            log_level="debug",
        ) as gateway,
    ):
        yield House(gateway, gateway.key(), heard, collected)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with _open_house(tmp_path_factory.mktemp("matrix")) as house:
        yield house


@dataclass(frozen=True)
class Told:
    """What became of one call: at which place the canary stood, and what the client got."""

    place: Place
    canary: Canary
    status: int
    headers: str
    body: bytes


def _body(place: Place, canary: Canary, model: str, *, stream: bool) -> dict[str, Any]:
    body = {**place.put(canary.text), "model": model}
    if "messages" in body and place.path != "text":
        # A model of another dialect is asked something at the end, or it is not asked.
        body["messages"] = [*body["messages"], {"role": "user", "content": "And?"}]
    if stream:
        body["stream"] = True
    return body


async def _ask(http: aiohttp.ClientSession, house: House, path: str, body: Any) -> tuple[Any, ...]:
    url = house.gateway.base_url.removesuffix("/v1") + path
    headers = {"Authorization": f"Bearer {house.key}"}
    async with http.post(url, json=body, headers=headers) as answer:
        return answer.status, str(answer.headers), await answer.read()


def _calls(house: House, surface: str, engine: str, *, stream: bool) -> list[Told]:
    """One call for each place and canary that may stand there."""
    census = cast("Any", surfaces()[surface]).census
    wanted = [
        (place, canary, number)
        for place in places(census)
        if place.path != "model"
        for number, canary in enumerate(CANARIES)
        if place.takes(canary.text)
    ]

    async def run() -> list[Told]:
        async with session(16) as http:

            async def one(place: Place, canary: Canary, number: int) -> Told:
                body = _body(place, canary, f"{engine}{number}", stream=stream)
                return Told(place, canary, *await _ask(http, house, PATHS[surface], body))

            return await asyncio.gather(*(one(*each) for each in wanted))

    return asyncio.run(run())


def _leaks(told: list[Told], heard: list[bytes]) -> set[str]:
    """Where a trace was seen; one string for each sort of leak."""
    seen: set[str] = set()
    for one in told:
        for trace in one.canary.traces:
            if trace.encode() in one.body or trace in one.headers:
                seen.add(f"client: {one.canary.name} at {one.place.path}")
    for canary in CANARIES:
        for trace in canary.traces:
            seen |= {f"model: {canary.name}" for body in heard if trace.encode() in body}
    return seen


def _ways(names: Any) -> list[tuple[str, bool]]:
    return [
        (name, stream)
        for name in names
        for stream in (False, True)
        if not stream or STREAMING[name]
    ]


@pytest.mark.parametrize(
    ("surface", "stream"), _ways(name for name in PATHS if name not in MODELLESS)
)
def test_no_canary_gets_by_on_the_way_to_an_engine_of_openais_dialect_or_back(
    house: House, surface: str, stream: bool
) -> None:
    house.heard.clear()
    told = _calls(house, surface, "m", stream=stream)

    refused = {(one.place.path, one.status, one.body) for one in told if one.status != 200}
    assert not {one for one in refused if not _expected(one)}
    assert len(house.heard) == sum(one.status == 200 for one in told) > 0
    assert _leaks(told, house.heard) == set()


@pytest.mark.parametrize(
    ("surface", "stream"), _ways(name for name in ON_MESSAGES if name in PATHS)
)
def test_no_canary_gets_by_on_the_way_to_an_engine_that_speaks_messages_or_back(
    house: House, surface: str, stream: bool
) -> None:
    house.heard.clear()
    told = _calls(house, surface, "a", stream=stream)

    answered = [one for one in told if one.status == 200]
    assert {one.status for one in told} <= {200, 400}
    assert len(answered) > len(told) / 3
    assert _leaks(told, house.heard) == set()


@pytest.mark.parametrize("surface", MODELLESS)
def test_what_is_judged_alone_reaches_no_model_and_comes_back_rewritten(
    house: House, surface: str
) -> None:
    house.heard.clear()
    told = _calls(house, surface, "m", stream=False)

    assert house.heard == []
    assert {one.status for one in told} == {200}
    assert _leaks(told, []) == set()


def test_no_canary_is_in_any_record_span_metric_log_or_file(tmp_path: Path) -> None:
    with _open_house(tmp_path) as house:
        for surface in PATHS:
            _calls(house, surface, "m", stream=STREAMING[surface])
        metrics = house.gateway.get("/metrics", admin=True)[1]
        records = str(house.gateway.records()).encode()
        house.gateway.stop()
        spans = b"".join(house.telemetry)
    sinks = {
        str(file.relative_to(tmp_path)): file.read_bytes()
        for file in tmp_path.rglob("*")
        if file.is_file() and not {"policies", "wardgate.yaml"} & {*file.parts}
    }
    sinks |= {"metrics": metrics, "records": records, "spans": spans}

    assert b"wardgate.look_input" in spans
    assert b"inference.decision" in records
    leaks = {
        f"{canary.name} in {name}"
        for name, content in sinks.items()
        for canary in CANARIES
        for trace in canary.traces
        if trace.encode() in content
    }
    assert leaks == set()


def _expected(refusal: tuple[str, int, bytes]) -> bool:
    """What an engine of OpenAI's dialect cannot be told of another dialect's call is refused by name."""
    place, status, body = refusal
    unknown_tool = place.startswith("tool_choice<allowed_tools>") and b"one of `tools`" in body
    return status == 400 and (b'"unsupported"' in body or unknown_tool)


def test_the_matrix_has_every_place_that_the_tables_call_guarded() -> None:
    from gateway.surfaces.census import rows  # noqa: PLC0415  beside what it is compared to

    for surface in surfaces().values():
        census = cast("Any", surface).census
        guarded = {row.path for row in rows(census) if row.fate == "guarded"}
        assert {place.path for place in places(census)} == guarded
