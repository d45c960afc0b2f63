import pytest

from gateway.core.windows import NUDGE
from gateway.services.policy_explaining import explain
from tests.services.policy_fakes import service, written

BASE = """version: 1
name: base
applies_to: {}
priority: -1
detectors: {pii: {}, keywords: {lists: {a: [x]}}}
rules:
- {id: contact, label: pii.email_address, action: redact}
- {id: words, label: keyword, stage: input, action: block}
"""


@pytest.fixture
def policies(tmp_path):
    return service().read(
        written(
            tmp_path,
            base=BASE,
            blue="version: 1\nname: blue\napplies_to: {teams: [blue], models: [big]}\n",
            glob="version: 1\nname: glob\napplies_to: {teams: ['r*']}\n",
            red="version: 1\nname: red\nextends: [base]\napplies_to: {teams: [red]}\n",
            part="version: 1\nname: part\n",
        )
    )


def test_every_policy_has_its_reason(policies):
    found = explain(policies, "red", "m", "openai.chat")
    assert found.winner is not None
    assert found.winner.startswith("red@")
    assert {each.policy: each.why for each in found.candidates} == {
        "base": "priority -1 is below 0 of `red`",
        "blue": "team `red` is none of blue",
        "glob": "`red` names this call more literally",
        "part": "has no `applies_to`: only to be extended",
        "red": "holds",
    }
    assert [each.policy for each in found.candidates if each.matches] == ["base", "glob", "red"]


def test_a_model_that_does_not_match_is_named(policies):
    found = explain(policies, "blue", "small", "openai.chat")
    assert "model `small` is none of big" in [each.why for each in found.candidates]


def test_rules_say_where_they_are_written_and_which_is_implied(policies):
    rules = explain(policies, "red", "m", "r").rules
    assert [(rule.id, (rule.file or "")[-9:], rule.line) for rule in rules] == [
        ("contact", "base.yaml", 7),
        ("words", "base.yaml", 8),
        ("detector-failed", "", None),
    ]


def test_detectors_say_how_long_a_stream_waits_and_for_which_rule(policies):
    pii, keywords = explain(policies, "red", "m", "r").detectors
    assert (pii.delay, pii.because) == (20 + NUDGE + 7, ("contact",))
    assert (keywords.delay, keywords.because) == (None, ())


def test_when_no_policy_holds_there_is_no_winner(tmp_path):
    found = explain(
        service().read(written(tmp_path, part="version: 1\nname: part\n")), "t", "m", "r"
    )
    assert (found.winner, found.rules, found.detectors) == (None, (), ())
