"""Spans and metrics of the way of a call, by OpenTelemetry's API; the SDK is set up elsewhere.

Names follow the GenAI semantic conventions. Attributes are ids, labels, the operator's own names,
counts and times; never any text of a message, and nothing that a client wrote.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.metrics import Meter
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer

from gateway.core.errors import WardgateError
from gateway.core.model import Usage
from gateway.services.account import Account
from gateway.services.tally import Tally


class Teller:
    """`tracer` and `meter` are the API's; whether anyone listens is not known here."""

    def __init__(self, tracer: Tracer, meter: Meter) -> None:
        self._tracer = tracer
        self._calls = Tally(
            meter,
            "wardgate.calls",
            ("surface", "outcome", "action"),
            "Calls, by surface, outcome and action.",
        )
        self._rulings = Tally(
            meter,
            "wardgate.rulings",
            ("rule", "label", "stage", "action"),
            "Rulings, by rule, label, stage and action.",
        )
        self._steps = Tally(
            meter, "wardgate.step.duration", ("step",), "Time in each step of the way.", "s"
        )
        self._tokens = Tally(
            meter, "gen_ai.client.token.usage", ("gen_ai.token.type",), "Tokens.", "{token}"
        )
        self._added = meter.create_histogram(
            "wardgate.input.duration",
            unit="s",
            description="What a call waits before its model is asked: looking and recording.",
        )

    def begin(self, surface: str) -> Span:
        """The span of a whole call; end it with `end`."""
        return self._tracer.start_span(
            surface, kind=SpanKind.SERVER, attributes={"gen_ai.operation.name": "chat"}
        )

    @contextmanager
    def step(self, parent: Span, name: str) -> Generator[None]:
        """One step of the way, as a child of the call's span."""
        if not parent.is_recording():
            yield
            return
        span = self._tracer.start_span(
            f"wardgate.{name}", context=trace.set_span_in_context(parent)
        )
        try:
            yield
        except BaseException as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_status(Status(StatusCode.ERROR))
            raise
        finally:
            span.end()

    def known(self, span: Span, account: Account) -> None:
        """Who calls what under which policy."""
        if span.is_recording():
            span.set_attributes(
                {
                    "wardgate.call": account.call.id,
                    "wardgate.team": account.caller.team,
                    "wardgate.policy": account.force.policy.reference,
                    "gen_ai.request.model": account.engine,
                }
            )

    def refused(self, span: Span, surface: str, error: BaseException) -> None:
        """The call ended before it had an account: a refusal without a record."""
        code = error.code if isinstance(error, WardgateError) else type(error).__name__
        span.set_attribute("error.type", code)
        span.end()
        self._calls.add(1, surface, code, "none")

    def ended(self, span: Span, account: Account) -> None:
        """The call ended: its span, its counts and its times."""
        action = account.action.word
        self._calls.add(1, account.call.surface, account.outcome, action)
        for stage, seen in account.seen.items():
            for ruling in (ruling for one in seen for ruling in one.decision.rulings):
                label, ruled = ruling.finding.label, ruling.action.word
                self._rulings.add(1, ruling.rule, label, str(stage), ruled)
        for step, microseconds in account.marks.items():
            self._steps.add(microseconds / 1_000_000, step)
        before = account.marks.get("look_input", 0) + account.marks.get("record_intent", 0)
        self._added.record(before / 1_000_000)
        self._used(account.usage)
        if span.is_recording():
            span.set_attributes({"wardgate.outcome": account.outcome, "wardgate.action": action})
            if account.usage:
                span.set_attribute("gen_ai.usage.input_tokens", account.usage.prompt)
                span.set_attribute("gen_ai.usage.output_tokens", account.usage.completion)
        span.end()

    def _used(self, usage: Usage | None) -> None:
        if usage:
            self._tokens.add(usage.prompt, "input")
            self._tokens.add(usage.completion, "output")
