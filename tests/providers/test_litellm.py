"""The `litellm` engine: what it does, and all that a client cannot make LiteLLM do."""

import asyncio
import json
import logging
import subprocess
import sys
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from gateway.core.errors import Unsupported, UpstreamBroken, UpstreamFailed, UpstreamTimeout
from gateway.core.model import Finished, GuardedCall, Usage
from gateway.providers.litellm import OPTIONS, open_litellm, refuse_compromised, silenced
from gateway.providers.target import Target, Timeouts
from tests.providers.codec import TINY, guarded, parts_of, text_of
from tests.providers.contract import SECRET, ProviderContract, assert_no_text, everything
from tests.providers.wire import END, SSE, answer, piece, wire
from tests.rig import MockUpstream, eventually

pytestmark = [
    pytest.mark.anyio,
    # LiteLLM 1.106.2 walks over its own models' deprecated attributes for every streamed event, and
    # builds models late that pydantic warns of; as errors they would break its calls from inside.
    pytest.mark.filterwarnings("ignore:Accessing the 'model_:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Item '.*' on TypedDict class:UserWarning"),
]

SHORT = Timeouts(first_byte=0.3, between=0.3, total=5)
# LiteLLM's own first call takes a while.
SHORT_GAP = Timeouts(first_byte=20, between=0.3)
WHOLE = {
    "id": "x",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "fine"}, "finish_reason": "stop"}
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
EVENT = b'data: {"id":"x","choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'


def with_option(name: str, value: object) -> GuardedCall:
    plain = guarded()
    return replace(plain, call=replace(plain.call, body={**plain.call.body, name: value}))


@pytest.fixture
async def made():
    """Makes providers, and closes what they opened."""
    async with AsyncExitStack() as stack:

        async def make(url: str, model: str = "openai/mock", **options):
            target = Target(url, model, options.pop("api_key", "k-1"))
            return await stack.enter_async_context(open_litellm(TINY, target, **options))

        yield make


class AgainstTheMock:
    def __init__(self, mock: MockUpstream, providers: dict) -> None:
        self._mock, self._providers = mock, providers

    def answering(self):
        return self._providers["tokens=5"]

    def slow(self):
        return self._providers["tokens=1000~delay_ms=50"]

    def breaking(self):
        return self._providers["breaking"]

    def hanging(self):
        return self._providers["fail=hang"]

    def asked(self) -> int:
        return self._mock.stats().get("requests", 0)

    def cancelled(self) -> int:
        return self._mock.stats().get("cancelled", 0)


class Either:
    """One provider for whole replies, another for streams."""

    def __init__(self, whole, streamed) -> None:
        self._whole, self._streamed = whole, streamed

    def complete(self, call):
        return (self._streamed if call.call.stream else self._whole).complete(call)


class TestContract(ProviderContract):
    @pytest.fixture
    async def subject(self, made, mock_upstream):
        async def at(knobs: str, **options):
            return await made(mock_upstream.base_url, f"openai/mock~{knobs}", **options)

        plain = [await at(knobs) for knobs in ("tokens=5", "tokens=1000~delay_ms=50")]
        cut = await at("fail=truncate"), await at("tokens=8~fail=midstream~delay_ms=5")
        providers = {
            "tokens=5": plain[0],
            "tokens=1000~delay_ms=50": plain[1],
            "breaking": Either(*cut),
            "fail=hang": await at("fail=hang", timeouts=SHORT),
        }
        return AgainstTheMock(mock_upstream, providers)


async def test_the_allowed_options_arrive_as_they_were_sent(made, mock_upstream):
    sent = {
        "temperature": 0.5,
        "top_p": 0.9,
        "n": 2,
        "stop": ["a"],
        "max_tokens": 7,
        "max_completion_tokens": 8,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.2,
        "seed": 3,
        "logit_bias": {"1": 2},
        "response_format": {"type": "json_object"},
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}],
        "tool_choice": "auto",
        "parallel_tool_calls": False,
    }
    chunks = await everything(await made(mock_upstream.base_url), guarded(**sent))
    arrived = mock_upstream.last()[0]["body"]
    assert {key: arrived.get(key) for key in sent} == sent
    assert set(arrived) == {*sent, "messages", "model"}
    assert [done.choice for done in parts_of(chunks, Finished)] == [0, 1]


