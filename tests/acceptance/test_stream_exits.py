"""Every exit of a stream settles what is held: nothing unlooked-at leaves, and one record says how it ended.

On every streaming surface, before an engine of either dialect, and however the stream ends: by itself, by
a block, by a model server that breaks off or falls silent, by a detector that fails, by the client.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from tests.acceptance.breaking import LAST, STREAM, Upstream, breaking, chunk
from tests.acceptance.calling import session
from tests.acceptance.running import Running, outcomes, running
from tests.acceptance.speaking import CUT, speaking
from tests.acceptance.streams import BODIES, Answer, asked, calling
from tests.fakes import forever

POLICY = """
version: 1
name: exits
applies_to: {}
detectors:
  pii: {languages: [en], entities: [EMAIL_ADDRESS]}
  keywords: {lists: {bad: [blockme]}}
rules:
  - {id: closed, label: detector.failed, action: block}
  - {id: people, label: pii.email_address, action: redact}
  - {id: bad, label: keyword.bad, action: block}
messages: {blocked: "Not here."}
"""
SENTENCE = "so it is, na\u00efve as it may seem \U0001f600, and nothing more is to be said of it. "
# Filled up so that the canary begins with an event of the stream.
LEAD = f"{SENTENCE * 6}{'-' * (-(len(f'You may write to {SENTENCE * 6} ')) % CUT)} "
CANARY = "zebra.canary@corp.example.com"
TEXTS = {
    "plain": f"{LEAD}{CANARY} {LEAD}",
    "early": f"blockme {CANARY} {LEAD}",
    "late": f"{LEAD}blockme {CANARY} {LEAD}",
    "broken": f"{LEAD}RAISE {CANARY} {LEAD}",
}
SAY = speaking(list(TEXTS.values()), [])
STREAMING = ("openai.chat", "openai.completions", "openai.responses", "anthropic.messages")
WAYS = (
    *((surface, "m") for surface in STREAMING),
    *((surface, "a") for surface in STREAMING if surface != "openai.completions"),
)
"""Each surface, before an engine that speaks OpenAI's dialect (m) and one that speaks Messages (a)."""
NATIVE = {
    ("openai.completions", "m"): "/completions",
    **{(surface, "a"): "/messages" for surface in STREAMING},
}
"""Where the engine is asked, where that is not for chat completions."""


def _said(path: str, asked: Any, text: str) -> bytes:
    """All of a stream, with its characters as they are: UTF-8 that can be cut."""
    number = list(TEXTS).index(text)
    body = json.dumps({**asked, "model": f"m{number}", "stream": True}).encode()
    raw = SAY(f"/v1{path}", body)[2].decode().replace(json.dumps(TEXTS[text]), '"x"')
    for character in ("\u00ef", "\U0001f600"):
        # Not in a tool's arguments, which are JSON within JSON.
        raw = re.sub(r"(?<!\\)" + re.escape(json.dumps(character)[1:-1]), character, raw)
    return raw.encode()


async def _script(path: str, asked: Any) -> AsyncIterator[bytes]:
    """As the model's name says: which text, how it ends, and after how many bytes."""
    _, text, how, at = asked["model"].split("-")
    if how == "hang":
        await forever()
    yield STREAM
    said = _said(path, asked, text)
    if how == "whole":
        yield chunk(said) + LAST
        return
    # In pieces, so that the first of it is looked at before the rest comes.
    for start in range(0, int(at), 1000):
        yield chunk(said[start : min(start + 1000, int(at))])
    async for piece in _ending(how):
        yield piece


async def _ending(how: str) -> AsyncIterator[bytes]:
    if how == "end":
        yield LAST
    while how == "drip":
        yield chunk(b": still here\n\n")
        await asyncio.sleep(0.05)  # it is slow, and never silent
    if how == "stall":
        await forever()


