"""A policy's own tests: each case goes through the very guard that calls go through.

The guard is injected as a Judge; nothing here detects or decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gateway.core.errors import Problem
from gateway.core.model import Field, Form, Kind, Passage, Path, Role, Stage
from gateway.core.policy import Case, Decision
from gateway.core.ports import InForce
from gateway.services.policy_folding import Written

WHERE: Path = ("case",)


class Examination(Protocol):
    """What became of some passages; `texts` has the Fields that would read otherwise, by path."""

    @property
    def decision(self) -> Decision: ...
    @property
    def texts(self) -> Mapping[Path, str]: ...


class Judge(Protocol):
    """The guard, as far as cases need it."""

    async def examine(self, force: InForce, passages: Sequence[Passage]) -> Examination: ...


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How one case went. `expected` and `got` are in words; `became` is made of the case's text."""

    policy: str
    written: Written
    passed: bool
    expected: str
    got: str
    became: str | None = None

    @property
    def problem(self) -> Problem:
        what = f"case of policy `{self.policy}` failed: expected {self.expected}, got {self.got}."
        return self.written.problem(what, "Mend the rule or the case.")


async def run_case(judge: Judge, force: InForce, case: Case, written: Written) -> CaseResult:
    """Let the judge look at the case's text under the policy."""
    passage = passage_of(case)
    seen = await judge.examine(force, [passage])
    became = seen.texts.get(WHERE, case.text)
    rules = {r.rule for r in seen.decision.rulings if r.action is seen.decision.action}
    other_text = case.becomes is not None and became != case.becomes
    passed = (
        seen.decision.action is case.action
        and (case.rule is None or case.rule in rules)
        and not other_text
    )
    expected = case.action.word + (f" by {case.rule}" if case.rule else "")
    got = seen.decision.action.word + (f" by {', '.join(sorted(rules))}" if rules else "")
    if other_text:
        got += " and another text than `becomes`"
    return CaseResult(
        force.policy.name, written, passed, expected, got, became if other_text else None
    )


def passage_of(case: Case) -> Passage:
    """The case's text as it would come: from the user, or from the assistant at output."""
    kind = case.kind or (Kind.TOOL_ARGUMENTS if case.tool else Kind.TEXT)
    role = case.role or (Role.USER if case.stage is Stage.INPUT else Role.ASSISTANT)
    tool = case.tool or (case.text if kind is Kind.TOOL_NAME else None)
    form = Form.JSON_TEXT if kind is Kind.TOOL_ARGUMENTS else Form.PLAIN
    return Passage(case.stage, (Field(WHERE, case.text, role, kind, form, tool),))
