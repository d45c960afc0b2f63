"""Counters that are read, not written: counting on the way of a call costs a look-up in a dict.

An OpenTelemetry counter costs some ten microseconds each time; an observable one is asked when
somebody reads the metrics. Label values are the operator's own names, so they are few.
"""

from __future__ import annotations

from collections.abc import Iterable

from opentelemetry.metrics import CallbackOptions, Meter, Observation


class Tally:
    """A counter named `name` with these `labels`; `add` takes their values in the same order."""

    def __init__(
        self, meter: Meter, name: str, labels: tuple[str, ...], description: str, unit: str = "1"
    ) -> None:
        self._labels = labels
        self._counts: dict[tuple[str, ...], float] = {}
        meter.create_observable_counter(name, [self._observe], unit, description)

    def add(self, amount: float, *values: str) -> None:
        assert len(values) == len(self._labels), "a value for each label"
        self._counts[values] = self._counts.get(values, 0) + amount

    def _observe(self, _: CallbackOptions) -> Iterable[Observation]:
        # A copy: whoever reads the metrics may do so on a thread of their own.
        return [
            Observation(count, dict(zip(self._labels, values, strict=True)))
            for values, count in tuple(self._counts.items())
        ]
