"""What a policy is, and deciding: findings in, rulings out. Pure; a policy holds no code.

Matching which policy applies is here too, because it is a rule on words; reading files is not.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.core.model import NOTHING, Action, Finding, Kind, Media, Passage, Path, Role, Stage
from gateway.core.redact import Operator, Replace


@dataclass(frozen=True, slots=True)
class Rule:
    """From labels to an action. Empty `roles`, `kinds`, `tools` mean all; empty `labels` need `tools`."""

    id: str
    action: Action
    labels: tuple[str, ...] = ()
    stages: frozenset[Stage] = frozenset(Stage)
    roles: frozenset[Role] = frozenset(Role)
    kinds: frozenset[Kind] = frozenset(Kind)
    tools: tuple[str, ...] = ()
    min_score: float = 0.0
    operator: Operator = field(default_factory=Replace)

    def reaches(self, stage: Stage, role: Role, kind: Kind) -> bool:
        """Whether this rule can speak about such passages at all."""
        return stage in self.stages and role in self.roles and kind in self.kinds

    def concerns(self, passage: Passage) -> bool:
        """Whether this rule can speak about this passage, whatever is found in it."""
        return self.reaches(passage.stage, passage.role, passage.kind) and (
            not self.tools or (passage.tool is not None and _any_glob(self.tools, passage.tool))
        )

    def matches(self, finding: Finding) -> bool:
        return finding.score >= self.min_score and any(
            covers(label, finding.label) for label in self.labels
        )


def covers(general: str, special: str) -> bool:
    """`pii` covers `pii.email_address`; a label covers itself and everything under it."""
    return special == general or special.startswith(general + ".")


def _any_glob(patterns: Iterable[str], name: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


@dataclass(frozen=True, slots=True)
class Ruling:
    """One rule meeting one finding. `rule` is the rule's id."""

    rule: str
    action: Action
    finding: Finding
    operator: Operator


@dataclass(frozen=True, slots=True)
class Decision:
    """All rulings of a passage or of a call. Its action is the strictest of them."""

    rulings: tuple[Ruling, ...] = ()

    @property
    def action(self) -> Action:
        return max((ruling.action for ruling in self.rulings), default=Action.ALLOW)

    @property
    def strictest(self) -> Ruling | None:
        return max(self.rulings, key=lambda ruling: ruling.action, default=None)


@dataclass(frozen=True, slots=True)
class Judged:
    """What was decided on one passage. `coverage` says by detector whether it has looked."""

    passage: Passage
    rulings: tuple[Ruling, ...]
    coverage: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What was decided on all the text of a call, for surfaces that answer with just that."""

    policy: str
    """The policy's reference."""
    action: Action
    judged: tuple[Judged, ...]
    shown: tuple[tuple[Path, Ruling], ...] = ()
    """What the policy says of what is no text, by its path."""


TOOL_CALL = "tool_call"
"""The label of the finding that a tool is called at all: what rules without a label rule on."""


@dataclass(frozen=True, slots=True)
class Hold:
    """How a held call waits. `wait` is in seconds."""

    queue: str = "default"
    wait: float = 30.0
    on_timeout: Action = Action.BLOCK


@dataclass(frozen=True, slots=True)
class Messages:
    """What a client reads instead of an answer. Written by the operator, so safe to send."""

    blocked: str = "This request is outside what this service may do."
    held: str = "A person has to look at this first, and nobody has decided yet."


@dataclass(frozen=True, slots=True)
class AppliesTo:
    """Globs on team, model alias and surface; all three must match."""

    teams: tuple[str, ...] = ("*",)
    models: tuple[str, ...] = ("*",)
    routes: tuple[str, ...] = ("*",)

    def matches(self, team: str, model: str, route: str) -> bool:
        return (
            _any_glob(self.teams, team)
            and _any_glob(self.models, model)
            and _any_glob(self.routes, route)
        )

    def literalness(self, team: str, model: str, route: str) -> tuple[int, int, int]:
        """How literally it names this call: 2 for a literal, 1 for a glob with letters, 0 for `*`."""
        named = ((self.teams, team), (self.models, model), (self.routes, route))
        first, second, third = (max(_literal(p, n) for p in patterns) for patterns, n in named)
        return first, second, third


