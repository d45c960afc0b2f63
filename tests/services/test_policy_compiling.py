import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import InvalidDocument
from gateway.core.model import Action, Field, Finding, Kind, Passage, Role, Stage
from gateway.core.policy import Policy, decide
from gateway.core.redact import Hash, Mask, Remove, Replace
from gateway.services.documents import parse
from gateway.services.policy_compiling import compile_policy
from gateway.services.policy_folding import fold
from gateway.services.policy_reading import read_policy
from tests.services.policy_fakes import Source

PII = "detectors: {pii: {}}\n"


def compiled(text: str):
    file = read_policy(parse(f"version: 1\nname: p\n{text}".encode(), "p.yaml"))
    return compile_policy(fold(file, {}), Source())


def policy(text: str) -> Policy:
    return compiled(text).force.policy


def refused(text: str):
    with pytest.raises(InvalidDocument) as error:
        compiled(text)
    (problem,) = error.value.problems
    return problem


def test_words_become_cores_words():
    rule = "{id: a, label: pii, action: flag, stage: input, roles: tool, kinds: [tool_result], min_score: 0.4}"
    first = policy(PII + f"rules: [{rule}]\n").rules[0]
    assert (first.action, first.stages) == (Action.FLAG, {Stage.INPUT})
    assert (first.roles, first.kinds, first.min_score) == ({Role.TOOL}, {Kind.TOOL_RESULT}, 0.4)


def test_absent_scopes_mean_everything():
    first = policy(PII + "rules: [{id: a, label: pii, action: flag}]\n").rules[0]
    assert first.stages == set(Stage)
    assert first.roles == set(Role)
    assert first.kinds == set(Kind)


@pytest.mark.parametrize(
    ("written", "operator"),
    [
        ("replace", Replace()),
        ("{replace: {with: X}}", Replace("X")),
        ("{replace: {with: ''}}", Replace("")),
        ("mask", Mask()),
        ("{mask: {keep_last: 4, character: '#'}}", Mask(4, "#")),
        ("hash", Hash()),
        ("remove", Remove()),
    ],
)
def test_operators_are_built(written, operator):
    rule = f"{{id: a, label: pii, action: redact, operator: {written}}}"
    assert policy(PII + f"rules: [{rule}]\n").rules[0].operator == operator


def test_a_redaction_without_an_operator_replaces():
    rules = policy(PII + "rules: [{id: a, label: pii, action: redact}]\n").rules
    assert rules[0].operator == Replace()


def test_holding_and_keeping_are_in_cores_units():
    built = policy("hold: {queue: q, wait: 5m, on_timeout: allow}\naudit: {retain: 36h}\n")
    assert (built.hold.queue, built.hold.wait, built.hold.on_timeout) == ("q", 300, Action.ALLOW)
    assert built.retain_days == 2


@pytest.mark.parametrize(
    ("text", "line", "what", "mend"),
    [
        ("detectors: {pi: {}}\n", 3, "no detector `pi`", "`pii`"),
        ("detectors:\n  injection: {}\n", 4, "not yet supported", "Known here"),
        ("detectors:\n  pii:\n    entitis: [x]\n", 5, "`detectors.pii.entitis`", ""),
        ("detectors:\n  pii: {}\n  keywords: {}\n", 5, "expected lists of words", ""),
        (
            PII + "rules:\n- {id: a, label: pii.persn, action: flag}\n",
            5,
            "emits `pii.persn`",
            "pii.person",
        ),
        (
            PII + "rules:\n- id: a\n  action: flag\n  label:\n  - pii\n  - toxicity\n",
            9,
            "emits `toxicity`",
            "",
        ),
        ("rules:\n- {id: a, label: pii, action: flag}\n", 4, "emits `pii`", "Add `pii:`"),
        ("rules:\n- {id: a, label: detector.failed.pii, action: flag}\n", 4, "emits", ""),
        (
            PII + "rules: [{id: abc, label: pii, action: flag}]\ncases:\n"
            "- {stage: input, text: x, action: flag, rule: abd}\n",
            6,
            "no rule `abd`",
            "`abc`",
        ),
    ],
)
def test_what_cannot_work_is_refused_with_its_line(text, line, what, mend):
    problem = refused(text)
    assert problem.line == line
    assert what in problem.what
    assert mend in problem.mend
    assert problem.mend


def test_a_label_that_the_options_leave_out_is_a_warning():
    found = compiled(
        "detectors: {pii: {entities: [PERSON]}}\nrules:\n- {id: a, label: pii.email_address, action: redact}\n"
    )
    (warning,) = found.warnings
    assert warning.line == 5
    assert "`pii.email_address`" in warning.what


FAILURE = Finding("detector.failed.pii", 1.0, 0, 0, "pii", "1")


