import pytest

from gateway.core.model import Action, Form, Kind, Role, Stage
from gateway.core.policy import Case
from gateway.services.policy_cases import passage_of
from tests.services.policy_fakes import service, written

pytestmark = pytest.mark.anyio

HEAD = """version: 1
name: p
detectors: {pii: {}}
rules:
- {id: contact, label: pii.email_address, action: redact}
- {id: seen, label: pii, action: flag}
- {id: payments, tools: ["pay_*"], action: hold}
cases:
"""


async def result(tmp_path, case: str):
    policies = service()
    (only,) = await policies.test(policies.read(written(tmp_path, p=f"{HEAD}- {case}\n")))
    return only


@pytest.mark.parametrize(
    "case",
    [
        "{stage: input, text: to bob@x, action: redact}",
        "{stage: input, text: to bob@x, action: redact, rule: contact}",
        "{stage: input, text: to bob@x, action: redact, becomes: to <EMAIL_ADDRESS>}",
        "{stage: output, text: Ann, action: flag, rule: seen, becomes: Ann}",
        "{stage: output, text: pay_now, kind: tool_name, action: hold, rule: payments}",
        "{stage: output, text: see_now, kind: tool_name, action: allow}",
        "{stage: input, text: nothing, action: allow}",
    ],
)
async def test_a_case_that_holds_passes(tmp_path, case):
    assert (await result(tmp_path, case)).passed


@pytest.mark.parametrize(
    ("case", "expected", "got"),
    [
        ("{stage: input, text: x, action: block}", "block", "allow"),
        ("{stage: input, text: bob@x, action: flag}", "flag", "redact by contact"),
        # A rule that ruled, but less strictly than the action, is not the one.
        (
            "{stage: input, text: bob@x, action: redact, rule: seen}",
            "redact by seen",
            "redact by contact",
        ),
        (
            "{stage: input, text: bob@x, action: redact, becomes: me}",
            "redact",
            "redact by contact and another text than `becomes`",
        ),
    ],
)
async def test_a_case_that_does_not_hold_fails_and_says_how(tmp_path, case, expected, got):
    failed = await result(tmp_path, case)
    assert not failed.passed
    assert (failed.expected, failed.got) == (expected, got)
    assert failed.problem.line == 9
    assert failed.problem.file.endswith("p.yaml")


async def test_what_the_text_became_is_told_apart_from_the_problem(tmp_path):
    failed = await result(tmp_path, "{stage: input, text: hi bob@x, action: redact, becomes: me}")
    assert failed.became == "hi <EMAIL_ADDRESS>"
    assert "hi" not in str(failed.problem)


def case(**given) -> Case:
    return Case(**{"stage": Stage.INPUT, "text": "t", "action": Action.ALLOW, **given})


@pytest.mark.parametrize(
    ("given", "role", "kind", "tool"),
    [
        ({}, Role.USER, Kind.TEXT, None),
        ({"stage": Stage.OUTPUT}, Role.ASSISTANT, Kind.TEXT, None),
        ({"role": Role.TOOL, "kind": Kind.TOOL_RESULT}, Role.TOOL, Kind.TOOL_RESULT, None),
        ({"tool": "f"}, Role.USER, Kind.TOOL_ARGUMENTS, "f"),
        ({"kind": Kind.TOOL_NAME}, Role.USER, Kind.TOOL_NAME, "t"),
    ],
)
def test_a_cases_text_comes_as_a_call_would_bring_it(given, role, kind, tool):
    passage = passage_of(case(**given))
    assert (passage.role, passage.kind, passage.tool, passage.text) == (role, kind, tool, "t")
    assert passage.form is (Form.JSON_TEXT if kind is Kind.TOOL_ARGUMENTS else Form.PLAIN)
