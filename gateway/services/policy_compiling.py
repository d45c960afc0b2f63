"""An effective policy as core knows it, with its detectors built, or what is wrong with it.

What cannot work is an error: a label that nothing emits, an unknown option, a case of no rule.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError

from gateway.core.errors import InvalidDocument, Problem
from gateway.core.model import Action, Kind, Role, Stage
from gateway.core.policy import (
    AppliesTo,
    Case,
    DetectorSpec,
    Hold,
    Messages,
    Policy,
    Rule,
    covers,
)
from gateway.core.ports import Detector, DetectorSource, InForce
from gateway.core.redact import Hash, Mask, Operator, Remove, Replace
from gateway.services.policy_folding import Folded, FoldedDetector
from gateway.services.policy_reading import CaseSection, OperatorSection, RuleSection
from gateway.services.validation import problems, suggest

FAILED = "detector.failed"
OBFUSCATION = "obfuscation"
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Compiled:
    """A policy ready to be put in force, and what its author should know."""

    force: InForce
    warnings: tuple[Problem, ...] = ()


def compile_policy(folded: Folded, source: DetectorSource) -> Compiled:
    """The policy with its detectors. Raise InvalidDocument with every problem."""
    found: list[Problem] = []
    warnings: list[Problem] = []
    detectors: list[Detector] = []
    for each in folded.detectors:
        built = _build(each, source)
        if isinstance(built, list):
            found.extend(built)
        else:
            detectors.append(built)
    if not found:
        found, warnings = _unemitted(folded, detectors, source)
    found.extend(_unknown_in_cases(folded))
    if found:
        raise InvalidDocument(tuple(found))
    return Compiled(InForce(_policy(folded), tuple(detectors)), tuple(warnings))


def _build(each: FoldedDetector, source: DetectorSource) -> Detector | list[Problem]:
    if each.name not in source.names():
        what = f"there is no detector `{each.name}`, or it is not yet supported."
        return [each.written.problem(what, suggest(each.name, source.names()))]
    try:
        return source.build(each.name, each.options)
    except ValidationError as error:
        return problems(each.written.document, error, under=each.written.path)
    except ValueError as error:
        return [each.written.problem(f"detector `{each.name}`: {error}", "Change its options.")]


def _unemitted(
    folded: Folded, detectors: Sequence[Detector], source: DetectorSource
) -> tuple[list[Problem], list[Problem]]:
    """Labels that nothing here can find, so that a rule looks like a guard and is none.

    An error when no detector has such a label; a warning when its options only do not ask for it.
    """
    emitted = {family for detector in detectors for family in detector.emits}
    if detectors:
        # What any of them finds in disguise is told as hidden, too.
        emitted.add(OBFUSCATION)
    failures = {f"{FAILED}.{detector.name}" for detector in detectors}
    errors: list[Problem] = []
    warnings: list[Problem] = []
    for rule in folded.rules:
        for index, label in enumerate(rule.section.label or ()):
            if _among(label, emitted) or covers(label, FAILED) or label in failures:
                continue
            what = f"no detector of this policy emits `{label}`."
            if _among(label, _possible(label, detectors, source)):
                mend = "The rule does nothing until the detector's options ask for it."
                warnings.append(rule.written.problem(what, mend, "label", index))
            else:
                mend = _mend_label(label, emitted | failures, source)
                errors.append(rule.written.problem(what, mend, "label", index))
    return errors, warnings


def _among(label: str, emitted: Iterable[str]) -> bool:
    return any(covers(label, one) or covers(one, label) for one in emitted)


def _possible(label: str, detectors: Sequence[Detector], source: DetectorSource) -> tuple[str, ...]:
    """What the policy's own detector of this family emits without options."""
    family = label.partition(".")[0]
    for detector in detectors:
        if _among(family, detector.emits):
            try:
                return tuple(source.build(detector.name, {}).emits)
            except ValueError:
                continue
    return ()


def _mend_label(label: str, emitted: set[str], source: DetectorSource) -> str:
    family = label.partition(".")[0]
    if family in source.names() and not _among(family, emitted):
        return f"Add `{family}:` to the detectors."
    return suggest(label, emitted)


def _unknown_in_cases(folded: Folded) -> Iterator[Problem]:
    ids = {rule.section.id for rule in folded.rules} | {"detector-failed"}
    for index, case in enumerate(folded.file.section.cases):
        if case.rule is not None and case.rule not in ids:
            at = ("cases", index, "rule")
            what = f"there is no rule `{case.rule}`."
            yield folded.file.document.problem(at, what, suggest(case.rule, ids))


