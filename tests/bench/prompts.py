"""The texts that are sent and answered: the prompt of the peers' table, no two of them alike."""

from __future__ import annotations

import json
import string
from typing import Any

from tests.bench.rig import loadgen

ENTITIES = (
    "PERSON",
    "LOCATION",
    "EMAIL_ADDRESS",
    "PHONE_NUMBER",
    "CREDIT_CARD",
    "US_SSN",
    "IP_ADDRESS",
)


def word(number: int) -> str:
    """A made-up word for each number, in letters alone: digits would be work for the recognizers."""
    letters = ""
    while number or len(letters) < 3:
        number, place = divmod(number, 26)
        letters += string.ascii_lowercase[place]
    return f"zq{letters}"


def text(number: int) -> str:
    """The 221 words with a word of their own in the second sentence and in the last."""
    return (
        loadgen()
        .PII_PROMPT.replace("The first case", f"The first {word(number)} case")
        .replace("Please describe", f"Please describe {word(number)} and")
    )


def question(number: int) -> str:
    """What is asked; `answer` is what the model says to it."""
    return text(2 * number)


def answer(number: int) -> str:
    return text(2 * number + 1)


def body(content: str, *, model: str = "chat", stream: bool = False) -> bytes:
    """A chat request as the peers' table sends it."""
    messages = [
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": content},
    ]
    request: dict[str, Any] = {"model": model, "messages": messages}
    if stream:
        request["stream"] = True
    return json.dumps(request).encode()
