"""instructor: answers as pydantic models, out of tool arguments and out of JSON text, whole and in part."""

import json

import instructor
import openai
import said
from pydantic import create_model

SendMail = create_model(said.TOOL_NAME, __doc__=said.TOOL_TEXT, to=(str, ...), body=(str, ...))
WRITTEN = {"to": "maria.garcia@acme.org", "body": "hi"}


def user(text):
    return [{"role": "user", "content": text}]


def converse(base_url, key):
    inner = openai.OpenAI(base_url=base_url, api_key=key, max_retries=0)
    client = instructor.from_openai(inner, mode=instructor.Mode.TOOLS)
    reader = instructor.from_openai(inner, mode=instructor.Mode.JSON)

    def ask(client, model, text):
        return {
            "response_model": SendMail,
            "model": model,
            "messages": user(text),
            "max_retries": 0,
        }

    called = client.create(**ask(client, said.TOOL, said.ASK))
    *_, partial = client.create_partial(**ask(client, said.TOOL, said.ASK))
    read = reader.create(**ask(reader, said.ECHO, json.dumps(WRITTEN)))
    *_, read_partial = reader.create_partial(**ask(reader, said.ECHO, json.dumps(WRITTEN)))
    stranger = instructor.from_openai(inner.with_options(api_key=key[:-1] + "_"))
    return {
        "whole": read.model_dump_json(),
        "streamed": read_partial.model_dump_json(),
        "tool": said.called(said.TOOL_NAME, called.model_dump()),
        "tool_streamed": said.called(said.TOOL_NAME, partial.model_dump()),
        "blocked": said.failure(lambda: client.create(**ask(client, said.TOOL, said.FORBIDDEN))),
        "blocked_stream": said.failure(
            lambda: list(client.create_partial(**ask(client, said.TOOL, said.FORBIDDEN)))
        ),
        "unknown_key": said.failure(lambda: stranger.create(**ask(stranger, said.TOOL, "hi"))),
        "unknown_model": said.failure(lambda: client.create(**ask(client, said.NOWHERE, "hi"))),
    }


if __name__ == "__main__":
    said.main(converse)
