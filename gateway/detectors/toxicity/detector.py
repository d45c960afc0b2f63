"""Toxic language. A Detoxify model if one was added, else the small model of the locked package.

It says which model it is in every Finding. It reports and never decides; it keeps no text, loads
nothing in the path of a request and never downloads.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Protocol

from gateway.core.model import Finding, Window
from gateway.core.ports import Reach
from gateway.detectors.lane import Lane
from gateway.detectors.toxicity import embedded, exported

NAME = "toxicity"
LABELS = (*embedded.LABELS, "sexual_explicit")
"""All that any model here reports, as `toxicity.<label>`."""


class Model(Protocol):
    """Scores a text for its labels. Each window is scored alone."""

    @property
    def version(self) -> str: ...
    @property
    def labels(self) -> Sequence[str]: ...
    @property
    def reach(self) -> Reach: ...
    @property
    def budget(self) -> float:
        """Seconds for a batch of windows, on a busy machine."""
        ...

    def score(self, text: str) -> Sequence[float]: ...


@dataclass(frozen=True, slots=True)
class Options:
    """What a policy may say under `detectors: {toxicity: …}`."""

    min_score: float = 0.5
    """Below this nothing is reported; a rule's own `min_score` can only ask for more."""

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> Options:
        known = {each.name for each in fields(cls)}
        if unknown := sorted(options.keys() - known):
            raise ValueError(f"toxicity has no option {unknown[0]!r}; it has: min_score.")
        score = options.get("min_score", cls().min_score)
        if isinstance(score, bool) or not isinstance(score, int | float) or not 0 <= score <= 1:
            raise ValueError("toxicity: min_score is a number from 0 to 1.")
        return cls(float(score))


class Toxicity:
    """The detector: one model on one thread of its own, shared by all policies that use it."""

    name = NAME

    def __init__(self, engine: Engine, options: Options) -> None:
        self._engine = engine
        self._options = options

    @property
    def version(self) -> str:
        return self._engine.model.version

    @property
    def emits(self) -> tuple[str, ...]:
        return tuple(f"{NAME}.{label}" for label in self._engine.model.labels)

    @property
    def fingerprint(self) -> str:
        return f"{NAME} {self.version} min_score={self._options.min_score!r}"

    @property
    def reach(self) -> Reach:
        return self._engine.model.reach

    @property
    def budget(self) -> float:
        return self._engine.model.budget

    @property
    def ended(self) -> int:
        return self._engine.ended

    async def detect(self, windows: Sequence[Window]) -> Sequence[Sequence[Finding]]:
        scores = await self._engine.scores([window.text for window in windows])
        return [self._findings(*pair) for pair in zip(windows, scores, strict=True)]

    def _findings(self, window: Window, scores: Sequence[float]) -> list[Finding]:
        """A model judges a window, not a word: what it finds is the whole core."""
        return [
            Finding(label, score, window.core_start, window.core_end, NAME, self.version)
            for label, score in zip(self.emits, scores, strict=False)
            if score >= self._options.min_score
        ]


class Engine:
    """A model, loaded once, and the one thread that runs it."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self._lane = Lane(NAME)

    @classmethod
    def load(cls, data: Path) -> Engine:
        """The model added under this data directory, or else the embedded one. Takes a second.

        Raise NotReady when the files are missing or are not what they should be.
        """
        return cls(exported.load(data / exported.FOLDER) or embedded.load())

    @property
    def ended(self) -> int:
        """Batches that its thread has done with."""
        return self._lane.ended

    def build(self, options: Mapping[str, Any]) -> Toxicity:
        """A detector with these options; ValueError says what is wrong with them."""
        return Toxicity(self, Options.read(options))

    async def scores(self, texts: Sequence[str]) -> list[Sequence[float]]:
        """Each text's scores, off the event loop. Who stops waiting also stops the work."""
        job = _Job(texts)
        try:
            return await self._lane.run(self._score, job)
        finally:
            job.left.set()

    def close(self) -> None:
        self._lane.close()

    def _score(self, job: _Job) -> list[Sequence[float]]:
        found: list[Sequence[float]] = []
        for text in job.texts:
            if job.left.is_set():
                break
            # White space alone would be scored as padding, which is no finding of anything.
            found.append(self.model.score(text) if text.strip() else ())
        return found


@dataclass(frozen=True, slots=True)
class _Job:
    """Texts to score, and whether anybody still waits for them."""

    texts: Sequence[str]
    left: threading.Event = field(default_factory=threading.Event)
