"""Why a policy holds for a call, as data: what `policy explain` prints. Decides nothing itself."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.core.model import Kind, Role, Stage
from gateway.core.policy import Policy, Rule, choose, wanted
from gateway.core.ports import Detector, InForce
from gateway.core.windows import NUDGE
from gateway.services.policies import LoadedPolicy, PolicySet


@dataclass(frozen=True, slots=True)
class Candidate:
    """A policy of the set, and why it does or does not hold."""

    policy: str
    file: str
    matches: bool
    why: str


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A rule of the policy that holds, and where it is written; no line: it is implied."""

    id: str
    action: str
    labels: tuple[str, ...]
    tools: tuple[str, ...]
    stages: tuple[str, ...]
    min_score: float
    file: str | None
    line: int | None


@dataclass(frozen=True, slots=True)
class DetectorLine:
    """A detector that runs, how long it holds a stream back, and the rules that make it look there.

    `delay` is in code points of the answer, at most; None when it does not look at answers.
    """

    name: str
    version: str
    emits: tuple[str, ...]
    delay: int | None
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Which policy holds for such a call. `winner` is None when there is none, or a tie."""

    team: str
    model: str
    route: str
    winner: str | None
    candidates: tuple[Candidate, ...]
    rules: tuple[RuleLine, ...]
    detectors: tuple[DetectorLine, ...]


def explain(policies: PolicySet, team: str, model: str, route: str) -> Explanation:
    """Every policy with its reason; of the one that holds, its rules and detectors."""
    won = choose((each.force.policy for each in policies.policies), team, model, route)
    call = (team, model, route)
    holds = next((each for each in policies.policies if (each.force.policy,) == won), None)
    return Explanation(
        team,
        model,
        route,
        holds.force.policy.reference if holds else None,
        tuple(_candidate(each, won, call) for each in policies.policies),
        _rules(holds) if holds else (),
        _detectors(holds.force) if holds else (),
    )


def _candidate(
    loaded: LoadedPolicy, won: Sequence[Policy], call: tuple[str, str, str]
) -> Candidate:
    policy, file = loaded.force.policy, loaded.folded.file.document.file
    scope = policy.applies_to
    if scope is None:
        return Candidate(policy.name, file, False, "has no `applies_to`: only to be extended")
    kinds, scopes = ("team", "model", "route"), (scope.teams, scope.models, scope.routes)
    for what, name, patterns in zip(kinds, call, scopes, strict=True):
        if not any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns):
            why = f"{what} `{name}` is none of {', '.join(patterns)}"
            return Candidate(policy.name, file, False, why)
    return Candidate(policy.name, file, True, _standing(policy, won))


def _standing(policy: Policy, won: Sequence[Policy]) -> str:
    if policy in won:
        return "holds" if len(won) == 1 else "ties; give one a higher `priority:`"
    best = won[0]
    if policy.priority < best.priority:
        return f"priority {policy.priority} is below {best.priority} of `{best.name}`"
    return f"`{best.name}` names this call more literally"


def _rules(loaded: LoadedPolicy) -> tuple[RuleLine, ...]:
    places = {rule.section.id: rule.written.place for rule in loaded.folded.rules}
    return tuple(
        RuleLine(
            rule.id,
            rule.action.word,
            rule.labels,
            rule.tools,
            tuple(sorted(rule.stages)),
            rule.min_score,
            places[rule.id].file if rule.id in places else None,
            places[rule.id].line if rule.id in places else None,
        )
        for rule in loaded.force.policy.rules
    )


def _detectors(force: InForce) -> tuple[DetectorLine, ...]:
    lines: list[DetectorLine] = []
    for detector in force.detectors:
        because = tuple(rule.id for rule in force.policy.rules if _looks((rule,), detector))
        delay = _delay(detector) if because else None
        lines.append(
            DetectorLine(detector.name, detector.version, tuple(detector.emits), delay, because)
        )
    return tuple(lines)


def _looks(rules: Sequence[Rule], detector: Detector) -> bool:
    """Whether these rules make the detector look at answers; those are the assistant's."""
    return any(wanted(rules, Stage.OUTPUT, Role.ASSISTANT, kind, detector.emits) for kind in Kind)


def _delay(detector: Detector) -> int:
    """A core may be `max` long and moved right by the nudge, and waits for its context after it."""
    return detector.reach.max + NUDGE + detector.reach.after
