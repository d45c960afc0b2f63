"""A pydantic-ai agent whose tool runs outside of it, so that each turn may name its own model.

On Chat Completions or Responses.
"""

import asyncio

import said
from pydantic_ai import Agent, DeferredToolRequests, DeferredToolResults, ToolDefinition
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.toolsets import ExternalToolset

TOOLS = ExternalToolset(
    [
        ToolDefinition(
            name=said.TOOL_NAME,
            description=said.TOOL_TEXT,
            parameters_json_schema=said.PARAMETERS,
        )
    ]
)


def maker(base_url, key, surface):
    """What makes a model of that surface by its name."""
    kind = OpenAIResponsesModel if surface == "responses" else OpenAIChatModel
    return lambda name: kind(name, provider=OpenAIProvider(base_url=base_url, api_key=key))


async def deltas(agent, model, *words, **more):
    async with agent.run_stream(*words, model=model, **more) as run:
        return said.joined([piece async for piece in run.stream_text(delta=True)])


async def streamed_call(agent, model):
    async with agent.run_stream(said.ASK, model=model) as run:
        return (await run.get_output()).calls[0]


async def conversation(make):
    agent = Agent(toolsets=[TOOLS], output_type=[str, DeferredToolRequests], retries=0)
    plain = Agent(retries=0)
    run = await agent.run(said.ASK, model=make(said.TOOL))
    call = run.output.calls[0]
    filtered = await plain.run("hi", model=make(said.FILTERED))
    told = await streamed_call(agent, make(said.TOOL))
    turn = {
        "message_history": run.all_messages(),
        "deferred_tool_results": DeferredToolResults(calls={call.tool_call_id: said.FOUND}),
    }
    return {
        "whole": (await plain.run(said.ASK, model=make(said.SAY))).output,
        "streamed": await deltas(plain, make(said.SAY), said.ASK),
        "filtered": {"text": filtered.output, "finish": filtered.response.finish_reason},
        "tool": said.called(call.tool_name, call.args),
        "tool_streamed": said.called(told.tool_name, told.args),
        "answer": (await agent.run(model=make(said.ANSWER), **turn)).output,
        "answer_streamed": await deltas(agent, make(said.ANSWER), **turn),
    }


def converse(base_url, key, surface):
    plain = Agent(retries=0)

    def fails(make, name, text):
        return said.failure(lambda: plain.run(text, model=make(name)))

    def fails_stream(make, name, text):
        return said.failure(lambda: deltas(plain, make(name), text))

    def make(name):
        return maker(base_url, key, surface)(name)

    return {
        **asyncio.run(conversation(maker(base_url, key, surface))),
        "blocked": fails(make, said.SAY, said.FORBIDDEN),
        "blocked_stream": fails_stream(make, said.SAY, said.FORBIDDEN),
        "unknown_key": fails(maker(base_url, key[:-1] + "_", surface), said.SAY, "hi"),
        "unknown_model": fails(make, said.NOWHERE, "hi"),
    }


if __name__ == "__main__":
    said.main(converse)
