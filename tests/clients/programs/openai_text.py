"""The official OpenAI client on the older Completions, on Embeddings and on Moderations."""

import openai
import said


def converse(base_url, key):
    client = openai.OpenAI(base_url=base_url, api_key=key, max_retries=0)
    create = client.completions.create
    chunks = create(model=said.SAY, prompt=said.ASK, stream=True)
    judged = client.moderations.create(model="wardgate", input=[said.ASK, "hi"]).results
    stranger = client.with_options(api_key=key[:-1] + "_")
    vectors = client.embeddings.create(model="mock", input=[said.ASK, said.FOUND]).data
    return {
        "whole": create(model=said.SAY, prompt=said.ASK).choices[0].text,
        "streamed": said.joined(chunk.choices[0].text for chunk in chunks),
        "vectors": [len(vector.embedding) for vector in vectors],
        "flagged": [result.flagged for result in judged],
        "blocked": said.failure(lambda: create(model=said.SAY, prompt=said.FORBIDDEN)),
        "blocked_stream": said.failure(
            lambda: create(model=said.SAY, prompt=said.FORBIDDEN, stream=True)
        ),
        "blocked_embedding": said.failure(
            lambda: client.embeddings.create(model="mock", input=said.FORBIDDEN)
        ),
        "unknown_key": said.failure(lambda: stranger.completions.create(model="mock", prompt="hi")),
        "unknown_model": said.failure(lambda: create(model=said.NOWHERE, prompt=said.ASK)),
    }


if __name__ == "__main__":
    said.main(converse)
