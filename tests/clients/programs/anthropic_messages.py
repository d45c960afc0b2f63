"""The official Anthropic client on Messages: whole, its typed stream, tools, its counting of tokens."""

import anthropic
import said

TOOL = {
    "name": said.TOOL_NAME,
    "description": said.TOOL_TEXT,
    "input_schema": said.PARAMETERS,
}


def asking(model, text, **more):
    return {
        "model": model,
        "max_tokens": 200,
        "messages": [{"role": "user", "content": text}],
        **more,
    }


def counted():
    ask = asking("mock", said.ASK)
    del ask["max_tokens"]
    return ask


def text_of(message):
    return said.joined(block.text for block in message.content if block.type == "text")


def filtered(message):
    return {"text": text_of(message), "finish": message.stop_reason}


def streamed(client, **ask):
    with client.messages.stream(**ask) as stream:
        return said.joined(stream.text_stream), stream.get_final_message()


def tool_turn(client):
    ask = asking(said.TOOL, said.ASK, tools=[TOOL])
    message = client.messages.create(**ask)
    (whole,) = (block for block in message.content if block.type == "tool_use")
    _, last = streamed(client, **ask)
    (told,) = (block for block in last.content if block.type == "tool_use")
    return message, {
        "tool": said.called(whole.name, whole.input),
        "tool_streamed": said.called(told.name, told.input),
        "tool_finish": last.stop_reason,
    }


def result_turn(client, message):
    result = {
        "type": "tool_result",
        "tool_use_id": message.content[-1].id,
        "content": [{"type": "text", "text": said.FOUND}],
    }
    ask = asking(said.ANSWER, said.ASK, tools=[TOOL], system=said.FOUND)
    ask["messages"] += [
        {"role": "assistant", "content": message.content},
        {"role": "user", "content": [result]},
    ]
    return {
        "answer": text_of(client.messages.create(**ask)),
        "answer_streamed": streamed(client, **ask)[0],
    }


def converse(base_url, key):
    client = anthropic.Anthropic(base_url=base_url.removesuffix("/v1"), api_key=key, max_retries=0)
    create = client.messages.create
    text, last = streamed(client, **asking(said.SAY, said.ASK))
    message, tools = tool_turn(client)
    stranger = client.with_options(api_key=key[:-1] + "_")
    return {
        "whole": text_of(create(**asking(said.SAY, said.ASK))),
        "streamed": text,
        "streamed_last": text_of(last),
        "tokens": client.messages.count_tokens(**counted()).input_tokens,
        **tools,
        **result_turn(client, message),
        "filtered": filtered(create(**asking(said.FILTERED, "hi"))),
        "blocked": said.failure(lambda: create(**asking(said.SAY, said.FORBIDDEN))),
        "blocked_stream": said.failure(
            lambda: create(**asking(said.SAY, said.FORBIDDEN, stream=True))
        ),
        "unknown_key": said.failure(lambda: stranger.messages.create(**asking(said.SAY, said.ASK))),
        "unknown_model": said.failure(lambda: create(**asking(said.NOWHERE, said.ASK))),
    }


if __name__ == "__main__":
    said.main(converse)
