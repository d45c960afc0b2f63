"""However an engine streams a reply, the official clients put together what they get of it whole.

And nothing that a rule takes out is in any byte of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import httpx
import httpx2
import openai
import pytest

from tests.acceptance.misbehaving import EVENTS, SIZES, Reply, misbehaving
from tests.acceptance.running import Running, running

POLICY = """
version: 1
name: engines
applies_to: {}
detectors:
  pii: {languages: [en], entities: [EMAIL_ADDRESS, US_SSN, CREDIT_CARD]}
  keywords: {lists: {animals: [zebra]}}
  obfuscation: {}
rules:
  - {id: closed, label: detector.failed, action: block}
  - {id: people, label: pii, action: redact}
  - {id: animals, label: keyword.animals, action: redact}
"""
EMAIL = "zebra.canary@corp.example.com"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
HIDDEN = EMAIL.replace("a", "a\u200b")
LONG = f"{'x' * 140}@corp.example.com"
CONTENT = f"""{"all is well today " * 5}{EMAIL} and {HIDDEN}, {FAMILY} {EMAIL} {FAMILY}; {LONG} or
457-55-5462 e\u0301\u0301 \\ud83d "zebra" &amp; 4111 1111 1111 1111 {"so it goes on " * 30}{EMAIL}"""
ARGUMENTS = {"to": EMAIL, "n": 4111111111111111, "many": [CONTENT, {EMAIL: None}], "e": "\u00e9"}
REPLY = Reply(
    f"I think of {EMAIL}.",
    CONTENT,
    (
        ("c1", "send_mail", json.dumps(ARGUMENTS, separators=(",", ":"), ensure_ascii=False)),
        ("c2", "read", '{"path":"457-55-5462"}'),
    ),
)
TRACES = ("canary", "zebra", "457-55", "55-5462", "4111 1111", "11111111")
HI: Any = [{"role": "user", "content": "hi"}]
WAYS = (
    *SIZES,
    *EVENTS,
    *("crlf", "comments", "ascii", "bytes", "together", "characters-ascii-bytes", "role-usage-reason-crlf"),
)  # fmt: skip


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with misbehaving(REPLY) as engine:
        models = {
            "m-*": {"engine": "openai", "base_url": engine, "model": "*"},
            "a-*": {"engine": "anthropic", "base_url": engine, "model": "*"},
        }
        with running(tmp_path_factory.mktemp("engines"), models, {"engines": POLICY}) as gateway:
            yield gateway


class Clients:
    """The official clients, and every byte that they got."""

    def __init__(self, gateway: Running) -> None:
        self.got: list[bytes] = []
        base, key = gateway.base_url, gateway.key()
        keep: Any = {"response": [lambda answer: self.got.append(answer.read())]}
        self.openai = openai.OpenAI(
            base_url=base, api_key=key, http_client=httpx.Client(event_hooks=keep)
        )
        self.anthropic = anthropic.Anthropic(
            base_url=base.removesuffix("/v1"),
            api_key=key,
            http_client=httpx2.Client(event_hooks=keep),
        )

    def close(self) -> None:
        self.openai.close()
        self.anthropic.close()


@pytest.fixture(scope="module")
def clients(gateway: Running) -> Iterator[Clients]:
    clients = Clients(gateway)
    yield clients
    clients.close()


def chat(clients: Clients, model: str, *, stream: bool) -> Any:
    asked: Any = {"model": model, "messages": HI, "n": 2 if model.startswith("m") else 1}
    if not stream:
        answer = clients.openai.chat.completions.create(**asked)
    else:
        usage: Any = {"include_usage": True}
        with clients.openai.chat.completions.stream(**asked, stream_options=usage) as events:
            answer = events.get_final_completion()
    return _said([_choice(one.to_dict(), model) for one in answer.choices], answer.usage)


def _id(given: str, model: str) -> str:
    """One that the engine left out of its stream is made by the gateway."""
    assert given
    return "made" if model == "m-noid" else given


def _choice(choice: dict[str, Any], model: str) -> dict[str, Any]:
    calls = [
        {**call["function"], "id": _id(call["id"], model), "parsed_arguments": None}
        for call in choice["message"]["tool_calls"]
    ]
    names = ("role", "content", "reasoning_content")
    message = {name: choice["message"][name] for name in names}
    return {**message, "calls": calls, "reason": choice["finish_reason"]}


def completions(clients: Clients, model: str, *, stream: bool) -> Any:
    asked: Any = {"model": model, "prompt": "hi", "n": 2}
    if not stream:
        answer = clients.openai.completions.create(**asked)
        return _said([(one.text, one.finish_reason) for one in answer.choices], answer.usage)
    texts, reasons, usage = ["", ""], ["", ""], None
    options: Any = {"include_usage": True}
    for event in clients.openai.completions.create(**asked, stream=True, stream_options=options):
        usage = event.usage or usage
        for one in event.choices:
            texts[one.index] += one.text
            reasons[one.index] = one.finish_reason or reasons[one.index]
    return _said([*zip(texts, reasons, strict=True)], usage)


def responses(clients: Clients, model: str, *, stream: bool) -> Any:
    if not stream:
        answer = clients.openai.responses.create(model=model, input="hi")
    else:
        with clients.openai.responses.stream(model=model, input="hi") as events:
            answer = events.get_final_response()
    output = [_without(item.to_dict(), "id", "parsed_arguments") for item in answer.output]
    for item in output:
        if item["type"] == "function_call":
            item["call_id"] = _id(item["call_id"], model)
    return _said([output, answer.status], answer.usage)


def _without(item: dict[str, Any], *names: str) -> dict[str, Any]:
    kept = {name: value for name, value in item.items() if name not in names}
    if "content" in kept:
        kept["content"] = [_without(part, "parsed") for part in kept["content"]]
    return kept


def messages(clients: Clients, model: str, *, stream: bool) -> Any:
    asked: Any = {"model": model, "max_tokens": 9, "messages": HI}
    if not stream:
        answer = clients.anthropic.messages.create(**asked)
    else:
        with clients.anthropic.messages.stream(**asked) as events:
            answer = events.get_final_message()
    content = [block.to_dict() for block in answer.content]
    for block in content:
        if block["type"] == "tool_use":
            block["id"] = _id(str(block["id"]), model)
    return _said([content, answer.stop_reason], answer.usage)


def _said(answer: Any, usage: Any) -> Any:
    return answer, usage.to_dict()


SURFACES: dict[str, Callable[..., Any]] = {
    "chat": chat,
    "completions": completions,
    "responses": responses,
    "messages": messages,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("surface", "engine"),
    [(name, "m") for name in SURFACES]
    + [(name, "a") for name in SURFACES if name != "completions"],
)
def test_a_stream_adds_up_to_the_whole_and_shows_nothing_that_was_taken_out(
    clients: Clients, surface: str, engine: str, way: str
) -> None:
    clients.got.clear()
    ask = SURFACES[surface]

    whole = ask(clients, f"{engine}-{way}", stream=False)
    streamed = ask(clients, f"{engine}-{way}", stream=True)

    assert streamed == whole
    assert "<EMAIL_ADDRESS>" in str(whole)
    assert {trace for trace in TRACES for got in clients.got if trace.encode() in got} == set()


def test_thinking_text_and_calls_keep_the_order_in_which_the_model_began_them(
    clients: Clients,
) -> None:
    (content, _), _ = messages(clients, "m-words", stream=True)
    (output, _), _ = responses(clients, "m-words", stream=True)

    assert [block["type"] for block in content] == ["thinking", "text", "tool_use", "tool_use"]
    assert [item["type"] for item in output] == [
        "reasoning",
        "message",
        "function_call",
        "function_call",
    ]
    assert [item["name"] for item in output[2:]] == ["send_mail", "read"]


def test_arguments_stay_json_when_keys_and_numbers_are_taken_out(clients: Clients) -> None:
    ([choice, _], _) = chat(clients, "m-characters", stream=True)
    given = json.loads(choice["calls"][0]["arguments"])

    assert given["n"] == "<CREDIT_CARD>"
    assert given["many"][1] == {"<EMAIL_ADDRESS>": None}
    assert (given["to"], given["e"]) == ("<EMAIL_ADDRESS>", "\u00e9")


@pytest.mark.parametrize(
    ("path", "asked", "end"),
    [
        ("chat/completions", {"messages": HI}, b"\n\ndata: [DONE]\n\n"),
        ("completions", {"prompt": "hi"}, b"\n\ndata: [DONE]\n\n"),
        ("responses", {"input": "hi"}, b"\n\nevent: response.completed\ndata: "),
        ("messages", {"messages": HI, "max_tokens": 9}, b"\n\nevent: message_stop\ndata: "),
    ],
)
def test_the_action_is_said_once_before_the_terminator(
    gateway: Running, path: str, asked: dict[str, Any], end: bytes
) -> None:
    told = httpx.post(
        f"{gateway.base_url}/{path}",
        json={"model": "m-words", "stream": True, **asked},
        headers={"Authorization": f"Bearer {gateway.key()}"},
    ).content

    before, after = told.split(b": x-wardgate-action: redact")
    assert before.endswith(b"\n\n")
    assert after.startswith(end)
    assert after.count(b"data: ") == 1
