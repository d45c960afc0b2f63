"""What a client gets: statuses, bodies, headers and events, as the contract has them."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from gateway.core.errors import UpstreamBroken, UpstreamFailed, UpstreamTimeout
from gateway.core.policy import Hold
from gateway.services.limits import Allowance, TeamAllowance
from gateway.services.reviews import ReviewDesk
from gateway.services.telling import Teller
from gateway.telemetry import set_up
from tests.factories import BLOCKED, HELD, TEAM, World, make_relay, policies, reply
from tests.fakes import ScriptedProvider, forever
from tests.http.edge import CHAT, Edge, content, error, events, inference
from tests.services.relaying import DECISION, HELD_RECORD, watching

LONG = ("all is well so far, and then ", "a secret that goes on and on", " to its end")


def told(response: httpx2.Response, edge: Edge, action: str) -> None:
    """The three headers of every answer."""
    policy = edge.world.relay.policies.policies[0].force.policy
    assert response.headers["x-wardgate-call"].startswith("call_")
    assert response.headers["x-wardgate-action"] == action
    assert response.headers["x-wardgate-policy"] == f"house@{policy.digest[:12]}"


async def test_an_allowed_call_gets_its_completion() -> None:
    async with inference() as edge:
        response = await edge.chat()

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    told(response, edge, "allow")
    body = response.json()
    assert body["object"] == "chat.completion"
    assert body["choices"][0]["message"]["content"] == "hello you"
    assert body["choices"][0]["finish_reason"] == "stop"
    assert body["usage"]["total_tokens"] == 12


async def test_the_call_of_the_header_is_the_call_of_the_records() -> None:
    async with inference() as edge:
        response = await edge.chat()

    calls = {one.call for one in edge.world.store.ledger.records if one.kind == DECISION}
    assert calls == {response.headers["x-wardgate-call"]}


async def test_a_stream_ends_with_its_action_and_done() -> None:
    async with inference() as edge:
        response = await edge.chat(stream=True, stream_options={"include_usage": True})

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    told(response, edge, "allow")
    stream = events(response.text)
    assert content(stream) == "hello you"
    assert stream[-2:] == [": x-wardgate-action: allow", "[DONE]"]
    assert stream[-3]["usage"]["completion_tokens"] == 7
    assert [one["choices"][0]["finish_reason"] for one in stream[:-3]].count("stop") == 1


@pytest.mark.parametrize("stream", [True, False])
async def test_a_redacted_reply_is_rewritten_and_says_so(stream: bool) -> None:
    provider = ScriptedProvider(reply(*LONG))
    async with inference(force=watching("redact"), provider=provider) as edge:
        response = await edge.chat("my secret", stream=stream)

    told(response, edge, "redact")
    if stream:
        assert ": x-wardgate-action: redact" in events(response.text)
        text = content(events(response.text))
    else:
        text = response.json()["choices"][0]["message"]["content"]
    assert text == "".join(LONG).replace("secret", "<WORD>")


async def test_a_streams_header_is_the_action_so_far_and_its_comment_the_last() -> None:
    provider = ScriptedProvider(reply(*LONG))
    async with inference(force=watching("redact"), provider=provider) as edge:
        response = await edge.chat(stream=True)

    told(response, edge, "allow")
    assert events(response.text)[-2:] == [": x-wardgate-action: redact", "[DONE]"]


@pytest.mark.parametrize("stream", [True, False])
async def test_a_call_blocked_at_input_is_a_400_with_the_policys_message(stream: bool) -> None:
    async with inference(force=watching("block")) as edge:
        response = await edge.chat("my secret", stream=stream)

    assert response.status_code == 400
    told(response, edge, "block")
    assert error(response) == {
        "message": BLOCKED,
        "type": "policy_blocked",
        "param": None,
        "code": "content_filter",
    }


async def test_a_reply_blocked_before_any_text_is_the_policys_message() -> None:
    provider = ScriptedProvider(reply("secret"))
    async with inference(force=watching("block"), provider=provider) as edge:
        whole = await edge.chat()
        stream = await edge.chat(stream=True)

    for response in (whole, stream):
        assert response.status_code == 200
        told(response, edge, "block")
    (choice,) = whole.json()["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == (BLOCKED, "content_filter")
    assert content(events(stream.text)) == BLOCKED
    assert events(stream.text)[-1] == "[DONE]"


async def test_a_stream_blocked_after_some_text_ends_with_content_filter_and_done() -> None:
    provider = ScriptedProvider(reply(*LONG))
    async with inference(force=watching("block"), provider=provider) as edge:
        response = await edge.chat(stream=True)

    stream = events(response.text)
    assert content(stream).startswith("all is well")
    assert "secret" not in response.text
    assert stream[-3]["choices"][0]["finish_reason"] == "content_filter"
    assert stream[-2:] == [": x-wardgate-action: block", "[DONE]"]


# -- held


async def decide(world: World, text: str | None = None) -> None:
    """Approve the first review that comes, or let `text` go instead."""
    desk = ReviewDesk(world.store.reviews, world.clock)
    while not (waiting := await desk.list()):  # noqa: ASYNC110 - the store is polled in life, too
        await asyncio.sleep(0.001)
    if text is None:
        await desk.approve(waiting[0].id, "ann")
    else:
        await desk.edit(waiting[0].id, "ann", text)


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("text", [None, "my wish"])
async def test_a_held_reply_comes_once_a_person_has_decided(text: str | None, stream: bool) -> None:
    provider = ScriptedProvider(reply("secret"))
    async with inference(force=watching("hold"), provider=provider) as edge:
        response, _ = await asyncio.gather(edge.chat(stream=stream), decide(edge.world, text))

    assert response.status_code == 200
    told(response, edge, "hold")
    (held,) = edge.world.records(HELD_RECORD)
    assert response.headers["x-wardgate-review"] == held["review"]
    if stream:
        stream_events = events(response.text)
        assert stream_events[0] == ": a person is looking at this answer"
        assert content(stream_events) == (text or "secret")
        assert f"x-wardgate-review: {held['review']}" in response.text
    else:
        assert response.json()["choices"][0]["message"]["content"] == (text or "secret")


@pytest.mark.parametrize("stream", [True, False])
async def test_held_input_that_nobody_decides_is_a_400_with_its_review(stream: bool) -> None:
    async with inference(force=watching("hold", hold=Hold(wait=0))) as edge:
        response = await edge.chat("my secret", stream=stream)

    assert response.status_code == 400
    told(response, edge, "hold")
    assert error(response)["message"] == HELD
    assert error(response)["type"] == "policy_blocked"
    assert response.headers["x-wardgate-review"] == edge.world.records(HELD_RECORD)[0]["review"]


@pytest.mark.parametrize("stream", [True, False])
async def test_a_held_reply_that_nobody_decides_is_the_held_message(stream: bool) -> None:
    provider = ScriptedProvider(reply("secret"))
    force = watching("hold", hold=Hold(wait=0))
    async with inference(force=force, provider=provider) as edge:
        response = await edge.chat(stream=stream)

    assert response.status_code == 200
    assert response.headers["x-wardgate-review"].startswith("rev_")
    if stream:
        assert content(events(response.text)) == HELD
        assert events(response.text)[-1] == "[DONE]"
    else:
        (choice,) = response.json()["choices"]
        assert (choice["message"]["content"], choice["finish_reason"]) == (HELD, "content_filter")


# -- refused


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer wg_x", "Basic abc", "Bearer \u00e9"],
)
async def test_without_a_known_key_a_call_is_a_401(header: str | None) -> None:
    async with inference() as edge:
        named = [] if header is None else [(b"authorization", header.encode("latin-1"))]
        response = await edge.client.post(CHAT, content=b"{}", headers=named)

    assert response.status_code == 401
    assert error(response)["code"] == "unknown_key"
    assert response.headers["x-wardgate-call"].startswith("call_")
    assert response.headers["x-wardgate-action"] == "allow"


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        (b"", "malformed_body", None),
        (b"{", "malformed_body", None),
        (b"[]", "malformed_body", None),
        (b"\xff\xfe{}", "malformed_body", None),
        (b'{"model": "chat"}', "invalid_field", "messages"),
        (b'{"model": "chat", "messages": [], "mock_response": "x"}', None, None),
        (b"[" * 10_000, "malformed_body", None),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "malformed_body", None),
    ],
    ids=["empty", "cut", "list", "binary", "no messages", "mock", "deep list", "deep object"],
)
async def test_a_malformed_body_is_a_400(body: bytes, code: str | None, param: str | None) -> None:
    async with inference() as edge:
        response = await edge.send(body)

    assert response.status_code == 400
    assert code is None or error(response)["code"] == code
    assert param is None or error(response)["param"] == param
    assert edge.world.provider.calls == []


@pytest.mark.parametrize("name", ["mock_response", "api_base", "base_url", "metadata_x"])
async def test_an_unknown_field_is_a_400_with_its_path(name: str) -> None:
    async with inference() as edge:
        changes: dict[str, Any] = {name: "http://canary"}
        response = await edge.chat(**changes)

    assert response.status_code == 400
    assert (error(response)["code"], error(response)["param"]) == ("unknown_field", name)
    assert "canary" not in response.text


async def test_an_unknown_model_is_a_404() -> None:
    async with inference() as edge:
        response = await edge.chat(model="canary")

    assert response.status_code == 404
    assert error(response)["code"] == "model_not_found"
    assert "canary" not in response.text


async def test_without_a_policy_a_call_is_a_403() -> None:
    world = await make_relay()
    world = replace(world, relay=replace(world.relay, policies=policies()))
    async with inference(world) as edge:
        response = await edge.chat()

    assert response.status_code == 403
    assert error(response)["code"] == "no_policy"
    assert "x-wardgate-policy" not in response.headers


async def test_over_a_limit_is_a_429_that_says_when_to_try_again() -> None:
    teams = {TEAM: TeamAllowance(Allowance(requests_per_minute=2))}
    async with inference(teams=teams) as edge:
        statuses = [(await edge.chat()).status_code for _ in range(2)]
        response = await edge.chat()

    assert statuses == [200, 200]
    assert response.status_code == 429
    assert response.headers["retry-after"] == "30"
    assert error(response)["code"] == "over_limit"


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("failure", "status"),
    [(UpstreamFailed("x"), 502), (UpstreamTimeout("x"), 504), (UpstreamBroken("x"), 502)],
    ids=["failed", "timeout", "broken"],
)
async def test_a_model_that_fails_before_the_first_text_is_a_5xx(
    failure: Exception, status: int, stream: bool
) -> None:
    async with inference(provider=ScriptedProvider(error=failure)) as edge:
        response = await edge.chat(stream=stream)

    assert response.status_code == status
    told(response, edge, "allow")
    assert error(response)["type"] == "upstream_error"


@pytest.mark.parametrize(
    "failure", [UpstreamBroken(), UpstreamTimeout(), ZeroDivisionError("canary")]
)
async def test_a_stream_that_breaks_ends_in_an_error_event_and_never_in_done(
    failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    provider = ScriptedProvider(reply(*LONG)[:-1], failure)
    async with inference(provider=provider) as edge:
        response = await edge.chat(stream=True)

    stream = events(response.text)
    assert response.status_code == 200
    assert content(stream) == LONG[0] + LONG[1]
    assert list(stream[-1]) == ["error"]
    assert "[DONE]" not in stream
    assert "canary" not in response.text + caplog.text


async def test_a_whole_reply_that_breaks_releases_nothing() -> None:
    provider = ScriptedProvider(reply(*LONG)[:-1], UpstreamBroken())
    async with inference(provider=provider) as edge:
        response = await edge.chat()

    assert response.status_code == 502
    assert "all is well" not in response.text


async def test_a_log_that_is_away_is_a_503_and_no_call() -> None:
    async with inference() as edge:
        await edge.chat()
        edge.world.store.database.broken = True
        response = await edge.chat()

    assert response.status_code == 503
    assert error(response)["code"] == "audit_unavailable"
    assert response.headers["retry-after"] == "1"
    assert len(edge.world.provider.calls) == 1


async def test_a_fault_of_ours_is_a_500_that_says_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with inference(provider=ScriptedProvider(error=ZeroDivisionError("a canary"))) as edge:
        response = await edge.chat()

    assert response.status_code == 500
    assert error(response)["code"] == "wardgate_error"
    assert "ZeroDivisionError" in caplog.text
    assert "canary" not in response.text + caplog.text


# -- what a body may be

SMALL = {"limits": {"body_bytes": 1000}}


async def test_a_body_that_says_it_is_too_large_is_a_413_at_once() -> None:
    async with inference(settings=SMALL) as edge:
        response = await edge.chat("x" * 1000)

    assert response.status_code == 413
    assert error(response)["code"] == "too_large"
    assert "x-wardgate-call" in response.headers


async def test_a_body_that_grows_too_large_is_a_413() -> None:
    async def pieces() -> Any:
        for _ in range(20):
            yield b" " * 100

    async with inference(settings=SMALL) as edge:
        response = await edge.send(pieces())

    assert response.status_code == 413


async def test_a_chunked_body_within_the_limit_is_taken() -> None:
    async def pieces() -> Any:
        body = json.dumps({"model": "chat", "messages": [{"role": "user", "content": "hi"}]})
        for character in body.encode():
            yield bytes([character])

    async with inference(settings=SMALL) as edge:
        response = await edge.send(pieces())

    assert response.status_code == 200


async def test_a_body_that_does_not_come_in_time_is_a_408() -> None:
    async with (
        inference(settings={"limits": {"body_seconds": "50ms"}}) as edge,
        edge.raw({}, declares=100) as (reader, _),
    ):
        head = await asyncio.wait_for(reader.readuntil(b"\r\n"), 5)

    assert head.startswith(b"HTTP/1.1 408 ")
    assert edge.world.kinds == []


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip"])
async def test_an_encoded_body_is_a_415(encoding: str) -> None:
    async with inference() as edge:
        response = await edge.send(b"{}", content_encoding=encoding)

    assert response.status_code == 415
    assert error(response)["code"] == "unsupported_encoding"


# -- the client that leaves


async def until(holds: Any) -> None:
    async with asyncio.timeout(5):
        while not holds():  # noqa: ASYNC110 - what is waited for is the server's
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("stream", [True, False])
async def test_a_client_that_leaves_cancels_the_models_work(stream: bool) -> None:
    provider = ScriptedProvider(reply("hi"), before=forever)
    async with inference(provider=provider) as edge:
        async with edge.raw(_body(stream)):
            await until(lambda: provider.calls)
        await until(lambda: DECISION in edge.world.kinds)

    assert provider.closed == 1
    assert edge.world.decision["outcome"] == "abandoned"
    assert edge.world.store.database.open_calls == {}


async def test_a_client_that_leaves_in_mid_stream_cancels_the_models_work() -> None:
    turns = 0

    async def after_the_first() -> None:
        nonlocal turns
        turns += 1
        if turns > 1:
            await forever()

    provider = ScriptedProvider(reply("hello ", "you"), before=after_the_first)
    async with inference(provider=provider) as edge:
        async with edge.raw(_body(stream=True)) as (reader, _):
            assert b"hello" in await reader.readuntil(b"hello")
        await until(lambda: DECISION in edge.world.kinds)

    assert provider.closed == 1
    assert edge.world.decision["outcome"] == "abandoned"


async def test_a_client_that_leaves_while_sending_its_body_leaves_nothing() -> None:
    async with inference() as edge:
        reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
        writer.write(f"POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{{".encode())
        await writer.drain()
        writer.transport.abort()
        await asyncio.sleep(0.01)
        assert (await edge.chat()).status_code == 200
        del reader

    assert edge.world.kinds.count(DECISION) == 1


async def test_the_port_serves_others_while_one_waits() -> None:
    provider = ScriptedProvider(reply("hi"), before=forever)
    async with inference(provider=provider) as edge, edge.raw(_body(stream=False)):
        await until(lambda: provider.calls)
        response = await edge.client.get("/healthz")

    assert response.status_code == 200


def _body(stream: bool) -> dict[str, Any]:
    return {"model": "chat", "messages": [{"role": "user", "content": "hi"}], "stream": stream}


async def test_no_text_is_in_any_log(caplog: pytest.LogCaptureFixture) -> None:
    telemetry = set_up("wardgate")
    provider = ScriptedProvider(reply("a secret canary"))
    with caplog.at_level("DEBUG"):
        async with inference(
            force=watching("flag"),
            provider=provider,
            teller=Teller(telemetry.tracer, telemetry.meter),
        ) as edge:
            assert "canary" in (await edge.chat("my secret canary")).text
            await edge.send(b'{"canary')
            await edge.chat(headers={"authorization": "Bearer canary"})

    ours = [one.getMessage() for one in caplog.records if one.name.startswith("wardgate")]
    assert "canary" not in "".join(ours)
    assert b"canary" not in telemetry.page()
