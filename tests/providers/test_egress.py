"""Where a library's own requests may go, and what they may bring back."""

import aiohttp
import pytest
from yarl import URL

from gateway.providers.egress import Outing, current_session, only, open_session
from tests.providers.wire import answer, wire

pytestmark = pytest.mark.anyio


async def test_a_request_outside_a_call_does_not_leave():
    async with wire([answer(b"{}")]) as it, open_session() as session:
        with pytest.raises(aiohttp.ClientConnectionError):
            await session.post(it.base_url, data=b"{}")
        assert not it.requests
    with pytest.raises(aiohttp.ClientConnectionError):
        current_session()


async def test_a_request_of_the_call_goes_to_its_origin_alone():
    async with wire([answer(b"{}")]) as mine, wire([answer(b"{}")]) as other:
        async with open_session() as session:
            outing = Outing(session, URL(mine.base_url).origin(), 1000)
            with only(outing):
                assert current_session() is session
                response = await session.post(mine.base_url, data=b"{}")
                with pytest.raises(aiohttp.ClientConnectionError):
                    await session.post(other.base_url, data=b"{}")
            assert outing.responses == [response]
        assert not other.requests


async def test_the_call_ends_with_its_block():
    async with open_session() as session:
        with only(Outing(session, URL("http://127.0.0.1:1"), 1000)):
            pass
    with pytest.raises(aiohttp.ClientConnectionError):
        current_session()


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 307 Moved\r\nconnection: close\r\nlocation: /same\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n{",
    ],
    ids=["redirect", "compressed", "too large"],
)
async def test_an_answer_that_is_not_plain_is_not_read(head):
    async with wire([head]) as it, open_session() as session:
        with (
            only(Outing(session, URL(it.base_url).origin(), 1000)),
            pytest.raises(aiohttp.ClientConnectionError),
        ):
            await session.post(it.base_url, data=b"{}")
        assert len(it.requests) == 1
        assert b"accept-encoding: identity" in it.requests[0].lower()


async def test_closing_an_outing_cuts_what_is_still_coming():
    async with wire([answer(b"{}")[:-1]], close=False) as it, open_session() as session:
        outing = Outing(session, URL(it.base_url).origin(), 1000)
        with only(outing):
            await session.post(it.base_url, data=b"{}")
        outing.close()
        await it.gone.wait()