def _policy(folded: Folded) -> Policy:
    section = folded.file.section
    scope, hold, messages, audit = section.applies_to, folded.hold, folded.messages, folded.audit
    spoken = Messages()
    rules = [_rule(rule.section) for rule in folded.rules]
    policy = Policy(
        name=section.name,
        digest="",
        description=section.description,
        applies_to=scope and AppliesTo(scope.teams, scope.models, scope.routes),
        priority=section.priority,
        detectors=tuple(DetectorSpec(each.name, each.options) for each in folded.detectors),
        rules=(*rules, *_fail_closed(rules, [each.name for each in folded.detectors])),
        hold=Hold(hold.queue, hold.wait, Action[hold.on_timeout.upper()]),
        messages=Messages(messages.blocked or spoken.blocked, messages.held or spoken.held),
        media={each.label: Action[each.action.upper()] for each in folded.media},
        payload_sealed=audit.payload == "sealed",
        retain_days=None if audit.retain is None else math.ceil(audit.retain / _DAY),
        cases=tuple(_case(case) for case in section.cases),
    )
    return replace(policy, digest=digest(policy))


def _rule(section: RuleSection) -> Rule:
    return Rule(
        id=section.id,
        action=Action[section.action.upper()],
        labels=section.label or (),
        stages=frozenset(Stage(one) for one in section.stage or Stage),
        roles=frozenset(Role(one) for one in section.roles or Role),
        kinds=frozenset(Kind(one) for one in section.kinds or Kind),
        tools=section.tools or (),
        min_score=section.min_score or 0.0,
        operator=_operator(section.operator),
    )


def _operator(section: OperatorSection | None) -> Operator:
    if section is None:
        return Replace()
    if section.mask is not None:
        return Mask(section.mask.keep_last, section.mask.character)
    if section.hash is not None:
        return Hash()
    if section.remove is not None:
        return Remove()
    return Replace(section.replace.with_ if section.replace else None)


def _case(section: CaseSection) -> Case:
    return Case(
        stage=Stage(section.stage),
        text=section.text,
        action=Action[section.action.upper()],
        rule=section.rule,
        becomes=section.becomes,
        role=Role(section.role) if section.role else None,
        kind=Kind(section.kind) if section.kind else None,
        tool=section.tool,
    )


def _fail_closed(rules: Sequence[Rule], detectors: Sequence[str]) -> Iterator[Rule]:
    """Block on a failure that no written rule speaks of; only a written rule can loosen this.

    A rule about some roles, kinds or tools alone does not speak of the rest, so it does not loosen.
    """
    open_at = {
        stage: tuple(f"{FAILED}.{name}" for name in detectors if not _spoken(rules, name, stage))
        for stage in Stage
    }
    everything = tuple(f"{FAILED}.{name}" for name in detectors)
    taken = {rule.id for rule in rules}
    for labels in sorted(set(open_at.values()) - {()}):
        stages = frozenset(stage for stage in Stage if open_at[stage] == labels)
        name = "detector-failed" if len(stages) == 2 else f"detector-failed-{min(stages)}"
        while name in taken:
            name += "-2"
        shown = (FAILED,) if labels == everything else labels
        yield Rule(name, Action.BLOCK, shown, stages)


def _spoken(rules: Sequence[Rule], detector: str, stage: Stage) -> bool:
    return any(
        stage in rule.stages
        and rule.roles == frozenset(Role)
        and rule.kinds == frozenset(Kind)
        and not rule.tools
        and any(covers(label, f"{FAILED}.{detector}") for label in rule.labels)
        for rule in rules
    )


def digest(policy: Policy) -> str:
    """Hex SHA-256 over the canonical JSON of all that can change a decision or an answer."""
    scope, hold = policy.applies_to, policy.hold
    effective: dict[str, Any] = {
        "v": 1,
        "name": policy.name,
        "applies_to": scope and [scope.teams, scope.models, scope.routes],
        "priority": policy.priority,
        "detectors": [[each.name, each.options] for each in policy.detectors],
        "rules": [_plain_rule(rule) for rule in policy.rules],
        "hold": [hold.queue, hold.wait, hold.on_timeout.word],
        "messages": [policy.messages.blocked, policy.messages.held],
        "media": {label: action.word for label, action in policy.media.items()},
        "audit": [policy.payload_sealed, policy.retain_days],
    }
    canonical = json.dumps(effective, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _plain_rule(rule: Rule) -> list[Any]:
    operator = rule.operator
    match operator:
        case Mask():
            rewriting: list[Any] = ["mask", operator.keep_last, operator.character]
        case Replace():
            rewriting = ["replace", operator.text]
        case Hash() | Remove():
            rewriting = [type(operator).__name__.lower()]
    scope = [sorted(rule.stages), sorted(rule.roles), sorted(rule.kinds), rule.tools]
    return [rule.id, rule.action.word, rule.labels, *scope, rule.min_score, rewriting]
