"""Engine `fake`: no model at all. It says what it was told, or repeats the last user message.

For tests and for trying policies out. It never sleeps: a wait is whatever its script waits for.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import TypeAlias

from gateway.core.errors import UpstreamError
from gateway.core.model import (
    Call,
    Chunk,
    Finished,
    GuardedCall,
    Kind,
    Opened,
    Part,
    Role,
    Text,
    Usage,
)

Step: TypeAlias = Chunk | UpstreamError | Callable[[], Awaitable[object]]
"""Give a chunk, raise, or wait (`asyncio.Event().wait` never ends)."""


class Fake:
    """A Provider. `calls`, `completed` and `cancelled` say what became of the calls it got.

    Only with a script are `calls` kept: an engine must not keep text.
    """

    def __init__(self, script: Sequence[Step] | None = None) -> None:
        self._script = script
        self.calls: list[Call] = []
        self.completed = 0
        self.cancelled = 0

    async def complete(self, guarded: GuardedCall) -> AsyncGenerator[Chunk, None]:
        """The script's steps in order, for a whole reply and a stream alike; without one, an echo."""
        if self._script is not None:
            self.calls.append(guarded.call)
        over = False
        try:
            for step in echo(guarded.call) if self._script is None else self._script:
                if isinstance(step, UpstreamError):
                    over = True
                    raise step
                if isinstance(step, Chunk):
                    yield step
                else:
                    await step()
            over = True
            self.completed += 1
        finally:
            self.cancelled += not over


def reply(text: str, *, choices: int = 1, prompt: int = 1) -> Chunk:
    """A whole reply of this text in every choice. `prompt` counts tokens, here words."""
    parts: list[Part] = []
    for choice in range(choices):
        parts += [
            Opened(choice),
            Text(choice, "content", Kind.TEXT, text),
            Finished(choice, "stop"),
        ]
    parts.append(Usage(prompt, len(text.split())))
    return Chunk(tuple(parts))


def pieces(text: str, *, choices: int = 1, prompt: int = 1) -> list[Chunk]:
    """The same as a stream, a word at a time."""
    chunks = [Chunk(tuple(Opened(choice) for choice in range(choices)))]
    for word in re.findall(r"\S+\s*|\s+", text):
        said = tuple(Text(choice, "content", Kind.TEXT, word) for choice in range(choices))
        chunks.append(Chunk(said))
    ends = tuple(Finished(choice, "stop") for choice in range(choices))
    return [*chunks, Chunk((*ends, Usage(prompt, len(text.split()))))]


def echo(call: Call) -> list[Chunk]:
    """The last user text, as it would arrive at a model."""
    spoken = [one.text for one in call.passages if one.role is Role.USER and one.kind is Kind.TEXT]
    text = spoken[-1] if spoken else ""
    prompt = sum(len(one.text.split()) for one in call.passages)
    if call.stream:
        return pieces(text, choices=call.choices, prompt=prompt)
    return [reply(text, choices=call.choices, prompt=prompt)]
