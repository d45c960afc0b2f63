"""A request's head is bounded in size and time, whatever its body, and so is each head of a connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any, cast

import pytest
import uvicorn
from uvicorn.server import ServerState

from gateway.http.protocol import BoundedConnection
from tests.http.edge import CHAT, Edge, inference

LIMIT = 64 * 1024


async def answered(edge: Edge, *pieces: bytes) -> bytes:
    """What comes back on a connection that sends these pieces one after another."""
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    try:
        reading = asyncio.get_running_loop().create_task(reader.readuntil(b"\r\n\r\n"))
        for piece in pieces:
            if not reading.done():
                writer.write(piece)
                await asyncio.wait({reading}, timeout=0.02)
        async with asyncio.timeout(5):
            return await reading
    finally:
        writer.transport.abort()


@pytest.mark.parametrize(
    "line", [b"x-%d: " + b"v" * 1000 + b"\r\n", b"x-%d: v\r\n"], ids=["long", "short"]
)
async def test_headers_that_never_end_are_refused(line: bytes) -> None:
    count = 2 * LIMIT // len(line)
    lines = b"".join(line % number for number in range(count))
    pieces = [lines[at : at + 16_000] for at in range(0, len(lines), 16_000)]
    async with inference() as edge:
        answer = await answered(edge, b"GET /healthz HTTP/1.1\r\nhost: x\r\n", *pieces)

    assert answer.startswith(b"HTTP/1.1 400 ")


async def test_a_head_within_the_limit_is_served() -> None:
    async with inference() as edge:
        headers = {f"x-{number}": "v" * 1000 for number in range(20)}
        response = await edge.client.get("/healthz", headers=headers)

    assert response.status_code == 200


async def test_a_body_larger_than_a_head_may_be_is_served() -> None:
    async with inference() as edge:
        for _ in range(3):
            assert (await edge.chat("x" * (4 * LIMIT))).status_code == 200


async def test_many_requests_on_one_connection_each_have_a_head_of_their_own() -> None:
    async with inference() as edge:
        headers = {"x-long": "v" * 30_000}
        statuses = {
            (await edge.client.get("/healthz", headers=headers)).status_code for _ in range(6)
        }

    assert statuses == {200}


async def test_a_refused_head_calls_nothing() -> None:
    start = f"POST {CHAT} HTTP/1.1\r\nhost: x\r\nx-a: ".encode()
    async with inference() as edge:
        await answered(edge, start, *[b"v" * 16_000] * 6)

    assert edge.world.kinds == []


# -- a head that is slow


class HandClock:
    """A loop whose timers go off when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[asyncio.TimerHandle] = []
        self.loop = asyncio.get_running_loop()

    def call_later(self, delay: float, callback: Any) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(self.now + delay, callback, (), self.loop)
        self.timers.append(timer)
        return timer

    def create_task(self, work: Any) -> asyncio.Task[None]:
        return self.loop.create_task(work)

    def on(self, seconds: float) -> None:
        self.now += seconds
        for timer in [one for one in self.timers if one.when() <= self.now]:
            self.timers.remove(timer)
            if not timer.cancelled():
                timer._run()