@dataclass
class House:
    gateway: Running
    upstream: Upstream
    key: str

    def ask(self, wanted: list[tuple[str, str]]) -> list[Answer]:
        """A stream for each surface and model."""

        async def run() -> list[Answer]:
            async with session(16) as http:
                base = self.gateway.base_url
                asking = (
                    asked(http, base, self.key, surface, model, stream=True)
                    for surface, model in wanted
                )
                return await asyncio.gather(*asking)

        return asyncio.run(run())

    def ends(self, answers: list[Answer]) -> list[tuple[str, list[str]]]:
        """For each answer its surface's end, and the outcomes in its last records."""
        told = outcomes(self.gateway.records())
        return [(one.end, told[one.call]) for one in answers]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    timeouts: dict[str, dict[str, str]] = {
        "": {},
        "s": {"first_byte": "1s", "between_chunks": "1s"},
        "t": {"total": "2s"},
    }
    with breaking(_script) as upstream:
        models = {
            f"{prefix}{letter}-*": {
                "engine": engine,
                "base_url": upstream.base_url,
                "model": "*",
                "timeouts": dict(times),
            }
            for letter, engine in (("m", "openai"), ("a", "anthropic"))
            for prefix, times in timeouts.items()
        }
        program = (sys.executable, "-m", "tests.acceptance.broken")
        folder = tmp_path_factory.mktemp("exits")
        with running(folder, models, {"exits": POLICY}, program=program) as gateway:
            yield House(gateway, upstream, gateway.key())


def _stream(surface: str, letter: str) -> bytes:
    """What the engine says of the plain text."""
    return _said(NATIVE.get((surface, letter), "/chat/completions"), BODIES[surface], "plain")


def _amid_canary(surface: str, letter: str) -> int:
    """An offset between two events, of which the first has a part of the canary."""
    said = _stream(surface, letter)
    return said.index(b"\n\n", said.index(b"zebra.c")) + 2


def test_a_stream_that_ends_by_itself_is_whole(house: House) -> None:
    answers = house.ask([(surface, f"{letter}-plain-whole-0") for surface, letter in WAYS])

    assert house.ends(answers) == [("whole", ["completed"])] * len(WAYS)
    for one in answers:
        assert any(LEAD.strip() in text for text in one.texts.values())
        assert b"EMAIL_ADDRESS" in one.body
        assert b"zebra" not in one.body


def test_a_block_before_the_first_text_is_the_policys_message(house: House) -> None:
    answers = house.ask([(surface, f"{letter}-early-whole-0") for surface, letter in WAYS])

    assert house.ends(answers) == [("blocked", ["blocked"])] * len(WAYS)
    for one in answers:
        assert [*one.texts.values()] == ["Not here."]


@pytest.mark.parametrize(
    ("text", "label"), [("late", "keyword.bad"), ("broken", "detector.failed.pii")]
)
def test_a_block_or_a_failing_detector_in_the_middle_ends_the_stream_as_blocked(
    house: House, text: str, label: str
) -> None:
    answers = house.ask([(surface, f"{letter}-{text}-whole-0") for surface, letter in WAYS])

    assert house.ends(answers) == [("blocked", ["blocked"])] * len(WAYS)
    records = {one["call"]: one for one in house.gateway.records() if "outcome" in one}
    for one in answers:
        assert label in {finding["label"] for finding in records[one.call]["findings"]}
        [came] = one.texts.values()
        assert 20 < len(came) < len(LEAD) + 20
        assert _starts_as(came, f"You may write to {LEAD}")
        assert not re.search(b"zebra|blockme|RAISE", one.body)


def _starts_as(came: str, text: str) -> bool:
    return text.startswith(came)


@pytest.mark.parametrize("way", WAYS, ids="-".join)
def test_a_stream_that_breaks_off_anywhere_is_an_error_and_nothing_unlooked_at(
    house: House, way: tuple[str, str]
) -> None:
    surface, letter = way
    [whole] = house.ask([(surface, f"{letter}-plain-whole-0")])
    cuts = _cuts(_stream(*way))
    answers = house.ask(
        [
            (surface, f"{letter}-plain-{how}-{at}")
            for number, at in enumerate(cuts)
            for how in ("cut", "end")[number % 2 : number % 2 + 1]
        ]
    )

    ends = house.ends(answers)
    assert [outcome for _, outcome in ends] == [["upstream_failed"]] * len(cuts)
    assert {end for end, _ in ends} == {"upstream_broken", "upstream_failed"}
    assert {one.status for one in answers} == {200, 502}
    for one in answers:
        assert b"zebra" not in one.body
        for key, text in one.texts.items():
            assert _starts_as(text, whole.texts[key])


