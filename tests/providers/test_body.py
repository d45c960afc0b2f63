"""The clocks of a body: who is waited for, how long, and whose delay counts."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp
import anyio
import anyio.lowlevel
import pytest

from gateway.core.errors import UpstreamBroken, UpstreamFailed, UpstreamTimeout
from gateway.providers.body import Body, translated
from gateway.providers.target import Timeouts
from tests.providers.contract import SECRET, assert_no_text
from tests.providers.wire import END, SSE, Wire, piece, wire

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def opened(it: Wire, **timeouts: float) -> AsyncGenerator[Body]:
    times = Timeouts(**{"first_byte": 5, "between": 5, "total": 5, **timeouts})
    async with aiohttp.ClientSession() as session:
        response = await session.post(it.base_url, data=b"{}")
        body = Body(response, times, asyncio.get_running_loop().time() + times.total)
        try:
            yield body
        finally:
            body.close()


async def exhaust(body: Body, **options: bool) -> None:
    while await body.read(**options):
        pass


async def test_a_body_gives_what_arrived_and_then_its_end():
    async with wire([SSE + piece(b"one"), piece(b"two") + END]) as it, opened(it) as body:
        assert b"".join([await body.read(), await body.read()])[:6] in {b"one", b"onetwo"}


async def test_a_body_that_never_begins_is_a_timeout():
    async with wire([SSE], close=False) as it, opened(it, first_byte=0.1) as body:
        with anyio.fail_after(2), pytest.raises(UpstreamTimeout):
            await body.read()


async def test_the_gap_allowed_holds_only_after_the_first_read():
    async with (
        wire([SSE, piece(b"one")], close=False, stepwise=True) as it,
        anyio.create_task_group() as tasks,
    ):
        it.step.release()
        async with opened(it, between=0.1) as body:

            async def later():
                await anyio.sleep(0.4)
                it.step.release()

            tasks.start_soon(later)
            assert await body.read() == b"one"
            with anyio.fail_after(2), pytest.raises(UpstreamTimeout):
                await body.read(began=True)


async def test_a_reader_may_take_longer_than_the_gap_between_its_reads():
    writes = [SSE, piece(b"one"), piece(b"two"), piece(b"three")]
    async with wire(writes, close=False, stepwise=True) as it:
        it.step.release()
        async with opened(it, between=0.1) as body:
            for expected in (b"one", b"two", b"three"):
                it.step.release()
                assert await body.read() == expected
                await anyio.sleep(0.4)


async def test_the_total_ends_what_only_trickles():
    trickle = [SSE] + [piece(b"x")] * 1000
    async with wire(trickle, stepwise=True) as it, anyio.create_task_group() as tasks:

        async def drip():
            while True:
                it.step.release()
                await anyio.sleep(0.01)

        tasks.start_soon(drip)
        async with opened(it, total=0.3) as body:
            with anyio.fail_after(2), pytest.raises(UpstreamTimeout):
                await exhaust(body)
        tasks.cancel_scope.cancel()


async def test_what_has_all_arrived_can_be_read_after_the_total():
    async with wire([SSE + piece(b"one") + END]) as it, opened(it, total=0.2) as body:
        await anyio.sleep(0.5)
        assert await body.read() == b"one"
        assert await body.read() == b""


async def test_closing_cuts_a_body_that_goes_on():
    async with wire([SSE + piece(b"one")], close=False) as it:
        async with opened(it) as body:
            await body.read()
        with anyio.fail_after(2):
            await it.gone.wait()


async def test_between_pieces_of_what_has_arrived_others_have_their_turn():
    async with wire([SSE + piece(b"x" * 10_000)], close=False) as it, opened(it) as body:
        while body._content.total_bytes < 10_000:
            await anyio.lowlevel.checkpoint()
        had_their_turn = asyncio.Event()
        asyncio.get_running_loop().call_soon(had_their_turn.set)

        assert len(await body.read(most=4_000)) == 4_000
        assert had_their_turn.is_set()
        assert len(await body.read()) == 6_000


@pytest.mark.parametrize(("began", "error"), [(False, UpstreamFailed), (True, UpstreamBroken)])
async def test_a_cut_is_a_failure_before_the_first_event_and_a_break_after(began, error):
    async with wire([SSE + piece(b"one")]) as it, opened(it) as body:
        with pytest.raises(error) as caught:
            await exhaust(body, began=began)
    assert type(caught.value) is error
    assert caught.value.__context__ is None


async def test_the_end_is_waited_for_only_so_long():
    async with wire([SSE + piece(b"one")], close=False) as it, opened(it) as body:
        await body.read()
        with anyio.fail_after(2):
            assert not await body.ended_within(0.05)
    async with wire([SSE + piece(b"one") + END], close=False) as it, opened(it) as body:
        await body.read()
        assert await body.ended_within(2)


def test_an_error_of_the_library_is_said_without_its_words():
    assert_no_text(translated(aiohttp.ClientPayloadError(SECRET), began=True))