class Wire(asyncio.Transport):
    """Keeps what is written and whether it was closed."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.closed = False

    def write(self, data: Any) -> None:
        self.sent += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def abort(self) -> None:
        self.closed = True

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


class Line:
    """One connection by hand: `say` bytes, let seconds pass, and see whether it is still open.

    The application waits for `go_on` before it answers, and reads no body.
    """

    def __init__(self) -> None:
        self.clock = HandClock()
        self.wire = Wire()
        self.go_on = asyncio.Event()
        config = uvicorn.Config(
            self._app, interface="asgi3", h11_max_incomplete_event_size=LIMIT, log_config=None
        )
        config.load()
        sort = BoundedConnection.within(20, 60)
        self.protocol = sort(config, ServerState(), {}, cast("Any", self.clock))
        self.protocol.connection_made(self.wire)

    async def _app(self, _scope: Any, _receive: Any, send: Any) -> None:
        await self.go_on.wait()
        headers = [(b"content-length", b"0")]
        await send({"type": "http.response.start", "status": 204, "headers": headers})
        await send({"type": "http.response.body"})

    def say(self, data: bytes) -> None:
        self.protocol.data_received(data)

    async def answer(self) -> None:
        """Let the call that runs be answered."""
        self.go_on.set()
        await asyncio.wait(self.protocol.tasks, timeout=5)
        self.go_on.clear()

    async def end(self) -> None:
        """The client is gone; wait until the call that runs has seen it."""
        self.protocol.connection_lost(None)
        self.go_on.set()
        if self.protocol.tasks:
            await asyncio.wait(self.protocol.tasks, timeout=5)

    def open_after(self, seconds: float) -> bool:
        self.clock.on(seconds)
        return not self.wire.closed


@pytest.fixture
async def line() -> AsyncGenerator[Line]:
    line = Line()
    yield line
    await line.end()


GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n"


async def test_a_connection_that_says_nothing_is_closed_after_20_seconds(line: Line) -> None:

    assert line.open_after(19.9)
    assert not line.open_after(0.2)
    assert line.wire.sent == b""


async def test_a_head_that_drips_gets_no_more_time_by_it(line: Line) -> None:
    for byte in GET[:19]:
        line.say(bytes([byte]))
        assert line.open_after(1)

    line.say(GET[19:20])
    assert not line.open_after(1)


async def test_an_answer_may_take_as_long_as_it_does(line: Line) -> None:
    line.say(GET)

    assert line.open_after(600)
    await line.answer()
    assert line.wire.sent.startswith(b"HTTP/1.1 204 ")


@pytest.mark.parametrize("first", [GET[:1], b"\r\n"])
async def test_the_next_head_has_20_seconds_from_its_first_byte(line: Line, first: bytes) -> None:
    line.say(GET)
    await line.answer()
    assert line.open_after(4)
    line.say(first)
    assert line.open_after(19.9)
    line.say(GET[1:-1])
    assert not line.open_after(0.2)


async def test_a_next_head_that_comes_in_time_is_answered(line: Line) -> None:
    for _ in range(3):
        line.say(GET[:10])
        assert line.open_after(15)
        line.say(GET[10:])
        assert line.open_after(100)
        await line.answer()


async def test_what_comes_ahead_of_a_next_request_does_not_cut_the_answer_that_runs(
    line: Line,
) -> None:
    line.say(GET)
    line.say(b"\r\n")
    line.say(GET[:10])

    assert line.open_after(600)
    await line.answer()
    assert line.wire.sent.startswith(b"HTTP/1.1 204 ")


async def test_the_rest_of_a_body_that_is_answered_has_20_seconds(line: Line) -> None:
    line.say(POST)
    await line.answer()
    for _ in range(5):
        assert line.open_after(3)
        line.say(b"x")

    assert line.open_after(4.9)
    assert not line.open_after(0.2)


async def test_a_connection_whose_body_came_after_its_answer_has_20_seconds_for_the_next(
    line: Line,
) -> None:
    line.say(POST)
    await line.answer()
    line.say(b"x" * 9)
    assert line.open_after(15)
    line.say(b"x")

    assert line.open_after(19.9)
    assert not line.open_after(0.2)


async def test_a_body_is_not_for_this_clock(line: Line) -> None:
    line.say(POST)

    assert line.open_after(600)


async def test_a_connection_that_ended_has_no_timer_left(line: Line) -> None:
    line.say(GET[:5])
    await line.end()

    assert all(timer.cancelled() for timer in line.clock.timers)


async def test_the_setting_holds_on_the_real_port() -> None:
    async with inference(settings={"limits": {"header_seconds": "50ms"}}) as edge:
        reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
        writer.write(GET[:-2])
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()
        assert (await edge.client.get("/healthz")).status_code == 200


# -- a client that does not read


async def test_a_client_that_takes_nothing_is_dropped_after_60_seconds(line: Line) -> None:
    line.say(GET)
    line.protocol.pause_writing()

    assert line.open_after(59.9)
    assert not line.open_after(0.2)


async def test_a_client_that_reads_again_in_time_is_kept(line: Line) -> None:
    line.say(GET)
    for _ in range(3):
        line.protocol.pause_writing()
        assert line.open_after(59)
        line.protocol.resume_writing()

    assert line.open_after(600)
