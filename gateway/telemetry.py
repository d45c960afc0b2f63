"""The OpenTelemetry SDK, set up once: spans where an endpoint is configured, metrics always.

The only file that imports the SDK and exporters. It reads no environment and sets no global provider.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import Meter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import NoOpTracer, Tracer
from prometheus_client import CollectorRegistry, generate_latest


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What services tell by, and the page that Prometheus reads."""

    tracer: Tracer
    meter: Meter
    page: Callable[[], bytes]
    """Metrics in Prometheus's text format."""
    close: Callable[[], None]
    """Send what waits. May take seconds where the endpoint is away: call it off the loop."""


def set_up(
    service_name: str, otlp_endpoint: str | None = None, processors: Sequence[SpanProcessor] = ()
) -> Telemetry:
    """`processors` get every span beside the endpoint; without both, none is made."""
    # An explicit resource: the default one reads the environment.
    resource = Resource({"service.name": service_name})
    registry = CollectorRegistry()
    readers: list[MetricReader] = [PrometheusMetricReader(registry=registry)]
    every = list(processors)
    if otlp_endpoint:
        spans = OTLPSpanExporter(endpoint=f"{otlp_endpoint}/v1/traces")
        every.append(BatchSpanProcessor(spans))
        metrics = OTLPMetricExporter(endpoint=f"{otlp_endpoint}/v1/metrics")
        readers.append(PeriodicExportingMetricReader(metrics))
    meters = MeterProvider(metric_readers=readers, resource=resource, shutdown_on_exit=False)
    traces = TracerProvider(resource=resource, shutdown_on_exit=False) if every else None
    for processor in every:
        assert traces is not None
        traces.add_span_processor(processor)

    def close() -> None:
        meters.shutdown()
        if traces:
            traces.shutdown()

    return Telemetry(
        tracer=traces.get_tracer("wardgate") if traces else NoOpTracer(),
        meter=meters.get_meter("wardgate"),
        page=lambda: generate_latest(registry),
        close=close,
    )
