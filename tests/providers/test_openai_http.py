"""The `openai` engine against the mock, and against bytes that no proper server sends."""

import asyncio
import gzip
import json

import aiohttp
import anyio
import pytest

from gateway.core.errors import UpstreamBroken, UpstreamFailed, UpstreamTimeout
from gateway.core.model import Text, Usage
from gateway.providers.openai_http import OpenAIHttp, open_pool
from gateway.providers.target import Target, Timeouts
from tests.providers.codec import TINY, guarded, parts_of, text_of
from tests.providers.contract import SECRET, ProviderContract, assert_no_text, everything
from tests.providers.wire import END, SSE, answer, piece, wire
from tests.rig import MockUpstream, eventually, free_port

pytestmark = pytest.mark.anyio

SHORT = Timeouts(connect=0.5, first_byte=0.2, between=0.2, total=5)
WHOLE = {
    "id": "x",
    "choices": [{"index": 0, "message": {"content": "fine"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1},
}


def event(text: str) -> bytes:
    body = {"id": "x", "choices": [{"index": 0, "delta": {"content": text}}]}
    return b"data: " + json.dumps(body, ensure_ascii=False).encode() + b"\n\n"


DONE = b"data: [DONE]\n\n"


@pytest.fixture
async def pool():
    async with open_pool() as session:
        yield session


def provider(pool: aiohttp.ClientSession, url: str, *, model: str | None = None, **options):
    key = options.pop("api_key", None)
    return OpenAIHttp(pool, TINY, Target(url, model, key), **options)


class AgainstTheMock:
    def __init__(self, pool: aiohttp.ClientSession, mock: MockUpstream) -> None:
        self._pool, self._mock = pool, mock

    def _with(self, knobs: str, **options):
        return provider(self._pool, self._mock.base_url, model=f"mock~{knobs}", **options)

    def answering(self):
        return self._with("tokens=5")

    def slow(self):
        return self._with("tokens=1000~delay_ms=50")

    def breaking(self):
        # `midstream` is for streams alone; a whole reply is cut by `truncate`.
        return Either(self._with("fail=truncate"), self._with("tokens=8~fail=midstream~delay_ms=5"))

    def hanging(self):
        return self._with("fail=hang", timeouts=SHORT)

    def asked(self) -> int:
        return self._mock.stats().get("requests", 0)

    def cancelled(self) -> int:
        return self._mock.stats().get("cancelled", 0)


class Either:
    """One provider for whole replies, another for streams."""

    def __init__(self, whole, streamed) -> None:
        self._whole, self._streamed = whole, streamed

    def complete(self, call):
        return (self._streamed if call.call.stream else self._whole).complete(call)


class TestContract(ProviderContract):
    @pytest.fixture
    def subject(self, pool, mock_upstream):
        return AgainstTheMock(pool, mock_upstream)


async def test_all_choices_and_usage_come_through(pool, mock_upstream):
    call = guarded(stream=True, n=2, stream_options={"include_usage": True})
    chunks = await everything(provider(pool, mock_upstream.base_url, model="mock~tokens=3"), call)
    assert text_of(chunks, 0) == text_of(chunks, 1) == "the quick brown "
    assert parts_of(chunks, Usage) == [Usage(10, 3)]


@pytest.mark.parametrize(
    ("configured", "sent"), [(None, "lab/one"), ("*", "lab/one"), ("llama", "llama")]
)
async def test_the_name_sent_on_is_the_configured_one_or_the_clients(
    pool, mock_upstream, configured, sent
):
    await everything(provider(pool, mock_upstream.base_url, model=configured), guarded("lab/one"))
    assert mock_upstream.last()[0]["body"]["model"] == sent


async def test_the_head_says_who_and_that_no_compression_is_wanted(pool, mock_upstream):
    await everything(provider(pool, mock_upstream.base_url, api_key="k-1"), guarded())
    head = mock_upstream.last()[0]["head"].lower()
    assert "authorization: bearer k-1" in head
    assert "accept-encoding: identity" in head
    assert "cookie:" not in head


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_a_finished_call_leaves_its_connection_to_the_next(pool, mock_upstream, stream):
    before = mock_upstream.stats().get("connections", 0)
    model = provider(pool, mock_upstream.base_url)
    for _ in range(5):
        await everything(model, guarded(stream=stream))
    # One for the calls; one each for the two readings of the counters, less the first one's own.
    assert mock_upstream.stats()["connections"] - before == 2


async def test_a_stream_whose_end_comes_after_its_terminator_keeps_the_connection(pool):
    writes = [SSE + piece(event("a") + DONE), END]
    async with wire(writes, close=False, stepwise=True) as it:
        it.step.release()
        stream = provider(pool, it.base_url).complete(guarded(stream=True))
        assert text_of([await anext(stream)]) == "a"
        asyncio.get_running_loop().call_later(0.02, it.step.release)
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
        with anyio.move_on_after(0.2):
            await it.gone.wait()
        assert not it.gone.is_set()


@pytest.mark.parametrize("end", [b"data: [DONE]", b"data: [DONE]\n", b"data: [DONE]\r\n"])
async def test_a_terminator_needs_no_blank_line_at_the_end_of_the_body(pool, end):
    async with wire([SSE + piece(event("a")) + piece(end) + END]) as it:
        model = provider(pool, it.base_url)
        assert text_of(await everything(model, guarded(stream=True))) == "a"


async def test_an_event_that_is_cut_at_the_end_of_the_body_is_no_terminator(pool):
    async with wire([SSE + piece(event("a")) + piece(event("b").rstrip()) + END]) as it:
        with pytest.raises(UpstreamBroken):
            await everything(provider(pool, it.base_url), guarded(stream=True))


async def test_a_server_that_never_ends_its_body_after_the_terminator_is_not_waited_for(pool):
    async with wire([SSE + piece(event("a") + DONE)], close=False) as it:
        with anyio.fail_after(2):
            assert (
                text_of(await everything(provider(pool, it.base_url), guarded(stream=True))) == "a"
            )
            await it.gone.wait()


async def test_events_that_arrive_together_leave_together(pool):
    async with wire([SSE + piece(event("a") + event("b")), piece(event("c") + DONE) + END]) as it:
        chunks = await everything(provider(pool, it.base_url), guarded(stream=True))
    assert text_of(chunks) == "abc"
    assert len(chunks) <= 2
    assert [part.text for part in chunks[0].parts if isinstance(part, Text)][:2] == ["a", "b"]
    assert chunks[0].envelope == {"id": "x"}


async def test_a_character_cut_by_the_network_arrives_whole(pool):
    whole = event("Grüße 🎉")
    for place in range(len(whole) - 12, len(whole)):
        writes = [SSE, piece(whole[:place]), piece(whole[place:]), piece(DONE), END]
        async with wire(writes) as it:
            chunks = await everything(provider(pool, it.base_url), guarded(stream=True))
        assert text_of(chunks) == "Grüße 🎉"


async def test_the_first_event_is_given_before_the_second_is_sent(pool):
    async with wire([SSE + piece(event("a")), piece(DONE) + END], stepwise=True) as it:
        it.step.release()
        stream = provider(pool, it.base_url).complete(guarded(stream=True))
        with anyio.fail_after(2):
            assert text_of([await anext(stream)]) == "a"
        await stream.aclose()


@pytest.mark.parametrize("status", ["400", "429", "500"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_an_error_status_is_a_failure_that_says_the_number_alone(
    pool, mock_upstream, status, stream
):
    model = provider(pool, mock_upstream.base_url, model=f"mock~fail={status}")
    with pytest.raises(UpstreamFailed) as caught:
        await everything(model, guarded(stream=stream))
    assert caught.value.message == f"The model server answered with status {status}."
    assert mock_upstream.stats()["requests"] == 1  # no retries


async def test_bad_json_is_a_failure(pool, mock_upstream):
    with pytest.raises(UpstreamFailed, match="not a JSON object"):
        await everything(
            provider(pool, mock_upstream.base_url, model="mock~fail=badjson"), guarded()
        )


async def test_a_reset_connection_is_a_failure(pool, mock_upstream):
    model = provider(pool, mock_upstream.base_url, model="mock~fail=reset")
    with pytest.raises(UpstreamFailed):
        await everything(model, guarded(stream=True))


async def test_a_server_that_is_not_there_is_a_failure(pool):
    model = provider(pool, f"http://127.0.0.1:{free_port()}/v1")
    with pytest.raises(UpstreamFailed, match="cannot be reached") as caught:
        await everything(model, guarded())
    assert "127.0.0.1" not in str(caught.value)


async def test_silence_in_the_middle_of_a_stream_is_a_timeout(pool, mock_upstream):
    timeouts = Timeouts(first_byte=5, between=0.2)
    model = provider(
        pool,
        mock_upstream.base_url,
        model="mock~tokens=8~fail=stall~fail_at=2",
        timeouts=timeouts,
    )
    with anyio.fail_after(2), pytest.raises(UpstreamTimeout):
        await everything(model, guarded(stream=True))
    await eventually(lambda: mock_upstream.stats().get("cancelled", 0) >= 1)


async def test_a_slow_first_token_is_allowed_what_a_gap_is_not(pool, mock_upstream):
    timeouts = Timeouts(first_byte=5, between=0.2)
    model = provider(
        pool, mock_upstream.base_url, model="mock~tokens=2~ttft_ms=10", timeouts=timeouts
    )
    assert text_of(await everything(model, guarded(stream=True)))
    whole = provider(
        pool, mock_upstream.base_url, model="mock~tokens=2~ttft_ms=500", timeouts=timeouts
    )
    assert text_of(await everything(whole, guarded()))


async def test_a_stream_that_only_trickles_ends_at_its_total(pool, mock_upstream):
    model = provider(
        pool,
        mock_upstream.base_url,
        model="mock~tokens=1000~delay_ms=20",
        timeouts=Timeouts(total=0.3),
    )
    with anyio.fail_after(3), pytest.raises(UpstreamTimeout):
        await everything(model, guarded(stream=True))
    await eventually(lambda: mock_upstream.stats().get("cancelled", 0) >= 1)


async def test_a_reader_slower_than_the_gap_allowed_is_not_the_servers_fault(pool, mock_upstream):
    model = provider(
        pool, mock_upstream.base_url, model="mock~tokens=20", timeouts=Timeouts(between=0.1)
    )
    chunks = []
    async for chunk in model.complete(guarded(stream=True)):
        chunks.append(chunk)
        await anyio.sleep(0.2)
    assert len(text_of(chunks).split()) == 20


@pytest.mark.parametrize(
    ("writes", "error"),
    [
        pytest.param([SSE + piece(event("a")) + END], UpstreamBroken, id="no terminator"),
        pytest.param([SSE + END], UpstreamBroken, id="nothing at all"),
        pytest.param([SSE + piece(event("a"))], UpstreamBroken, id="cut"),
        pytest.param([SSE + piece(b"data: {")], UpstreamFailed, id="cut before the first event"),
        pytest.param([SSE + piece(b"data: {nope\n\n") + END], UpstreamFailed, id="bad JSON"),
        pytest.param([SSE + piece(b"data: []\n\n") + END], UpstreamFailed, id="not an object"),
        pytest.param(
            [SSE + piece(b'data: {"error": {"message": "%b"}}\n\n' % SECRET.encode()) + END],
            UpstreamFailed,
            id="error object",
        ),
        pytest.param(
            [SSE + piece(b"data: " + b"x" * (1 << 20) + b"\n\n") + END], UpstreamFailed, id="huge"
        ),
        pytest.param([answer(b"{}")], UpstreamFailed, id="no event stream"),
        pytest.param([b"HTTP/9.9 zq-canary-prompt\r\n\r\n"], UpstreamFailed, id="not HTTP"),
    ],
)
async def test_a_faulty_stream_is_an_error_without_its_text(pool, writes, error):
    async with wire(writes) as it:
        with pytest.raises(error) as caught:
            await everything(provider(pool, it.base_url), guarded(stream=True, text=SECRET))
    assert type(caught.value) is error
    assert_no_text(caught.value)


async def test_a_body_that_stops_being_http_is_not_waited_for(pool):
    garbage = SECRET.encode() + b"\r\n"
    timeouts = Timeouts(between=0.2)
    async with wire([SSE + piece(event("a")), garbage], close=False, stepwise=True) as it:
        it.step.release()
        stream = provider(pool, it.base_url, timeouts=timeouts).complete(guarded(stream=True))
        assert text_of([await anext(stream)]) == "a"
        it.step.release()
        with pytest.raises(UpstreamTimeout) as caught, anyio.fail_after(2):
            await anext(stream)
    assert_no_text(caught.value)


async def test_what_came_before_an_error_in_the_same_read_is_still_given(pool):
    async with wire([SSE + piece(event("a") + b'data: {"error": "no"}\n\n') + END]) as it:
        stream = provider(pool, it.base_url).complete(guarded(stream=True))
        assert text_of([await anext(stream)]) == "a"
        with pytest.raises(UpstreamFailed, match="reported an error"):
            await anext(stream)


async def test_a_redirect_is_not_followed(pool, mock_upstream):
    to = mock_upstream.base_url.encode() + b"/chat/completions"
    redirect = b"HTTP/1.1 307 Moved\r\nlocation: %b\r\ncontent-length: 0\r\n\r\n" % to
    async with wire([redirect]) as it:
        with pytest.raises(UpstreamFailed, match="307"):
            await everything(provider(pool, it.base_url, api_key="k"), guarded())
    assert "requests" not in mock_upstream.stats()


async def test_cookies_are_not_kept(pool):
    body = json.dumps(WHOLE).encode()
    with_cookie = answer(body).replace(b"content-length", b"set-cookie: a=b\r\ncontent-length")
    async with wire([with_cookie]) as it:
        # A cookie jar takes none from an address in numbers anyway.
        url = it.base_url.replace("127.0.0.1", "localhost")
        for _ in range(2):
            assert text_of(await everything(provider(pool, url), guarded())) == "fine"
        assert b"cookie" not in it.requests[1].lower()


@pytest.mark.parametrize("told", [True, False], ids=["said", "unsaid"])
async def test_a_compressed_answer_is_refused_unopened(pool, told):
    bomb = gzip.compress(json.dumps({**WHOLE, "pad": "x" * 1_000_000}).encode())
    reply = answer(bomb)
    if told:
        reply = reply.replace(b"content-length", b"content-encoding: gzip\r\ncontent-length")
    async with wire([reply]) as it:
        with pytest.raises(UpstreamFailed):
            await everything(provider(pool, it.base_url), guarded())


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "chunked"])
async def test_a_whole_reply_past_the_cap_is_refused(pool, announced):
    body = json.dumps({**WHOLE, "pad": "x" * 5000}).encode()
    chunked = SSE.replace(b"text/event-stream", b"application/json") + piece(body) + END
    async with wire([answer(body) if announced else chunked]) as it:
        with pytest.raises(UpstreamFailed, match="larger"):
            await everything(provider(pool, it.base_url, max_reply=4000), guarded())
