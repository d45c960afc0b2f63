"""The official OpenAI client on Chat Completions, synchronous and asynchronous."""

import asyncio

import openai
import said


def user(text):
    return [{"role": "user", "content": text}]


def filtered(answer):
    choice = answer.choices[0]
    return {"text": choice.message.content, "finish": choice.finish_reason}


def tool_turn(client):
    """The call of a tool, whole and as a stream, with the message that carries it on."""
    ask = {"model": said.TOOL, "messages": user(said.ASK), "tools": [said.CHAT_TOOL]}
    message = client.chat.completions.create(**ask).choices[0].message
    whole = message.tool_calls[0].function
    with client.chat.completions.stream(**ask) as stream:
        last = stream.get_final_completion().choices[0]
    streamed = last.message.tool_calls[0].function
    return message, {
        "tool": said.called(whole.name, whole.arguments),
        "tool_streamed": said.called(streamed.name, streamed.arguments),
        "tool_finish": last.finish_reason,
    }


def result_turn(client, message):
    ask = {
        "model": said.ANSWER,
        "messages": [
            *user(said.ASK),
            message,
            {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": said.FOUND},
        ],
        "tools": [said.CHAT_TOOL],
    }
    whole = client.chat.completions.create(**ask).choices[0].message.content
    chunks = client.chat.completions.create(**ask, stream=True)
    return {
        "answer": whole,
        "answer_streamed": said.joined(chunk.choices[0].delta.content for chunk in chunks),
    }


async def asynchronous(base_url, key):
    async with openai.AsyncOpenAI(base_url=base_url, api_key=key, max_retries=0) as client:
        stream = await client.chat.completions.create(
            model=said.SAY, messages=user(said.ASK), stream=True
        )
        return said.joined([chunk.choices[0].delta.content async for chunk in stream])


def converse(base_url, key):
    client = openai.OpenAI(base_url=base_url, api_key=key, max_retries=0)
    create = client.chat.completions.create
    whole = create(model=said.SAY, messages=user(said.ASK)).choices[0].message.content
    chunks = create(model=said.SAY, messages=user(said.ASK), stream=True)
    message, tools = tool_turn(client)
    stranger = client.with_options(api_key=key[:-1] + "_")
    return {
        "whole": whole,
        "streamed": said.joined(chunk.choices[0].delta.content for chunk in chunks),
        "streamed_async": asyncio.run(asynchronous(base_url, key)),
        **tools,
        **result_turn(client, message),
        "filtered": filtered(create(model=said.FILTERED, messages=user("hi"))),
        "models": [model.id for model in client.models.list()],
        "blocked": said.failure(lambda: create(model=said.SAY, messages=user(said.FORBIDDEN))),
        "blocked_stream": said.failure(
            lambda: create(model=said.SAY, messages=user(said.FORBIDDEN), stream=True)
        ),
        "unknown_key": said.failure(
            lambda: stranger.chat.completions.create(model=said.SAY, messages=user("hi"))
        ),
        "unknown_model": said.failure(lambda: create(model=said.NOWHERE, messages=user("hi"))),
    }


if __name__ == "__main__":
    said.main(converse)