def _cuts(said: bytes) -> list[int]:
    """Offsets between events, in an event, in a UTF-8 sequence, and after each piece of the canary."""
    between = [found.end() for found in re.finditer(b"\n\n", said)]
    within = [at for at in range(len(said)) if said[at] & 0xC0 == 0x80]
    spread = range(1, len(said), len(said) // 40)
    canaries = [found.start() for found in re.finditer(b"zebra.c", said)]
    assert canaries
    some = [*between[::20], *within[:: len(within) // 15], *spread]
    for at in canaries:
        some += [end for end in between if end > at][:5]
    # What comes later than that adds no text: some of these ends are the whole stream.
    return sorted({at for at in some if at < between[-6]})


@pytest.mark.parametrize(("clock", "how"), [("s", "stall"), ("t", "drip"), ("t", "stall")])
@pytest.mark.parametrize("begun", [False, True], ids=["before any text", "amid the canary"])
def test_a_model_server_that_takes_too_long_is_a_timeout_and_nothing_unlooked_at(
    house: House, clock: str, how: str, begun: bool
) -> None:
    whole = house.ask([(surface, f"{letter}-plain-whole-0") for surface, letter in WAYS])
    answers = house.ask(
        [
            (surface, f"{clock}{letter}-plain-{how}-{_amid_canary(surface, letter) * begun}")
            for surface, letter in WAYS
        ]
    )

    assert house.ends(answers) == [("upstream_timeout", ["upstream_timeout"])] * len(WAYS)
    assert {one.status for one in answers} == {200 if begun else 504}
    for one, entire in zip(answers, whole, strict=True):
        assert b"zebra" not in one.body
        assert bool(one.texts) == begun
        for key, text in one.texts.items():
            assert _starts_as(text, entire.texts[key])


# -- a client that leaves


def _until(holds: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"did not come true in {seconds} s"
        time.sleep(0.01)  # what is waited for is in another process


def test_clients_that_leave_in_the_middle_cancel_the_models_work_within_a_second(
    house: House,
) -> None:
    left = house.upstream.left

    async def leave(http: aiohttp.ClientSession, surface: str, letter: str) -> str:
        model = f"{letter}-plain-stall-{_amid_canary(surface, letter)}"
        base = house.gateway.base_url
        async with calling(http, base, house.key, surface, model, stream=True) as answer:
            while b"seem" not in await answer.content.readany():
                pass
            answer.close()
            return answer.headers["x-wardgate-call"]

    async def all_leave() -> list[str]:
        async with session(len(WAYS)) as http, asyncio.timeout(10):
            return await asyncio.gather(*(leave(http, *way) for way in WAYS))

    calls = asyncio.run(all_leave())
    _until(lambda: house.upstream.left == left + len(WAYS), 1.0)
    told = outcomes(house.gateway.records())
    assert [told[call] for call in calls] == [["abandoned"]] * len(WAYS)


WHOLE = (
    *WAYS,
    ("openai.embeddings", "m"),
    ("rerank", "m"),
    ("anthropic.count_tokens", "a"),
)
"""Every surface that asks a model."""


@pytest.mark.parametrize(("ways", "more"), [(WAYS, {"stream": True}), (WHOLE, {})])
def test_clients_that_leave_before_any_answer_cancel_the_models_work_within_a_second(
    house: House, ways: tuple[tuple[str, str], ...], more: dict[str, Any]
) -> None:
    asked, left = house.upstream.asked, house.upstream.left
    before = outcomes(house.gateway.records()).keys()

    async def leave() -> None:
        async with session(len(ways)) as http:
            base = house.gateway.base_url
            work = [
                calling(http, base, house.key, surface, f"{letter}-plain-hang-0", **more)
                for surface, letter in ways
            ]
            calls = [asyncio.get_running_loop().create_task(one.__aenter__()) for one in work]
            every = asked + len(ways)
            await asyncio.to_thread(_until, lambda: house.upstream.asked == every, 5.0)
            for one in calls:
                one.cancel()
            await asyncio.wait(calls)

    asyncio.run(leave())
    _until(lambda: house.upstream.left == left + len(ways), 1.0)
    told = outcomes(house.gateway.records())
    assert [told[call] for call in told.keys() - before] == [["abandoned"]] * len(ways)
