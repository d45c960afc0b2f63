"""The engines with the codec that they run with: what a model server says becomes the same parts."""

import json
from typing import Any

import pytest

from gateway.core.model import Finished, GuardedCall, Receipt, Text, ToolOpened, Usage
from gateway.providers.litellm import open_litellm
from gateway.providers.openai_http import OpenAIHttp, open_pool
from gateway.providers.target import Target
from gateway.surfaces.openai_chat import OpenAIChat
from tests.providers.codec import parts_of
from tests.providers.contract import everything

pytestmark = [
    pytest.mark.anyio,
    # LiteLLM's own, from inside its calls; see test_litellm.py.
    pytest.mark.filterwarnings("ignore:Accessing the 'model_:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Item '.*' on TypedDict class:UserWarning"),
]


@pytest.fixture(params=["openai", "litellm"])
async def ask(request, mock_upstream):
    """Sends a client's body to the mock and gives the reply's chunks."""
    surface = OpenAIChat()

    def call(**body: Any) -> GuardedCall:
        body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **body}
        return GuardedCall(surface.parse("c", json.dumps(body).encode()), Receipt("r", 1))

    if request.param == "openai":
        async with open_pool() as pool:
            provider = OpenAIHttp(
                pool, {surface.name: surface}, Target(mock_upstream.base_url, "mock")
            )
            yield lambda **body: everything(provider, call(**body))
    else:
        target = Target(mock_upstream.base_url, "openai/mock")
        async with open_litellm({surface.name: surface}, target) as provider:
            yield lambda **body: everything(provider, call(**body))


def slots(chunks) -> dict[str, str]:
    said: dict[str, str] = {}
    for part in parts_of(chunks, Text):
        said[part.slot] = said.get(part.slot, "") + part.text
    return said


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_a_tool_call_comes_with_its_name_and_all_its_arguments(ask, mock_upstream, stream):
    mock_upstream.defaults(script="tool")
    tool = {"type": "function", "function": {"name": "send_mail", "parameters": {}}}
    chunks = await ask(stream=stream, tools=[tool], tool_choice="auto")
    assert slots(chunks) == {
        "tool_calls.0.name": "send_mail",
        "tool_calls.0.arguments": '{"to": "john.doe@example.com", "body": "hi"}',
    }
    assert parts_of(chunks, ToolOpened) == [ToolOpened(0, 0, "call_1")]
    assert parts_of(chunks, Finished) == [Finished(0, "tool_calls")]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_reasoning_and_content_come_apart(ask, mock_upstream, stream):
    mock_upstream.defaults(script="reasoning")
    assert slots(await ask(stream=stream)) == {
        "reasoning_content": "The user is john.doe@example.com",
        "content": "Done.",
    }


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_usage_is_counted_once_even_when_the_client_did_not_ask(ask, mock_upstream, stream):
    mock_upstream.defaults(tokens=3)
    [usage] = parts_of(await ask(stream=stream), Usage)
    assert (usage.prompt, usage.completion) == (10, 3)


async def test_what_the_client_sent_is_what_arrives(ask, mock_upstream):
    sent = {"temperature": 0.5, "stop": ["a"], "seed": 7, "max_tokens": 9, "top_p": 0.5}
    await ask(**sent)
    arrived = mock_upstream.last()[0]["body"]
    assert {name: arrived.get(name) for name in sent} == sent
    assert arrived["messages"] == [{"role": "user", "content": "hi"}]
