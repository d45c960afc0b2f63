"""LlamaIndex's model for whatever speaks OpenAI's dialect."""

import said
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike


def send_mail(to: str, body: str) -> str:
    return said.FOUND


TOOL = FunctionTool.from_defaults(send_mail, name=said.TOOL_NAME, description=said.TOOL_TEXT)


def maker(base_url, key):
    return lambda name: OpenAILike(
        model=name,
        api_base=base_url,
        api_key=key,
        is_chat_model=True,
        is_function_calling_model=True,
        max_retries=0,
    )


def tool_turn(model):
    whole = model.chat_with_tools([TOOL], said.ASK)
    *_, last = model.stream_chat_with_tools([TOOL], said.ASK)
    (call,) = model.get_tool_calls_from_response(whole)
    (told,) = model.get_tool_calls_from_response(last)
    result = ChatMessage(
        role="tool", content=said.FOUND, additional_kwargs={"tool_call_id": call.tool_id}
    )
    return [ChatMessage(role="user", content=said.ASK), whole.message, result], {
        "tool": said.called(call.tool_name, call.tool_kwargs),
        "tool_streamed": said.called(told.tool_name, told.tool_kwargs),
    }


def filtered(response):
    return {
        "text": response.message.content,
        "finish": response.raw.choices[0].finish_reason,
    }


def converse(base_url, key):
    make = maker(base_url, key)
    ask = [ChatMessage(role="user", content=said.ASK)]
    forbidden = [ChatMessage(role="user", content=said.FORBIDDEN)]
    turn, tools = tool_turn(make(said.TOOL))
    say, answer = make(said.SAY), make(said.ANSWER)
    return {
        "whole": say.chat(ask).message.content,
        "streamed": said.joined(piece.delta for piece in say.stream_chat(ask)),
        **tools,
        "answer": answer.chat_with_tools([TOOL], chat_history=turn).message.content,
        "answer_streamed": said.joined(piece.delta for piece in answer.stream_chat(turn)),
        "filtered": filtered(make(said.FILTERED).chat(ask)),
        "blocked": said.failure(lambda: say.chat(forbidden)),
        "blocked_stream": said.failure(lambda: list(say.stream_chat(forbidden))),
        "unknown_key": said.failure(lambda: maker(base_url, key[:-1] + "_")(said.SAY).chat(ask)),
        "unknown_model": said.failure(lambda: make(said.NOWHERE).chat(ask)),
    }


if __name__ == "__main__":
    said.main(converse)
