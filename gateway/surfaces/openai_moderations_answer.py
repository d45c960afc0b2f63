"""What `openai.moderations` answers: the policy's rulings in OpenAI's categories, Wardgate's labels beside.

A category that nothing has looked at says so: its list of applied input types is empty.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from gateway.core.model import Action, Call
from gateway.core.policy import Judged, Judgement, Ruling

_DETECTOR: Final = "toxicity"
_LOOKED: Final = frozenset({"scanned", "cached"})


@dataclass(frozen=True, slots=True)
class _Category:
    """A category and the labels that stand for it: `every` of them is needed, or any is enough.

    Not every toxicity model knows a `rare` label, and a judgement does not say: only a finding proves it.
    """

    name: str
    labels: tuple[str, ...] = ()
    every: bool = False
    rare: bool = False

    def among(self, found: Collection[str]) -> bool:
        told = [label in found for label in self.labels]
        return bool(told) and (all(told) if self.every else any(told))

    def applied(self, found: Collection[str]) -> bool:
        """Whether a detector that has looked would have seen it."""
        return self.among(found) if self.rare else bool(self.labels)

    def score(self, scores: Mapping[str, float]) -> float:
        told = [scores.get(label, 0.0) for label in self.labels]
        return (min if self.every else max)(told, default=0.0)


_CATEGORIES: Final = (
    _Category("harassment", ("toxicity.toxic", "toxicity.insult", "toxicity.obscene")),
    _Category("harassment/threatening", ("toxicity.threat",)),
    _Category("hate", ("toxicity.identity_hate",)),
    _Category("hate/threatening", ("toxicity.identity_hate", "toxicity.threat"), every=True),
    _Category("illicit"),
    _Category("illicit/violent"),
    _Category("self-harm"),
    _Category("self-harm/instructions"),
    _Category("self-harm/intent"),
    _Category("sexual", ("toxicity.sexual_explicit",), rare=True),
    _Category("sexual/minors"),
    _Category("violence", ("toxicity.threat",)),
    _Category("violence/graphic"),
)
"""All that OpenAI publishes (openai 2.54.0); those without labels are not looked at here."""


def body(call: Call, judgement: Judgement) -> bytes:
    """One result for each string; the parts of one text have one result together."""
    asked: str | list[Any] = call.body["input"]
    several = isinstance(asked, list) and isinstance(asked[0], str)
    results = [_Result() for _ in range(len(asked) if several else 1)]
    for one in judgement.judged:
        place = one.passage.fields[0].path[1] if several else 0
        results[int(place)].add(one)
    return orjson.dumps(
        {
            "id": f"modr-{call.id}",
            "model": "wardgate",
            "results": [result.rendered() for result in results],
        }
    )


class _Result:
    """What was decided on one string."""

    def __init__(self) -> None:
        self._rulings: list[Ruling] = []
        self._coverage: list[Mapping[str, str]] = []

    def add(self, judged: Judged) -> None:
        self._rulings += judged.rulings
        self._coverage.append(judged.coverage)

    def rendered(self) -> dict[str, Any]:
        scores = _best(self._rulings)
        met = {one.finding.label for one in self._rulings if one.action > Action.ALLOW}
        looked = _looked(self._coverage)
        action = max((one.action for one in self._rulings), default=Action.ALLOW)
        return {
            "flagged": action >= Action.FLAG,
            "categories": _each(lambda category: category.among(met)),
            "category_scores": _each(lambda category: category.score(scores)),
            "category_applied_input_types": _each(
                lambda category: ["text"] if looked and category.applied(scores) else []
            ),
            "wardgate": {"action": action.word, "labels": scores},
        }


def _each(told: Callable[[_Category], Any]) -> dict[str, Any]:
    return {category.name: told(category) for category in _CATEGORIES}


def _best(rulings: Iterable[Ruling]) -> dict[str, float]:
    """The highest score of each label."""
    best: dict[str, float] = {}
    for ruling in rulings:
        label = ruling.finding.label
        best[label] = max(best.get(label, 0.0), ruling.finding.score)
    return best


def _looked(coverage: Sequence[Mapping[str, str]]) -> bool:
    """Success is never inferred: every passage of the string was scanned, or known from before."""
    return bool(coverage) and all(one.get(_DETECTOR) in _LOOKED for one in coverage)
