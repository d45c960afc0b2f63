"""A stock OpenAI client talks through Wardgate and hardly notices; what passes is redacted both ways."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from gateway.settings import shipped_policies
from tests.acceptance.running import Running, running
from tests.rig import MockUpstream

MARKS = ("maria.garcia@acme.org", "4111 1111 1111 1111", "Maria Garcia")


@pytest.fixture(scope="module")
def gateway(
    tmp_path_factory: pytest.TempPathFactory, mock_upstream_process: MockUpstream
) -> Iterator[Running]:
    models = {
        "chat": {
            "engine": "openai",
            "base_url": mock_upstream_process.base_url,
            "model": "mock~script=echo",
        },
        "mock*": {"engine": "openai", "base_url": mock_upstream_process.base_url, "model": "*"},
    }
    policies = {"base": (shipped_policies() / "base.yaml").read_text()}
    with running(tmp_path_factory.mktemp("gateway"), models, policies) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def client(gateway: Running) -> openai.OpenAI:
    return openai.OpenAI(base_url=gateway.base_url, api_key=gateway.key(), max_retries=0)


def test_what_a_client_sends_reaches_the_model_redacted_in_every_role_and_kind(
    client: openai.OpenAI, mock_upstream: MockUpstream
) -> None:
    line = "Write to Maria Garcia at maria.garcia@acme.org about card 4111 1111 1111 1111."
    client.chat.completions.create(
        model="chat",
        messages=[
            {"role": "system", "content": line},
            {"role": "developer", "content": [{"type": "text", "text": line}]},
            {"role": "user", "content": line, "name": "ann"},
            {
                "role": "assistant",
                "content": line,
                "tool_calls": [
                    {
                        "id": "call_1",
                        "type": "function",
                        "function": {"name": "send", "arguments": json.dumps({"to": line})},
                    }
                ],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": line},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "to maria.garcia@"},
                    {"type": "text", "text": "acme.org now"},
                ],
            },
        ],
        tools=[
            {
                "type": "function",
                "function": {
                    "name": "send",
                    "description": line,
                    "parameters": {
                        "type": "object",
                        "properties": {"to": {"type": "string", "description": line}},
                    },
                },
            }
        ],
        stop=["maria.garcia@acme.org"],
        user="maria.garcia@acme.org",
        metadata={"who": "maria.garcia@acme.org"},
    )

    sent = json.dumps(mock_upstream.last()[0]["body"])
    assert not [mark for mark in MARKS if mark in sent]
    assert "acme.org" not in sent
    assert sent.count("<EMAIL_ADDRESS>") >= 11
    assert sent.count("<CREDIT_CARD>") >= 7
    assert sent.count("<PERSON>") >= 7


@pytest.mark.parametrize("script", ["pii_email", "pii_card", "pii_person", "pii_phone", "pii_many"])
def test_what_the_model_answers_comes_back_redacted_whole_and_as_a_stream(
    client: openai.OpenAI, script: str
) -> None:
    ask: dict[str, Any] = {
        "model": f"mock~script={script}",
        "messages": [{"role": "user", "content": "hi"}],
        "n": 2,
    }

    whole = client.chat.completions.create(**ask)
    streamed = ["", ""]
    for chunk in client.chat.completions.create(**ask, stream=True):
        for choice in chunk.choices:
            streamed[choice.index] += choice.delta.content or ""

    texts = [choice.message.content for choice in whole.choices]
    assert texts == streamed
    assert "<" in streamed[0]
    for mark in ("john", "doe@", "4111", "John Do", "555", "5500", "192.168"):
        assert mark not in streamed[0]


def test_tools_come_back_redacted_as_valid_json(client: openai.OpenAI) -> None:
    ask: dict[str, Any] = {
        "model": "mock~script=tool",
        "messages": [{"role": "user", "content": "hi"}],
    }

    whole = client.chat.completions.create(**ask)
    arguments, names, reasons = "", "", []
    for chunk in client.chat.completions.create(**ask, stream=True):
        for choice in chunk.choices:
            reasons.append(choice.finish_reason)
            for call in choice.delta.tool_calls or ():
                assert call.function is not None
                names += call.function.name or ""
                arguments += call.function.arguments or ""

    calls = whole.choices[0].message.tool_calls or []
    assert calls[0].type == "function"
    assert json.loads(calls[0].function.arguments) == {"to": "<EMAIL_ADDRESS>", "body": "hi"}
    assert json.loads(arguments) == {"to": "<EMAIL_ADDRESS>", "body": "hi"}
    assert names == "send_mail"
    assert reasons[-1] == "tool_calls"


def test_usage_and_finish_reasons_are_the_models_own(client: openai.OpenAI) -> None:
    ask: dict[str, Any] = {
        "model": "mock~tokens=5",
        "messages": [{"role": "user", "content": "hi"}],
    }

    whole = client.chat.completions.create(**ask)
    chunks = list(
        client.chat.completions.create(**ask, stream=True, stream_options={"include_usage": True})
    )
    without = list(client.chat.completions.create(**ask, stream=True))

    assert whole.usage is not None
    assert whole.usage.completion_tokens == 5
    assert whole.choices[0].finish_reason == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 5
    assert all(chunk.usage is None for chunk in without)


def test_every_answer_says_which_call_action_and_policy(client: openai.OpenAI) -> None:
    answer = client.chat.completions.with_raw_response.create(
        model="chat", messages=[{"role": "user", "content": "to maria.garcia@acme.org"}]
    )

    assert answer.headers["x-wardgate-call"].startswith("call_")
    assert answer.headers["x-wardgate-action"] == "redact"
    assert answer.headers["x-wardgate-policy"].startswith("base@")


def test_models_are_listed(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["chat"]


@pytest.mark.parametrize(
    ("model", "error", "status"),
    [
        ("mock~fail=500", openai.InternalServerError, 502),
        ("mock~fail=reset", openai.InternalServerError, 502),
        ("mock~fail=badjson", openai.InternalServerError, 502),
        ("nothere", openai.NotFoundError, 404),
    ],
)
def test_failures_are_the_errors_that_the_client_knows(
    client: openai.OpenAI, model: str, error: type[openai.APIStatusError], status: int
) -> None:
    with pytest.raises(error) as raised:
        client.chat.completions.create(model=model, messages=[{"role": "user", "content": "hi"}])

    assert raised.value.status_code == status


def test_a_stream_that_breaks_is_an_error_and_nothing_unlooked_at_leaves(
    client: openai.OpenAI,
) -> None:
    stream = client.chat.completions.create(
        # Slowly, so that text has left by then: a break before the first text is a plain 502.
        model="mock~tokens=400~delay_ms=5~fail=midstream~fail_at=390",
        messages=[{"role": "user", "content": "hi"}],
        stream=True,
    )

    texts: list[str] = []
    with pytest.raises(openai.APIError, match="broke off"):
        texts.extend(chunk.choices[0].delta.content or "" for chunk in stream)

    assert "".join(texts)


def test_a_wrong_key_is_refused(gateway: Running, client: openai.OpenAI) -> None:
    key = client.api_key[:-1] + ("A" if client.api_key[-1] != "A" else "B")
    stranger = openai.OpenAI(base_url=gateway.base_url, api_key=key, max_retries=0)

    with pytest.raises(openai.AuthenticationError):
        stranger.chat.completions.create(model="chat", messages=[{"role": "user", "content": "hi"}])
