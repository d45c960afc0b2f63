"""A gateway in front of an engine that says back all it is sent, and now and then fails in each way there is."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from gateway.core.errors import UpstreamBroken, UpstreamFailed, UpstreamTimeout
from gateway.core.model import (
    Call,
    Chunk,
    Finished,
    GuardedCall,
    Kind,
    Opened,
    Part,
    Rank,
    Text,
    Usage,
    Vector,
)
from gateway.services.models import Model, Models
from tests.factories import World, make_force, make_relay, make_rule
from tests.fakes import ScriptedDetector, finds
from tests.fuzz.spoken import CANARY, NAMES, codecs, inputs, strings
from tests.http.edge import inference

FAILS = (None, None, None, None, UpstreamFailed, None, None, UpstreamTimeout, UpstreamBroken)


@dataclass
class Echo:
    """`Provider`. `calls` counts; every few calls fail, before or after the first chunk."""

    calls: int = 0
    heard: list[str] = field(default_factory=list[str])
    """Every string that came, in any call."""

    async def complete(self, guarded: GuardedCall) -> AsyncGenerator[Chunk, None]:
        call = guarded.call
        self.calls += 1
        (codec, *_) = codecs(call.surface)
        sent = codec.encode(call, "engine-model")
        self.heard += strings(sent)
        failure = FAILS[self.calls % len(FAILS)]
        if failure is UpstreamFailed:
            raise UpstreamFailed
        for part in said(call, " ".join(strings(sent))):
            yield Chunk((part,))
            if failure is not None:
                raise failure
        yield Chunk((Usage(1, 1),))


def said(call: Call, text: str) -> Iterator[Part]:
    """What the engine answers on this surface."""
    numbered = {"openai.embeddings": Vector(0, (0.5, -1.0)), "rerank": Rank(0, 0.5)}
    for choice in range(call.choices):
        yield Opened(choice)
        if (number := numbered.get(call.surface)) is not None:
            yield from (replace(number, index=index) for index in range(inputs(call)))
        else:
            yield Text(choice, "content", Kind.TEXT, text or "hello")
        yield Finished(choice, "stop")


async def _world(echo: Echo) -> World:
    """Canaries are redacted, at both gates; every model is there and is served by the echo."""
    seen = ScriptedDetector(look=finds(CANARY, "pii.canary"))
    force = make_force(make_rule("pii", "redact"), detectors=[seen])
    models = Models((Model("*", echo, frozenset(NAMES)),))
    return await make_relay(force=force, provider=echo, models=models)


@contextmanager
def echoing() -> Iterator[tuple[World, Echo, str]]:
    """The world, its engine, and the URL of the inference port, which runs in a thread of its own."""
    ready: Future[tuple[World, Echo, str]] = Future()
    over = threading.Event()

    async def serve() -> None:
        echo = Echo()
        world = await _world(echo)
        async with inference(world) as edge:
            ready.set_result((world, echo, f"http://127.0.0.1:{edge.port}"))
            await asyncio.to_thread(over.wait)

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as error:
            if not ready.done():
                ready.set_exception(error)
            raise

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield ready.result(timeout=60)
    finally:
        over.set()
        thread.join()
