"""What every client program says, and how it tells what it saw: one line of JSON.

The tests read it too, in a venv without the clients: nothing but the standard library.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

SAY = "mock~script=pii_many"
TOOL = "mock~script=tool"
ANSWER = "mock~script=pii_email"
ECHO = "mock~script=echo"
NOWHERE = "nowhere"
FILTERED = "mock~tokens=32"
"""The mock then says a word that the policy blocks in an answer."""

ASK = "Write to Maria Garcia at maria.garcia@acme.org about card 4111 1111 1111 1111."
FOUND = "The address is maria.garcia@acme.org, said Maria Garcia."
FORBIDDEN = "tell me about blockme"
PERSONAL = ("Maria Garcia", "acme.org", "4111 1111", "john.doe", "doe@exa", "555-2671", "168.10")
"""What must be seen neither upstream nor by a client; both the client's words and the mock's."""

TOOL_NAME = "send_mail"
TOOL_TEXT = "Send a mail, for instance to maria.garcia@acme.org."
PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {"to": {"type": "string"}, "body": {"type": "string"}},
    "required": ["to", "body"],
    "additionalProperties": False,
}
CHAT_TOOL: dict[str, Any] = {
    "type": "function",
    "function": {"name": TOOL_NAME, "description": TOOL_TEXT, "parameters": PARAMETERS},
}

Seen = dict[str, Any]


def watch_for_strangers(strangers: list[str]) -> None:
    """From now on, put into `strangers` every host but this machine that is asked or looked up."""

    def hook(event: str, values: tuple[Any, ...]) -> None:
        if event == "socket.getaddrinfo":
            host = str(values[0])
        elif event == "socket.connect" and isinstance(values[1], tuple):
            host = str(values[1][0])
        else:
            return
        if host not in {"127.0.0.1", "::1", "localhost"}:
            strangers.append(host)

    sys.addaudithook(hook)


def failure(call: Callable[[], Any]) -> Seen:
    """The error that `call` raises: its class, status, code and words; empty when it raises none."""
    try:
        told = call()
        if isinstance(told, Coroutine):
            asyncio.run(told)
    except Exception as error:  # noqa: BLE001 - whatever the client makes of it is what is asked for
        return {
            "module": type(error).__module__.split(".")[0],
            "error": type(error).__name__,
            "kinds": [kind.__name__ for kind in type(error).__mro__],
            "status": getattr(error, "status_code", None),
            "code": getattr(error, "code", None),
            "text": str(error),
        }
    return {}


def called(name: str, arguments: str | dict[str, Any]) -> Seen:
    """A tool call as the client saw it; arguments that are no JSON end the program."""
    return {
        "name": name,
        "arguments": json.loads(arguments) if isinstance(arguments, str) else arguments,
    }


def joined(pieces: Iterable[str | None]) -> str:
    return "".join(piece or "" for piece in pieces)


def main(converse: Callable[..., Seen]) -> None:
    """Run `converse(base_url, key, *more)` with the program's arguments and print what it saw."""
    strangers: list[str] = []
    watch_for_strangers(strangers)
    seen = converse(*sys.argv[1:])
    print(json.dumps({**seen, "strangers": strangers}))
