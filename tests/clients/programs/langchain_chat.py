"""LangChain's chat models: ChatOpenAI on Chat Completions or Responses, ChatAnthropic on Messages."""

import said
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool


@tool(said.TOOL_NAME, description=said.TOOL_TEXT)
def send_mail(to: str, body: str) -> str:
    return said.FOUND


def maker(base_url, key, surface):
    """What makes a chat model of that surface by a model's name."""
    if surface == "messages":
        from langchain_anthropic import ChatAnthropic

        root = base_url.removesuffix("/v1")
        return lambda name: ChatAnthropic(
            model=name, base_url=root, api_key=key, max_retries=0, max_tokens=200
        )
    from langchain_openai import ChatOpenAI

    return lambda name: ChatOpenAI(
        model=name,
        base_url=base_url,
        api_key=key,
        max_retries=0,
        use_responses_api=surface == "responses",
        store=False if surface == "responses" else None,
    )


def summed(chunks):
    """What LangChain makes of a stream's chunks: their sum is a message."""
    first, *rest = chunks
    for chunk in rest:
        first += chunk
    return first


def filtered(message):
    """Each dialect's word is where LangChain puts it."""
    told = message.response_metadata
    finish = told.get("finish_reason") or told.get("stop_reason")
    return {"text": message.text, "finish": finish or told["incomplete_details"]["reason"]}


def converse(base_url, key, surface):
    make = maker(base_url, key, surface)
    ask = [HumanMessage(said.ASK)]
    with_tool = make(said.TOOL).bind_tools([send_mail])
    message = with_tool.invoke(ask)
    told = summed(with_tool.stream(ask))
    result = ToolMessage(said.FOUND, tool_call_id=message.tool_calls[0]["id"])
    answering = make(said.ANSWER).bind_tools([send_mail])
    turn = [*ask, message, result]
    return {
        "whole": make(said.SAY).invoke(ask).text,
        "streamed": said.joined(chunk.text for chunk in make(said.SAY).stream(ask)),
        "tool": said.called(message.tool_calls[0]["name"], message.tool_calls[0]["args"]),
        "tool_streamed": said.called(told.tool_calls[0]["name"], told.tool_calls[0]["args"]),
        "answer": answering.invoke(turn).text,
        "answer_streamed": said.joined(chunk.text for chunk in answering.stream(turn)),
        "filtered": filtered(make(said.FILTERED).invoke("hi")),
        "blocked": said.failure(lambda: make(said.SAY).invoke(said.FORBIDDEN)),
        "blocked_stream": said.failure(lambda: list(make(said.SAY).stream(said.FORBIDDEN))),
        "unknown_key": said.failure(
            lambda: maker(base_url, key[:-1] + "_", surface)(said.SAY).invoke("hi")
        ),
        "unknown_model": said.failure(lambda: make(said.NOWHERE).invoke("hi")),
    }


if __name__ == "__main__":
    said.main(converse)
