"""Spans and metrics tell the way of a call: names, ids, labels and times, and never any text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan  # noqa: TID251 - what the spans come to is read here
from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: TID251
from opentelemetry.sdk.trace.export.in_memory_span_exporter import (  # noqa: TID251
    InMemorySpanExporter,
)
from opentelemetry.trace import NoOpTracer, SpanKind, StatusCode

from gateway.core.errors import PolicyBlocked, UnknownKey, UpstreamTimeout
from gateway.services.relay import Progress, Request
from gateway.services.telling import Teller
from gateway.telemetry import Telemetry, set_up
from tests.factories import World, make_relay, reply
from tests.fakes import ScriptedProvider
from tests.services.relaying import consume, watching


@dataclass
class Told:
    """A world with its telemetry."""

    world: World
    telemetry: Telemetry
    exporter: InMemorySpanExporter

    @property
    def spans(self) -> dict[str, ReadableSpan]:
        return {one.name: one for one in self.exporter.get_finished_spans()}

    @property
    def call(self) -> ReadableSpan:
        return self.spans["openai.chat"]

    @property
    def metrics(self) -> str:
        return self.telemetry.page().decode()

    @property
    def everything(self) -> str:
        return self.metrics + "".join(str(span.to_json()) for span in self.spans.values())


async def telling(**parts: Any) -> Told:
    exporter = InMemorySpanExporter()
    telemetry = set_up("wardgate", processors=[SimpleSpanProcessor(exporter)])
    world = await make_relay(teller=Teller(telemetry.tracer, telemetry.meter), **parts)
    return Told(world, telemetry, exporter)


async def test_each_step_is_a_span_under_the_calls() -> None:
    told = await telling()
    await consume(told.world, told.world.request())

    steps = (
        "identify",
        "parse",
        "match",
        "admit",
        "look_input",
        "record_intent",
        "record_decision",
    )
    assert set(told.spans) == {"openai.chat", *(f"wardgate.{step}" for step in steps)}
    assert told.call.kind is SpanKind.SERVER
    assert told.call.context is not None
    for step in steps:
        parent = told.spans[f"wardgate.{step}"].parent
        assert parent is not None
        assert parent.span_id == told.call.context.span_id


async def test_a_calls_span_says_who_what_and_how_it_ended() -> None:
    told = await telling()
    await consume(told.world, told.world.request())

    force = told.world.relay.policies.policies[0].force
    assert dict(told.call.attributes or {}) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "chat",
        "gen_ai.usage.input_tokens": 5,
        "gen_ai.usage.output_tokens": 7,
        "wardgate.action": "allow",
        "wardgate.call": "call_1",
        "wardgate.outcome": "completed",
        "wardgate.policy": force.policy.reference,
        "wardgate.team": "red",
    }


async def test_metrics_count_calls_rulings_tokens_and_times() -> None:
    told = await telling(force=watching("redact"), provider=ScriptedProvider(reply("a secret")))
    await consume(told.world, told.world.request("two secrets, secret"))

    lines = [line for line in told.metrics.splitlines() if not line.startswith("#")]

    def value(name: str, *labels: str) -> float:
        (found,) = [
            line for line in lines if line.startswith(name) and all(one in line for one in labels)
        ]
        return float(found.rsplit(" ", 1)[1])

    assert value("wardgate_calls_total", 'outcome="completed"', 'action="redact"') == 1
    assert value("wardgate_rulings_total", 'stage="input"', 'label="secret.word"') == 2
    assert value("wardgate_rulings_total", 'stage="output"', 'rule="secret-redact"') == 1
    assert value("gen_ai_client_token_usage", 'gen_ai_token_type="output"') == 7
    assert value("wardgate_step_duration_seconds_total", 'step="complete"') >= 0
    assert value("wardgate_input_duration_seconds_count") == 1


async def test_a_call_that_fails_is_told_by_its_outcome() -> None:
    told = await telling(provider=ScriptedProvider(error=UpstreamTimeout("a canary")))
    with pytest.raises(UpstreamTimeout):
        await consume(told.world, told.world.request())

    assert (told.call.attributes or {})["wardgate.outcome"] == "upstream_timeout"
    assert 'outcome="upstream_timeout"' in told.metrics
    assert "canary" not in told.everything


async def test_a_client_that_leaves_after_the_last_chunk_is_told_as_served() -> None:
    told = await telling()
    items = told.world.relay.relay(told.world.request(), Progress("call_1"))
    await anext(items)
    await items.aclose()

    assert (told.call.attributes or {})["wardgate.outcome"] == "completed"


async def test_a_step_that_fails_names_its_error_and_no_message() -> None:
    told = await telling()
    with pytest.raises(UnknownKey):
        await consume(told.world, Request("a canary", "openai.chat", b""))

    step = told.spans["wardgate.identify"]
    assert step.status.status_code is StatusCode.ERROR
    assert step.status.description is None
    assert dict(step.attributes or {}) == {"error.type": "UnknownKey"}
    assert step.events == ()
    assert (told.call.attributes or {})["error.type"] == "unknown_key"
    assert 'outcome="unknown_key"' in told.metrics


async def test_no_text_of_a_call_is_in_any_span_or_metric() -> None:
    provider = ScriptedProvider(reply("a secret canary"))
    told = await telling(force=watching("flag"), provider=provider)
    await consume(told.world, told.world.request("my secret canary", user="canary"))

    blocked = await telling(force=watching("block"))
    with pytest.raises(PolicyBlocked):
        await consume(blocked.world, blocked.world.request("my secret canary"))

    refused = await telling()
    with pytest.raises(Exception, match="JSON"):
        await consume(refused.world, Request(refused.world.key, "openai.chat", b"canary"))

    for one in (told, blocked, refused):
        assert one.spans
        assert "canary" not in one.everything
        assert one.world.key[20:] not in one.everything


async def test_without_a_listener_no_step_is_a_span() -> None:
    telemetry = set_up("wardgate")
    assert isinstance(telemetry.tracer, NoOpTracer)
    world = await make_relay(teller=Teller(telemetry.tracer, telemetry.meter))

    await consume(world, world.request())

    assert b'outcome="completed"' in telemetry.page()
