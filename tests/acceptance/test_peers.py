"""Every row of shared/research/peers.md, part 4: where each of four peers leaks or breaks, by the row's name."""

from __future__ import annotations

import asyncio
import io
import json
import sys
import time
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from gateway.settings import shipped_policies
from tests.acceptance.calling import Told, ask, session
from tests.acceptance.running import Running, running
from tests.rig import MockUpstream, eventually

LINE = "Write to john.doe@example.com of SSN 457-55-5462 today."
MARKS = ("john.doe", "example.com", "457-55-5462")
OUTPUT_ONLY = """
version: 1
name: output-only
applies_to: {teams: [late]}
detectors:
  pii: {languages: [en], entities: [EMAIL_ADDRESS]}
rules:
  - {id: closed, label: detector.failed, stage: [output], action: block}
  - {id: people, label: pii.email_address, stage: [output], action: redact}
"""
USER = {"role": "user", "content": "hi"}


@pytest.fixture(scope="module")
def gateway(
    tmp_path_factory: pytest.TempPathFactory, mock_upstream_process: MockUpstream
) -> Iterator[Running]:
    """Its detector of personal data breaks on the word RAISE."""
    models = {
        "mock*": {"engine": "openai", "base_url": mock_upstream_process.base_url, "model": "*"}
    }
    policies = {
        "base": (shipped_policies() / "base.yaml").read_text(),
        "late": OUTPUT_ONLY,
    }
    program = (sys.executable, "-m", "tests.acceptance.broken")
    with running(tmp_path_factory.mktemp("peers"), models, policies, program=program) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def key(gateway: Running) -> str:
    return gateway.key()


async def _all(gateway: Running, key: str, *asked: dict[str, Any]) -> list[Told]:
    async with session(len(asked)) as http:
        model = {"model": "mock"}
        calls = [ask(http, gateway.base_url, key, **{**model, **one}) for one in asked]
        return await asyncio.gather(*calls)


def call(gateway: Running, key: str, /, **asked: Any) -> Told:
    return asyncio.run(_all(gateway, key, asked))[0]


def sent(gateway: Running, key: str, upstream: MockUpstream, **asked: Any) -> str:
    """What reached the model."""
    assert call(gateway, key, **asked).status == 200
    return json.dumps(upstream.last()[0]["body"], ensure_ascii=False)


def clean(text: str, marks: tuple[str, ...] = MARKS) -> bool:
    return "<EMAIL_ADDRESS>" in text and not any(mark in text for mark in marks)


def deltas(told: Told) -> list[Any]:
    """The choices of a stream, in the order in which they came."""
    events = [line[6:] for line in told.text.split(b"\n") if line.startswith(b"data: {")]
    return [choice for event in events for choice in json.loads(event).get("choices", ())]


def streamed(told: Told, slot: str, choice: int = 0) -> str:
    own = [one["delta"] for one in deltas(told) if one["index"] == choice]
    return "".join(delta.get(slot) or "" for delta in own)


def arguments(told: Told) -> str:
    calls = [one for each in deltas(told) for one in each["delta"].get("tool_calls") or ()]
    return "".join(one["function"].get("arguments") or "" for one in calls)