async def test_usage_ends_a_stream_that_asked_for_it(made, mock_upstream):
    call = guarded(stream=True, stream_options={"include_usage": True})
    chunks = await everything(await made(mock_upstream.base_url, "openai/mock~tokens=3"), call)
    assert text_of(chunks) == "the quick brown "
    assert parts_of(chunks, Usage) == [Usage(10, 3)]


async def test_none_of_litellms_reserved_names_passes(made, mock_upstream):
    silenced()
    from litellm.types.utils import all_litellm_params  # noqa: PLC0415  seconds

    provider = await made(mock_upstream.base_url)
    assert len(all_litellm_params) >= 354
    for name in [*all_litellm_params, "base_url", "model_list", "extra_headers", "deployment_id"]:
        for value in (SECRET, True, {"a": SECRET}):
            with pytest.raises(Unsupported) as caught:
                await everything(provider, with_option(name, value))
            assert SECRET not in str(caught.value)
    assert not set(OPTIONS) & set(all_litellm_params)
    assert "requests" not in mock_upstream.stats()


async def test_an_option_that_litellm_would_drop_for_this_server_is_a_failure(made, mock_upstream):
    provider = await made(mock_upstream.base_url, "huggingface/mistral-7b")
    with pytest.raises(UpstreamFailed, match="does not pass one of these options"):
        await everything(provider, guarded(reasoning_effort="low"))
    assert "requests" not in mock_upstream.stats()


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"tools": [{"type": "mcp", "server_url": "http://127.0.0.1:1"}]}, "tools"),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [
                            {"type": "image_url", "image_url": {"url": "http://127.0.0.1:1"}}
                        ],
                    }
                ]
            },
            "messages",
        ),
    ],
)
async def test_what_would_make_litellm_call_elsewhere_is_refused(made, mock_upstream, body, path):
    with pytest.raises(Unsupported) as caught:
        await everything(await made(mock_upstream.base_url), guarded(**body))
    assert caught.value.path == path


async def test_more_than_one_streamed_choice_is_refused(made, mock_upstream):
    two = guarded(stream=True, n=2)
    call = replace(two, call=replace(two.call, choices=2))
    with pytest.raises(Unsupported, match="more than one choice"):
        await everything(await made(mock_upstream.base_url), call)


@pytest.mark.parametrize("model", [None, "*", "openai/*"])
async def test_a_model_whose_vendor_the_client_could_choose_is_refused(model):
    with pytest.raises(ValueError, match="full name"):
        async with open_litellm(TINY, Target("http://127.0.0.1:1/v1", model)):
            pass


@pytest.mark.parametrize("status", ["400", "429"])
async def test_a_refusal_says_its_number_alone(made, mock_upstream, status):
    provider = await made(mock_upstream.base_url, f"openai/mock~fail={status}")
    with pytest.raises(UpstreamFailed, match=status) as caught:
        await everything(provider, guarded(text=SECRET))
    assert "mock failure" not in str(caught.value)
    assert_no_text(caught.value)


@pytest.mark.parametrize("fail", ["500", "reset", "badjson", "truncate"])
async def test_a_failure_is_asked_once_and_says_nothing_of_the_text(made, mock_upstream, fail):
    provider = await made(mock_upstream.base_url, f"openai/mock~fail={fail}")
    with pytest.raises(UpstreamFailed) as caught:
        await everything(provider, guarded(text=SECRET))
    assert caught.value.__context__ is None
    assert mock_upstream.stats()["requests"] == 1


