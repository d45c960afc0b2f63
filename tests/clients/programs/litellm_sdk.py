"""The LiteLLM SDK as a client, on Chat Completions and on Messages."""

import litellm
import said


def asker(base_url, key, surface):
    """What asks a model of that surface by its name."""
    litellm.num_retries = 0
    if surface == "messages":
        where, engine = base_url.removesuffix("/v1"), "anthropic"
    else:
        where, engine = base_url, "openai"

    def ask(name, messages, **more):
        return litellm.completion(
            model=f"{engine}/{name}",
            messages=messages,
            api_base=where,
            api_key=key,
            max_retries=0,
            **more,
        )

    return ask


def user(text):
    return [{"role": "user", "content": text}]


def tool_turn(ask):
    message = ask(said.TOOL, user(said.ASK), tools=[said.CHAT_TOOL]).choices[0].message
    whole = message.tool_calls[0].function
    chunks = list(ask(said.TOOL, user(said.ASK), tools=[said.CHAT_TOOL], stream=True))
    told = litellm.stream_chunk_builder(chunks).choices[0].message.tool_calls[0].function
    result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": said.FOUND}
    return [*user(said.ASK), message, result], {
        "tool": said.called(whole.name, whole.arguments),
        "tool_streamed": said.called(told.name, told.arguments),
    }


def filtered(answer):
    choice = answer.choices[0]
    return {"text": choice.message.content, "finish": choice.finish_reason}


def text_of(chunks):
    return said.joined(chunk.choices[0].delta.content for chunk in chunks)


def converse(base_url, key, surface):
    ask = asker(base_url, key, surface)
    turn, tools = tool_turn(ask)
    more = {"tools": [said.CHAT_TOOL]}
    return {
        "whole": ask(said.SAY, user(said.ASK)).choices[0].message.content,
        "streamed": text_of(ask(said.SAY, user(said.ASK), stream=True)),
        **tools,
        "answer": ask(said.ANSWER, turn, **more).choices[0].message.content,
        "answer_streamed": text_of(ask(said.ANSWER, turn, stream=True, **more)),
        "filtered": filtered(ask(said.FILTERED, user("hi"))),
        "blocked": said.failure(lambda: ask(said.SAY, user(said.FORBIDDEN))),
        "blocked_stream": said.failure(
            lambda: list(ask(said.SAY, user(said.FORBIDDEN), stream=True))
        ),
        "unknown_key": said.failure(
            lambda: asker(base_url, key[:-1] + "_", surface)(said.SAY, user("hi"))
        ),
        "unknown_model": said.failure(lambda: ask(said.NOWHERE, user("hi"))),
    }


if __name__ == "__main__":
    said.main(converse)