def _literal(pattern: str, name: str) -> int:
    if not fnmatch.fnmatchcase(name, pattern):
        return -1
    if pattern == name:
        return 2
    return 1 if pattern.strip("*?") else 0


@dataclass(frozen=True, slots=True)
class DetectorSpec:
    """A detector that a policy asks for, by name, with its options as the policy spells them."""

    name: str
    options: Mapping[str, Any] = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True, slots=True)
class Case:
    """A policy's own test: this text at this stage must meet this action (by this rule, become this)."""

    stage: Stage
    text: str
    action: Action
    rule: str | None = None
    becomes: str | None = None
    role: Role | None = None
    kind: Kind | None = None
    tool: str | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """One effective policy: what it extends is already folded in. `digest` is hex SHA-256 of all that."""

    name: str
    digest: str
    description: str = ""
    applies_to: AppliesTo | None = None
    priority: int = 0
    detectors: tuple[DetectorSpec, ...] = ()
    rules: tuple[Rule, ...] = ()
    hold: Hold = field(default_factory=Hold)
    messages: Messages = field(default_factory=Messages)
    media: Mapping[str, Action] = field(default_factory=lambda: NOTHING)
    """Allow or block, by label under `media` (`image`, `image.png`); the longest that covers holds."""
    payload_sealed: bool = True
    retain_days: int | None = None
    cases: tuple[Case, ...] = ()

    @property
    def reference(self) -> str:
        """`name@` and the first 12 of its digest, as headers and records name it."""
        return f"{self.name}@{self.digest[:12]}"


def decide(rules: Iterable[Rule], passage: Passage, findings: Iterable[Finding]) -> Decision:
    """Every rule that concerns the passage, on every finding it matches."""
    found = tuple(findings)
    return Decision(
        tuple(
            Ruling(rule.id, rule.action, finding, rule.operator)
            for rule in rules
            if rule.concerns(passage)
            for finding in found
            if rule.matches(finding)
        )
    )


def tool_rulings(rules: Iterable[Rule], passage: Passage) -> tuple[Ruling, ...]:
    """What rules without a label say of a tool being called at all: asked once, on its name."""
    if passage.kind is not Kind.TOOL_NAME:
        return ()
    name = passage.text
    seen = Finding(TOOL_CALL, 1.0, 0, len(name), "surface", "1")
    return tuple(
        Ruling(rule.id, rule.action, seen, rule.operator)
        for rule in rules
        if not rule.labels and rule.concerns(passage)
    )


MEDIA = "media"
"""The rule's id in rulings on what is no text."""


def media_ruling(policy: Policy, media: Media) -> Ruling:
    """Allow or block by the policy's most special word on it; block where it says none."""
    covering = [label for label in policy.media if covers(f"{MEDIA}.{label}", media.label)]
    action = policy.media[max(covering, key=len)] if covering else Action.BLOCK
    return Ruling(MEDIA, action, Finding(media.label, 1.0, 0, 0, "surface", "1"), Replace())


def wanted(
    rules: Iterable[Rule], stage: Stage, role: Role, kind: Kind, emits: Iterable[str]
) -> bool:
    """Whether any rule could rule on what a detector that emits these labels would find there."""
    families = tuple(emits)
    return any(
        rule.reaches(stage, role, kind)
        and any(
            covers(label, family) or covers(family, label)
            for label in rule.labels
            for family in families
        )
        for rule in rules
    )


def choose(policies: Iterable[Policy], team: str, model: str, route: str) -> tuple[Policy, ...]:
    """The policies that win for this call: one, none, or several when there is a tie.

    The highest priority wins, then the most literal on team, then on model, then on route.
    """
    ranked = [
        ((policy.priority, policy.applies_to.literalness(team, model, route)), policy)
        for policy in policies
        if policy.applies_to is not None and policy.applies_to.matches(team, model, route)
    ]
    if not ranked:
        return ()
    best = max(rank for rank, _ in ranked)
    return tuple(policy for rank, policy in ranked if rank == best)