async def test_silence_in_the_middle_of_a_stream_is_a_timeout(made, mock_upstream):
    knobs = "openai/mock~tokens=8~fail=stall~fail_at=2"
    provider = await made(mock_upstream.base_url, knobs, timeouts=SHORT_GAP)
    with pytest.raises(UpstreamTimeout):
        await everything(provider, guarded(stream=True))
    await eventually(lambda: mock_upstream.stats().get("cancelled", 0) >= 1)


async def test_a_stream_without_an_end_is_not_given_one(made):
    async with wire([SSE + piece(EVENT) + END]) as it:
        with pytest.raises(UpstreamBroken):
            await everything(await made(it.base_url), guarded(stream=True))


@pytest.mark.parametrize("vendor", ["openai", "ollama_chat", "hosted_vllm", "huggingface"])
async def test_a_redirect_is_not_followed(made, mock_upstream, vendor):
    to = mock_upstream.base_url.encode() + b"/chat/completions"
    redirect = b"HTTP/1.1 307 Moved\r\nlocation: %b\r\ncontent-length: 0\r\n\r\n" % to
    async with wire([redirect]) as it:
        with pytest.raises(UpstreamFailed):
            await everything(await made(it.base_url, f"{vendor}/mock"), guarded())
        assert len(it.requests) == 1
    assert "requests" not in mock_upstream.stats()


async def test_a_compressed_answer_is_refused_and_was_not_asked_for(made):
    reply = answer(json.dumps(WHOLE).encode())
    reply = reply.replace(b"content-length", b"content-encoding: gzip\r\ncontent-length")
    async with wire([reply]) as it:
        with pytest.raises(UpstreamFailed):
            await everything(await made(it.base_url), guarded())
        assert b"accept-encoding: identity" in it.requests[0].lower()


async def test_another_dialect_goes_to_the_configured_address_too(made):
    async with wire([answer(json.dumps(WHOLE).encode())]) as it:
        provider = await made(it.base_url, "huggingface/mistral-7b")
        assert text_of(await everything(provider, guarded())) == "fine"
        assert len(it.requests) == 1


async def test_a_key_of_the_environment_is_not_sent(made, mock_upstream, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.setenv("OPENAI_ORGANIZATION", "org-canary")
    await everything(await made(mock_upstream.base_url, api_key=None), guarded())
    assert SECRET not in mock_upstream.last()[0]["head"]


async def test_a_proxy_of_the_environment_is_not_used(made, mock_upstream, monkeypatch):
    async with wire([answer(b"{}")]) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.base_url)
        monkeypatch.setenv("ALL_PROXY", proxy.base_url)
        await everything(await made(mock_upstream.base_url), guarded())
        assert not proxy.requests


async def test_nothing_of_a_call_is_logged_or_printed(made, mock_upstream, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    for knobs in ("script=echo", "fail=500", "fail=400"):
        provider = await made(mock_upstream.base_url, f"openai/mock~{knobs}")
        for stream in (False, True):
            try:
                await everything(provider, guarded(text=SECRET, stream=stream))
            except UpstreamFailed:
                assert knobs != "script=echo"
    printed = capfd.readouterr()
    assert SECRET not in caplog.text + printed.out + printed.err


async def test_nothing_of_litellms_runs_on_after_its_close(mock_upstream):
    before = asyncio.all_tasks()
    async with open_litellm(TINY, Target(mock_upstream.base_url, "openai/mock", "k")) as it:
        await everything(it, guarded())
        await everything(it, guarded(stream=True))
    mine = asyncio.all_tasks() - before
    # Finalizers of generators that other tests left end by themselves; a worker would not.
    await eventually(lambda: all(task.done() for task in mine))


@pytest.mark.parametrize("version", ["1.82.7", "1.82.8"])
def test_a_compromised_release_does_not_run(version):
    with pytest.raises(RuntimeError, match="compromised"):
        refuse_compromised(version)


def test_todays_release_runs():
    refuse_compromised("1.106.2")


def test_importing_the_engine_does_not_import_the_library():
    code = "import sys, gateway.providers.litellm; sys.exit('litellm' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
