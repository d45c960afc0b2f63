"""The official OpenAI client on Responses, with its typed stream events."""

import openai
import said

TOOL = {"type": "function", "strict": True, **said.CHAT_TOOL["function"]}


def calls(response):
    return [item for item in response.output if item.type == "function_call"]


def filtered(response):
    return {"text": response.output_text, "finish": response.incomplete_details.reason}


def streamed(client, **ask):
    """The text and the arguments that the events carried, and the response that the last one gave."""
    text, arguments = [], []
    with client.responses.stream(**ask) as stream:
        for event in stream:
            if event.type == "response.output_text.delta":
                text.append(event.delta)
            elif event.type == "response.function_call_arguments.delta":
                arguments.append(event.delta)
        return said.joined(text), said.joined(arguments), stream.get_final_response()


def tool_turn(client):
    ask = {"model": said.TOOL, "input": said.ASK, "tools": [TOOL], "store": False}
    (call,) = calls(client.responses.create(**ask))
    _, arguments, last = streamed(client, **ask)
    return call, {
        "tool": said.called(call.name, call.arguments),
        "tool_streamed": said.called(calls(last)[0].name, arguments),
        "tool_last": said.called(calls(last)[0].name, calls(last)[0].arguments),
    }


def result_turn(client, call):
    ask = {
        "model": said.ANSWER,
        "input": [
            {"role": "user", "content": said.ASK},
            call.to_dict(),
            {"type": "function_call_output", "call_id": call.call_id, "output": said.FOUND},
        ],
        "tools": [TOOL],
        "store": False,
    }
    return {
        "answer": client.responses.create(**ask).output_text,
        "answer_streamed": streamed(client, **ask)[0],
    }


def converse(base_url, key):
    client = openai.OpenAI(base_url=base_url, api_key=key, max_retries=0)
    create = client.responses.create
    ask = {"model": said.SAY, "input": said.ASK, "store": False}
    text, _, last = streamed(client, **ask)
    call, tools = tool_turn(client)
    stranger = client.with_options(api_key=key[:-1] + "_")
    return {
        "whole": create(**ask).output_text,
        "streamed": text,
        "streamed_last": last.output_text,
        **tools,
        **result_turn(client, call),
        "filtered": filtered(create(model=said.FILTERED, input="hi", store=False)),
        "blocked": said.failure(lambda: create(model=said.SAY, input=said.FORBIDDEN, store=False)),
        "blocked_stream": said.failure(
            lambda: create(model=said.SAY, input=said.FORBIDDEN, store=False, stream=True)
        ),
        "unknown_key": said.failure(lambda: stranger.responses.create(**ask)),
        "unknown_model": said.failure(
            lambda: create(model=said.NOWHERE, input=said.ASK, store=False)
        ),
    }


if __name__ == "__main__":
    said.main(converse)