def on_failure(
    built: Policy, stage: Stage, role: Role = Role.USER, kind: Kind = Kind.TEXT
) -> Action:
    passage = Passage(stage, (Field(("x",), "text", role, kind),))
    return decide(built.rules, passage, [FAILURE]).action


def test_a_failure_that_no_rule_speaks_of_blocks():
    built = policy(PII)
    assert [rule.id for rule in built.rules] == ["detector-failed"]
    assert {on_failure(built, stage) for stage in Stage} == {Action.BLOCK}


def test_without_detectors_nothing_is_implied():
    assert policy("").rules == ()


@pytest.mark.parametrize("label", ["detector", "detector.failed", "detector.failed.pii"])
@pytest.mark.parametrize("action", ["allow", "flag"])
def test_only_a_written_rule_loosens_a_failure(label, action):
    built = policy(PII + f"rules: [{{id: soft, label: {label}, action: {action}}}]\n")
    assert {on_failure(built, stage) for stage in Stage} == {Action[action.upper()]}


def test_a_written_rule_loosens_only_the_stage_it_names():
    built = policy(PII + "rules: [{id: s, label: detector.failed, stage: input, action: flag}]\n")
    assert on_failure(built, Stage.INPUT) is Action.FLAG
    assert on_failure(built, Stage.OUTPUT) is Action.BLOCK


@pytest.mark.parametrize("part", ["roles: [user]", "kinds: [text]", "tools: [x]"])
def test_a_rule_about_a_part_does_not_loosen_the_rest(part):
    built = policy(PII + f"rules: [{{id: s, label: detector.failed, {part}, action: flag}}]\n")
    assert on_failure(built, Stage.INPUT, Role.TOOL, Kind.TOOL_RESULT) is Action.BLOCK


def test_one_detectors_rule_leaves_the_others_closed():
    built = policy(
        "detectors: {pii: {}, keywords: {lists: {a: [x]}}}\n"
        "rules: [{id: s, label: detector.failed.keywords, action: allow}]\n"
    )
    assert on_failure(built, Stage.INPUT) is Action.BLOCK
    assert built.rules[-1].labels == ("detector.failed.pii",)


def test_the_implied_rules_name_is_its_own():
    built = policy(PII + "rules: [{id: detector-failed, label: pii, action: flag}]\n")
    assert [rule.id for rule in built.rules] == ["detector-failed", "detector-failed-2"]


BEFORE = PII + "rules: [{id: a, label: pii, action: flag}]\n"


@pytest.mark.parametrize(
    "text",
    [
        BEFORE + "priority: 1\n",
        BEFORE + "applies_to: {}\n",
        BEFORE + "hold: {wait: 1s}\n",
        BEFORE + "messages: {blocked: x}\n",
        BEFORE + "audit: {retain: 1d}\n",
        BEFORE + "media: {image: allow}\n",
        BEFORE + "media: {image: block}\n",
        BEFORE.replace("flag", "block"),
        BEFORE.replace("label: pii", "label: pii.person"),
        BEFORE.replace("label: pii", "label: pii, min_score: 0.1"),
        BEFORE.replace("label: pii", "label: pii, stage: input"),
        BEFORE.replace("flag", "redact"),
        BEFORE.replace("flag", "redact, operator: mask"),
        BEFORE.replace("{pii: {}}", "{pii: {entities: [PERSON]}}"),
    ],
)
def test_what_can_change_a_decision_changes_the_digest(text):
    assert policy(text).digest != policy(BEFORE).digest


def test_media_become_cores_labels():
    media = policy("media: {image/*: allow, application/pdf: block}\n").media
    assert media == {"image": Action.ALLOW, "file.pdf": Action.BLOCK}
    assert policy("").media == {}


def test_how_and_in_what_order_media_are_written_leaves_the_digest():
    one = policy("media: {image/png: allow, file: block}\n")
    assert policy("media: {file: block, image.png: allow}\n").digest == one.digest
    assert policy("media: {file: block, image.png: block}\n").digest != one.digest


@given(st.text(st.characters(categories=["L"]), max_size=9))
def test_what_cannot_change_a_decision_leaves_the_digest(words):
    case = "cases: [{stage: input, text: Ann, action: flag}]\n"
    assert policy(f'description: "{words}"\n{BEFORE}{case}').digest == policy(BEFORE).digest
    assert len(policy(BEFORE).digest) == 64


def test_any_detector_may_find_something_hidden():
    built = policy("detectors: {pii: {}}\nrules:\n- {id: h, label: obfuscation, action: flag}\n")
    assert built.rules[0].labels == ("obfuscation",)
    with pytest.raises(InvalidDocument):
        compiled("rules:\n- {id: h, label: obfuscation, action: flag}\n")