TOOL_CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "mail", "arguments": json.dumps({"about": LINE})},
}
TOOL = {"type": "function", "function": {"name": "mail", "description": LINE}}
INPUTS: dict[str, dict[str, Any]] = {
    "user string": {"text": LINE},
    "list of parts": {"messages": [{"role": "user", "content": [{"type": "text", "text": LINE}]}]},
    "system message": {"messages": [{"role": "system", "content": LINE}, USER]},
    "earlier turns": {
        "messages": [{"role": "user", "content": LINE}, {"role": "assistant", "content": LINE}, USER]
    },
    "tool-call args in history": {
        "messages": [
            {"role": "assistant", "tool_calls": [TOOL_CALL]},
            {"role": "tool", "tool_call_id": "call_1", "content": "sent"},
            {"role": "user", "content": "thanks"},
        ]
    },
    "tool result message": {
        "messages": [
            {"role": "assistant", "tool_calls": [{**TOOL_CALL, "function": {"name": "mail", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "call_1", "content": LINE},
        ]
    },
    "tool description": {"text": "hi", "tools": [TOOL]},
}  # fmt: skip


@pytest.mark.parametrize("row", INPUTS)
def test_input(gateway: Running, key: str, mock_upstream: MockUpstream, row: str) -> None:
    reached = sent(gateway, key, mock_upstream, **INPUTS[row])

    assert clean(reached)
    assert "<US_SSN>" in reached
    if row == "tool-call args in history":
        assert '"thanks"' in reached


@pytest.mark.parametrize(
    ("disguised", "marks"),
    [
        ("john\u200b.d\u200boe@exam\u200bple.com", ("john", "doe")),
        ("john.doe\uff20example.com", ("john.doe",)),
        ("john.doe%40example.com", ("john.doe",)),
        ("SSN 457\u201155\u20115462", ("457", "5462")),
    ],
    ids=["zero-width", "fullwidth at", "percent 40", "U+2011 SSN"],
)
def test_input_in_disguise(
    gateway: Running,
    key: str,
    mock_upstream: MockUpstream,
    disguised: str,
    marks: tuple[str, ...],
) -> None:
    reached = sent(gateway, key, mock_upstream, text=f"Write to {disguised} today.")

    assert not [mark for mark in marks if mark in reached]
    assert "Write to" in reached


@pytest.mark.parametrize("script", ["pii_email", "pii_ssn", "pii_card", "pii_phone", "pii_person"])
def test_output_text(gateway: Running, key: str, mock_upstream: MockUpstream, script: str) -> None:
    """Row `output text`, and `stream, PII split in chunks`: the same bytes."""
    asked = {"model": f"mock~script={script}"}
    whole, stream = asyncio.run(_all(gateway, key, asked, {**asked, "stream": True}))

    text = json.loads(whole.text)["choices"][0]["message"]["content"]
    assert streamed(stream, "content") == text
    for mark in ("john", "doe@", "45", "6-78", "4111", "555", "John", "Doe"):
        assert mark not in text
    assert "<" in text


def test_output_tool_call_args(gateway: Running, key: str, mock_upstream: MockUpstream) -> None:
    """Rows `output tool-call args` and `stream tool args`."""
    asked = {"model": "mock~script=tool"}
    whole, stream = asyncio.run(_all(gateway, key, asked, {**asked, "stream": True}))

    [called] = json.loads(whole.text)["choices"][0]["message"]["tool_calls"]
    expected = {"to": "<EMAIL_ADDRESS>", "body": "hi"}
    assert json.loads(called["function"]["arguments"]) == expected
    assert arguments(stream) == called["function"]["arguments"]


def test_output_reasoning_content(gateway: Running, key: str, mock_upstream: MockUpstream) -> None:
    """Rows `output reasoning_content` and `stream reasoning`."""
    asked = {"model": "mock~script=reasoning"}
    whole, stream = asyncio.run(_all(gateway, key, asked, {**asked, "stream": True}))

    message = json.loads(whole.text)["choices"][0]["message"]
    assert message["reasoning_content"] == "The user is <EMAIL_ADDRESS>"
    assert message["content"] == "Done."
    assert streamed(stream, "reasoning_content") == message["reasoning_content"]
    assert streamed(stream, "content") == "Done."


def test_output_n_2(gateway: Running, key: str, mock_upstream: MockUpstream) -> None:
    """Rows `output n=2` and `stream n=2`: both choices, each its own."""
    asked = {"model": "mock~script=pii_email", "n": 2}
    whole, stream = asyncio.run(_all(gateway, key, asked, {**asked, "stream": True}))

    texts = [choice["message"]["content"] for choice in json.loads(whole.text)["choices"]]
    assert texts == ["Contact <EMAIL_ADDRESS> for the details."] * 2
    assert [streamed(stream, "content", choice) for choice in (0, 1)] == texts


def test_analyzer_down_input_stage(gateway: Running, key: str, mock_upstream: MockUpstream) -> None:
    told = call(gateway, key, text=f"RAISE {LINE}")

    assert told.status == 400
    assert mock_upstream.stats().get("requests", 0) == 0


@pytest.mark.parametrize("stream", [False, True])
def test_analyzer_down_output_stage(
    gateway: Running, mock_upstream: MockUpstream, *, stream: bool
) -> None:
    """The input is not looked at by this team's policy, so the detector breaks on the answer alone."""
    told = call(
        gateway,
        gateway.key("late"),
        model="mock~script=echo",
        text=f"RAISE {LINE}",
        stream=stream,
    )

    assert mock_upstream.stats()["requests"] == 1
    assert told.status == 200
    assert b"content_filter" in told.text
    for mark in ("RAISE", *MARKS):
        assert mark.encode() not in told.text


def test_upstream_breaks_mid_stream(
    gateway: Running, key: str, mock_upstream: MockUpstream
) -> None:
    """What was held back when it broke is never flushed; an error event says so; no bare `[DONE]`."""
    model = "mock~tokens=400~delay_ms=2~fail=midstream~fail_at=390"
    told = call(gateway, key, model=model, stream=True)

    events = [line[6:] for line in told.text.split(b"\n") if line.startswith(b"data: ")]
    assert b"[DONE]" not in told.text
    assert json.loads(events[-1])["error"]["code"] == "upstream_broken"
    assert 0 < len(streamed(told, "content").split()) < 390


@pytest.mark.parametrize("body", [b'{"model": "mock", ', b"\xff\xfe", b"", b"[1]", b'"x"'])
def test_bad_json(gateway: Running, key: str, mock_upstream: MockUpstream, body: bytes) -> None:
    status, answer = asyncio.run(_post(gateway, key, body))

    assert status == 400
    assert answer["error"]["type"] == "invalid_request_error"
    assert mock_upstream.stats().get("requests", 0) == 0


def test_messages_is_a_string(gateway: Running, key: str, mock_upstream: MockUpstream) -> None:
    told = call(gateway, key, messages="hello")

    assert told.status == 400
    assert json.loads(told.text)["error"]["param"] == "messages"
    assert mock_upstream.stats().get("requests", 0) == 0


def test_5_mb_body(gateway: Running, key: str, mock_upstream: MockUpstream) -> None:
    body = json.dumps({"model": "mock", "messages": [{"role": "user", "content": "word " * 10**6}]})

    async def run() -> tuple[int, float, Told, float]:
        began = time.monotonic()
        status, _ = await _post(gateway, key, body.encode())
        answered = time.monotonic() - began
        [after] = await _all(gateway, key, {"text": "hello"})
        return status, answered, after, time.monotonic() - began - answered

    status, answered, after, next_took = asyncio.run(run())

    assert status == 413
    assert answered < 2
    assert after.status == 200
    assert next_took < 2


@pytest.mark.parametrize("fault", ["500", "429", "badjson", "truncate", "reset"])
def test_upstream_fails(
    gateway: Running, key: str, mock_upstream: MockUpstream, fault: str
) -> None:
    """Rows `upstream 500 / 429 tries` and `upstream bad or truncated JSON`: one try, a clear 502."""
    told = call(gateway, key, model=f"mock~fail={fault}")

    assert told.status == 502
    assert json.loads(told.text)["error"]["type"] == "upstream_error"
    assert mock_upstream.stats()["requests"] == 1


@pytest.mark.parametrize("stream", [True, False], ids=["mid-stream", "non-stream"])
def test_client_leaves(
    gateway: Running, key: str, mock_upstream: MockUpstream, *, stream: bool
) -> None:
    """The model's work is cancelled within a second."""
    model = "mock~tokens=1000~delay_ms=10" if stream else "mock~ttft_ms=8000"

    async def run() -> float:
        async with session(1) as http:
            asked = {"stream": stream, "leave_after": 0.7}
            await ask(http, gateway.base_url, key, model, **asked)
        left = time.monotonic()
        await eventually(lambda: mock_upstream.stats().get("cancelled", 0) == 1, within=3)
        return time.monotonic() - left

    assert asyncio.run(run()) < 1
    assert mock_upstream.stats().get("active", 0) == 0


async def _post(gateway: Running, key: str, body: bytes) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    url = f"{gateway.base_url}/chat/completions"
    async with (
        aiohttp.ClientSession() as http,
        http.post(url, data=io.BytesIO(body), headers=headers) as answer,
    ):
        return answer.status, await answer.json()
