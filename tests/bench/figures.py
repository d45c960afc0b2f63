"""Medians, ratios and the table. Pure: it measures nothing."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `at_most` and `at_least` are targets; with neither it is only told."""

    what: str
    figure: float | None
    at_most: float | None = None
    at_least: float | None = None
    unit: str = ""
    note: str = ""

    @property
    def verdict(self) -> str:
        """`met`, `MISSED`, `not measured`, or nothing where there is no target."""
        if self.figure is None:
            return "not measured"
        if self.at_most is not None:
            return "met" if self.figure <= self.at_most else "MISSED"
        if self.at_least is not None:
            return "met" if self.figure >= self.at_least else "MISSED"
        return ""

    @property
    def target(self) -> str:
        if self.at_most is not None:
            return f"<= {self.at_most:g}{self.unit}"
        return "" if self.at_least is None else f">= {self.at_least:g}{self.unit}"

    @property
    def shown(self) -> str:
        return "-" if self.figure is None else f"{rounded(self.figure)}{self.unit}"


def rounded(value: float) -> str:
    """Three significant digits at least, and no false ones behind a large number."""
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}" if abs(value) < 1 else f"{value:.2f}"


def ratios(ours: Sequence[float], floors: Sequence[float]) -> list[float]:
    """Ours to the floor, round by round. Raise ValueError when rounds are missing."""
    return [own / floor for own, floor in zip(ours, floors, strict=True)]


def median_ratio(ours: Sequence[float], floors: Sequence[float]) -> float:
    """The median of the rounds' ratios: neighbours on the machine disturb both sides of a round."""
    return statistics.median(ratios(ours, floors))


def spread(ours: Sequence[float], floors: Sequence[float]) -> str:
    """The least and the largest of the rounds' ratios, so that noise is seen."""
    all_of_them = ratios(ours, floors)
    return f"{rounded(min(all_of_them))} to {rounded(max(all_of_them))}"


def table(rows: Iterable[Row]) -> str:
    """The rows as a table that reads as Markdown too."""
    head = ("what", "target", "figure", "verdict", "note")
    lines = [head, *((r.what, r.target, r.shown, r.verdict, r.note) for r in rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(head))]
    written = [
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in lines
    ]
    written.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(written)
