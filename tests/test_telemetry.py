"""The SDK as it is set up: metrics always, spans only to who asked for them, nothing from outside."""

from __future__ import annotations

import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: TID251 - read here
from opentelemetry.sdk.trace.export.in_memory_span_exporter import (  # noqa: TID251
    InMemorySpanExporter,
)
from opentelemetry.trace import NoOpTracer

from gateway.telemetry import set_up


def test_metrics_are_always_on_a_page() -> None:
    telemetry = set_up("wardgate")
    telemetry.meter.create_counter("wardgate.calls").add(2, {"outcome": "completed"})

    page = telemetry.page().decode()

    assert (
        'wardgate_calls_total{otel_scope_name="wardgate"' in page or "wardgate_calls_total{" in page
    )
    assert 'outcome="completed"' in page
    telemetry.close()


def test_two_gateways_in_one_process_do_not_share_their_metrics() -> None:
    one, two = set_up("one"), set_up("two")
    one.meter.create_counter("wardgate.calls").add(1)

    assert b"wardgate_calls_total" in one.page()
    assert b"wardgate_calls_total" not in two.page()
    one.close()
    two.close()


def test_without_an_endpoint_no_span_is_made() -> None:
    telemetry = set_up("wardgate")

    assert isinstance(telemetry.tracer, NoOpTracer)
    assert not telemetry.tracer.start_span("x").is_recording()
    telemetry.close()


def test_a_processor_gets_every_span_with_the_services_name() -> None:
    exporter = InMemorySpanExporter()
    telemetry = set_up("mine", processors=[SimpleSpanProcessor(exporter)])
    telemetry.tracer.start_span("x").end()

    (span,) = exporter.get_finished_spans()
    assert span.name == "x"
    assert dict(span.resource.attributes) == {"service.name": "mine"}
    telemetry.close()


def test_the_environment_adds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "user=canary")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "canary")
    exporter = InMemorySpanExporter()
    telemetry = set_up("mine", processors=[SimpleSpanProcessor(exporter)])
    telemetry.tracer.start_span("x").end()

    assert "canary" not in str(exporter.get_finished_spans()[0].to_json())
    assert b"canary" not in telemetry.page()
    telemetry.close()


def test_no_global_provider_is_set() -> None:
    before = trace.get_tracer_provider(), metrics.get_meter_provider()
    set_up("wardgate", processors=[SimpleSpanProcessor(InMemorySpanExporter())]).close()

    assert (trace.get_tracer_provider(), metrics.get_meter_provider()) == before
