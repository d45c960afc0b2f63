"""Findings in, rulings out; and which policy holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.model import Action, Field, Finding, Kind, Passage, Role, Stage
from gateway.core.policy import (
    AppliesTo,
    Decision,
    Policy,
    Rule,
    choose,
    covers,
    decide,
    tool_rulings,
    wanted,
)


def passage(
    stage: Stage = Stage.INPUT,
    role: Role = Role.USER,
    kind: Kind = Kind.TEXT,
    tool: str | None = None,
    text: str = "hello",
) -> Passage:
    return Passage(stage, (Field(("messages", 0, "content"), text, role, kind, tool=tool),))


def finding(label: str, score: float = 1.0) -> Finding:
    return Finding(label, score, 0, 1, "d", "1")


@pytest.mark.parametrize(
    ("general", "special", "expected"),
    [
        ("pii", "pii", True),
        ("pii", "pii.person", True),
        ("pii", "piix.person", False),
        ("pii.person", "pii", False),
        ("detector.failed", "detector.failed.pii", True),
    ],
)
def test_a_label_covers_itself_and_what_is_under_it(
    general: str, special: str, expected: bool
) -> None:
    assert covers(general, special) is expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (Rule("r", Action.BLOCK, ("pii",)), True),
        (Rule("r", Action.BLOCK, ("pii",), min_score=0.9), False),
        (Rule("r", Action.BLOCK, ("secret",)), False),
        (Rule("r", Action.BLOCK, ("pii",), stages=frozenset({Stage.OUTPUT})), False),
        (Rule("r", Action.BLOCK, ("pii",), roles=frozenset({Role.TOOL})), False),
        (Rule("r", Action.BLOCK, ("pii",), kinds=frozenset({Kind.NAME})), False),
        (Rule("r", Action.BLOCK, ("pii",), tools=("send_*",)), False),
    ],
    ids=["label", "score", "other label", "stage", "role", "kind", "tool"],
)
def test_a_rule_rules_on_what_it_names(rule: Rule, expected: bool) -> None:
    decision = decide([rule], passage(), [finding("pii.person", 0.8)])

    assert bool(decision.rulings) is expected


def test_a_rule_on_tools_rules_on_findings_in_their_arguments() -> None:
    rule = Rule("r", Action.HOLD, ("pii",), tools=("send_*",))
    inside = passage(Stage.OUTPUT, Role.ASSISTANT, Kind.TOOL_ARGUMENTS, "send_mail")

    assert decide([rule], inside, [finding("pii.person")]).action is Action.HOLD


def test_a_rule_without_labels_rules_on_a_tools_name_alone() -> None:
    rule = Rule("payments", Action.HOLD, tools=("pay_*",), stages=frozenset({Stage.OUTPUT}))
    name = passage(Stage.OUTPUT, Role.ASSISTANT, Kind.TOOL_NAME, "pay_bill", "pay_bill")
    other = passage(Stage.OUTPUT, Role.ASSISTANT, Kind.TOOL_NAME, "look_up", "look_up")
    arguments = passage(Stage.OUTPUT, Role.ASSISTANT, Kind.TOOL_ARGUMENTS, "pay_bill")

    assert [ruling.rule for ruling in tool_rulings([rule], name)] == ["payments"]
    assert tool_rulings([rule], other) == ()
    assert tool_rulings([rule], arguments) == ()


@given(st.lists(st.sampled_from(list(Action))))
def test_the_strictest_wins(actions: list[Action]) -> None:
    rules = [Rule(f"r{at}", action, ("pii",)) for at, action in enumerate(actions)]

    decision = decide(rules, passage(), [finding("pii.x")])

    assert decision.action == max(actions, default=Action.ALLOW)
    assert (decision.strictest is None) == (not actions)


def test_nothing_found_is_allowed() -> None:
    assert Decision().action is Action.ALLOW


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (("pii.person",), True),
        (("pii",), True),
        (("secret",), False),
        (("detector.failed",), False),
    ],
)
def test_a_detector_is_wanted_where_a_rule_could_use_it(
    labels: tuple[str, ...], expected: bool
) -> None:
    rules = [Rule("r", Action.FLAG, labels, stages=frozenset({Stage.INPUT}))]

    assert wanted(rules, Stage.INPUT, Role.USER, Kind.TEXT, ("pii",)) is expected
    assert not wanted(rules, Stage.OUTPUT, Role.USER, Kind.TEXT, ("pii",))


def policy(name: str, applies_to: AppliesTo | None, priority: int = 0) -> Policy:
    return Policy(name, "0" * 64, applies_to=applies_to, priority=priority)


ALL = policy("all", AppliesTo())
TEAM = policy("team", AppliesTo(teams=("clinical", "billing-*")))
GLOB = policy("glob", AppliesTo(teams=("clin*",)))
MODEL = policy("model", AppliesTo(models=("chat",)))
FIRST = policy("first", AppliesTo(), priority=9)
PARENT = policy("parent", None)


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        ([ALL, PARENT], ["all"]),
        ([ALL, TEAM, GLOB, MODEL], ["team"]),
        ([ALL, GLOB, MODEL], ["glob"]),
        ([ALL, MODEL], ["model"]),
        ([ALL, TEAM, FIRST], ["first"]),
        ([ALL, policy("twin", AppliesTo())], ["all", "twin"]),
        ([PARENT], []),
        ([policy("other", AppliesTo(teams=("x",)))], []),
    ],
)
def test_the_highest_priority_then_the_most_literal_wins(
    policies: list[Policy], expected: list[str]
) -> None:
    won = choose(policies, "clinical", "chat", "openai.chat")

    assert [one.name for one in won] == expected


def test_a_policy_is_named_with_its_digest() -> None:
    assert policy("p", None).reference == "p@" + "0" * 12
