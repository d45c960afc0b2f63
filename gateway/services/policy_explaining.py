"""Why a policy holds for a call, as data: what `policy explain` prints. Decides nothing itself."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass

from gateway.core.model import Action, Kind, Role, Stage
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

    `delay` is in code points of the answer, at most; None when it does not look at answers. What is
    being redacted waits for its own end besides.
    """

    name: str
    version: str
    emits: tuple[str, ...]
    delay: int | None
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Bound:
    """How long the policy as a whole holds a stream back: its slowest detectors, and their rules."""

    delay: int
    detectors: tuple[str, ...]
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MediaLine:
    """What becomes of this sort of media, and where that is written."""

    label: str
    action: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """Which policy holds for such a call. `winner` is None when there is none, or a tie.

    `bound` is None when no detector looks at answers.
    """

    team: str
    model: str
    route: str
    winner: str | None
    candidates: tuple[Candidate, ...]
    rules: tuple[RuleLine, ...]
    detectors: tuple[DetectorLine, ...]
    bound: Bound | None
    media: tuple[MediaLine, ...]


def explain(policies: PolicySet, team: str, model: str, route: str) -> Explanation:
    """Every policy with its reason; of the one that holds, its rules and detectors."""
    won = choose((each.force.policy for each in policies.policies), team, model, route)
    call = (team, model, route)
    holds = next((each for each in policies.policies if (each.force.policy,) == won), None)
    detectors = _detectors(holds.force) if holds else ()
    return Explanation(
        team,
        model,
        route,
        holds.force.policy.reference if holds else None,
        tuple(_candidate(each, won, call) for each in policies.policies),
        _rules(holds) if holds else (),
        detectors,
        _bound(detectors),
        _media(holds) if holds else (),
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


def _media(loaded: LoadedPolicy) -> tuple[MediaLine, ...]:
    places = [(each, each.written.place) for each in loaded.folded.media]
    return tuple(
        MediaLine(each.label, each.action, place.file, place.line) for each, place in places
    )


def _detectors(force: InForce) -> tuple[DetectorLine, ...]:
    lines: list[DetectorLine] = []
    for detector in force.detectors:
        looking = [rule for rule in force.policy.rules if _looks(rule, detector)]
        redacts = any(rule.action is Action.REDACT for rule in looking)
        lines.append(
            DetectorLine(
                detector.name,
                detector.version,
                tuple(detector.emits),
                _delay(detector, redacts=redacts) if looking else None,
                tuple(rule.id for rule in looking),
            )
        )
    return tuple(lines)


def _bound(detectors: Sequence[DetectorLine]) -> Bound | None:
    """Text leaves when the last of the detectors has looked, so the slowest is the whole."""
    delay = max((each.delay for each in detectors if each.delay is not None), default=None)
    if delay is None:
        return None
    slowest = [each for each in detectors if each.delay == delay]
    because = dict.fromkeys(rule for each in slowest for rule in each.because)
    return Bound(delay, tuple(each.name for each in slowest), tuple(because))


_ANSWERED = (Kind.TEXT, Kind.REASONING, Kind.REFUSAL, Kind.TOOL_NAME, Kind.TOOL_ARGUMENTS)
"""The kinds of text in an answer."""


def _looks(rule: Rule, detector: Detector) -> bool:
    """Whether this rule makes the detector look at answers; those are the assistant's."""
    return any(
        wanted((rule,), Stage.OUTPUT, Role.ASSISTANT, kind, detector.emits) for kind in _ANSWERED
    )


def _delay(detector: Detector, *, redacts: bool) -> int:
    """A core may be `max` long and moved right by the nudge, and waits for its context after it.

    What is redacted may go on beyond that to the end of its word.
    """
    reach = detector.reach
    return reach.max + NUDGE + reach.after + (reach.run_on if redacts else 0)
