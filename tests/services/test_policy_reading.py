import pytest

from gateway.core.errors import InvalidDocument
from gateway.core.model import Action, Kind, Role
from gateway.services.documents import parse
from gateway.services.policy_reading import ActionWord, KindWord, RoleWord, read_policy

CONTRACT = """
version: 1
name: clinical
description: Protected health information stays inside.
extends: [base]
applies_to: {teams: [clinical, "billing-*"], models: ["*"], routes: ["*"]}
floor: false
priority: 0
mode: enforce
detectors:
  pii: {languages: [en], entities: [PERSON, EMAIL_ADDRESS, PHONE_NUMBER, US_SSN], min_score: 0.4,
        allow: ["help@example.org"]}
  toxicity: {}
  keywords: {lists: {projects: [bluebird]}, patterns: {ticket: 'TCK-[0-9]{6}'}}
rules:
  - {id: fail-closed, label: detector.failed, action: block}
  - {id: contact, label: [pii.email_address, pii.phone_number], action: redact}
  - {id: card, label: pii.credit_card, action: redact, operator: {mask: {keep_last: 4}}}
  - {id: threats, label: toxicity.threat, stage: [output], min_score: 0.8, action: hold}
  - {id: agents, label: pii.person, roles: [tool], kinds: [tool_result], action: flag}
  - {id: payments, tools: ["send_*", "pay_*"], stage: [output], action: hold}
hold: {queue: clinical, wait: 30s, on_timeout: block, four_eyes: false, stream: rest}
messages: {blocked: "This request is outside what this service may do.", held: "A person is looking at this answer."}
audit: {payload: sealed, retain: 400d}
cases:
  - {stage: input, text: "write to bob@corp.example", action: redact, rule: contact,
     becomes: "write to <EMAIL_ADDRESS>"}
  - {stage: input, text: "what is a cell?", action: allow}
"""
HEAD = "version: 1\nname: p\n"


def policy(text: str):
    return read_policy(parse(text.encode(), "p.yaml")).section


def problems(text: str):
    with pytest.raises(InvalidDocument) as refused:
        policy(HEAD + text)
    return refused.value.problems


def test_the_contracts_example_is_read_as_it_stands():
    section = policy(CONTRACT)
    assert section.hold.wait == 30
    assert section.audit.retain == 400 * 86_400
    assert section.rules[1].label == ("pii.email_address", "pii.phone_number")
    assert section.rules[3].stage == ("output",)
    assert section.detectors["keywords"]["patterns"] == {"ticket": "TCK-[0-9]{6}"}


def test_the_words_of_the_format_are_those_of_core():
    assert set(ActionWord.__args__) == {action.word for action in Action}
    assert set(RoleWord.__args__) == set(Role)
    assert set(KindWord.__args__) == set(Kind)


@pytest.mark.parametrize(
    ("text", "line", "key"),
    [
        ("floor: true\n", 3, "floor"),
        ("mode: shadow\n", 3, "mode"),
        ("hold:\n  four_eyes: true\n", 4, "four_eyes"),
        ("hold:\n  stream: whole\n", 4, "stream"),
        ("audit:\n  payload: none\n", 4, "payload"),
        ("rules:\n- {id: a, label: pii, action: redact, operator: pseudonym}\n", 4, "pseudonym"),
    ],
)
def test_what_is_not_yet_in_force_is_refused_and_never_ignored(text, line, key):
    (found,) = problems(text)
    assert found.line == line
    assert found.what == f"`{key}`: not yet supported."
    assert found.mend


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        ("{id: a, action: block}", "neither a label nor tools"),
        ("{id: a, label: pii, action: flag, operator: mask}", "the action is `flag`"),
        ("{id: a, label: pii, action: redact, operator: {mask: {}, hash: {}}}", "exactly one"),
        ("{id: a, label: pii, action: redact, operator: {}}", "exactly one"),
        ("{id: a, label: pii, action: redact, operator: msk}", "`rules.0.operator.msk`"),
        ("{id: a, label: pii, action: redact, operator: {mask: {keep: 4}}}", "mask.keep"),
        ("{id: a, label: pii, action: redact, operator: {mask: {character: ab}}}", "character"),
        ("{id: a, label: pii, action: flag, min_score: 1.5}", "at most 1"),
        ("{id: a, label: pii, action: flag, min_score: -0.1}", "at least 0"),
        ("{id: a, tools: [x], action: redact}", "redacts without a label"),
        ("{id: a, tools: [x], action: block, min_score: 0.5}", "a score needs a label"),
        ("{id: a, tools: [x], action: block, kinds: [text]}", "about the tool's name"),
        ("{id: a, label: PII, action: flag}", "expected a label"),
        ("{id: a, label: [], action: flag}", "expected something"),
        ("{id: a, label: pii, action: blok}", "got blok"),
        ("{id: a, label: pii, action: flag, roles: [admin]}", "got admin"),
        ("{id: a, label: pii, action: flag, stages: [input]}", "`rules.0.stages`"),
        ("{id: 'a b', label: pii, action: flag}", "expected a name"),
    ],
)
def test_a_rule_that_cannot_mean_anything_is_refused(rule, what):
    (found,) = problems(f"rules:\n- {rule}\n")
    assert found.line == 4
    assert what in found.what
    assert found.mend


def test_a_rules_id_stands_once():
    (found,) = problems(
        "rules:\n- {id: a, label: pii, action: flag}\n- {id: a, label: pii, action: block}\n"
    )
    assert (found.line, found.what) == (5, "rule `a` stands on line 4 already.")


@pytest.mark.parametrize(
    ("entry", "what", "mend"),
    [
        ("imgae: allow", "`media.imgae`: expected a sort of media.", "Did you mean `image`?"),
        ("application/*: allow", "`media.application/*`: expected a sort of media.", "`file`"),
        ("image: redact", "expected one of its words, got redact", "`allow`, `block`"),
        ("image: alow", "got alow", "Did you mean `allow`?"),
        ("image: true", "got true or false", "`allow`, `block`"),
    ],
)
def test_media_that_means_nothing_is_refused_with_its_line(entry, what, mend):
    (found,) = problems(f"media:\n  file.pdf: allow\n  {entry}\n")
    assert found.line == 5
    assert what in found.what
    assert mend in found.mend


def test_one_sort_of_media_stands_once_however_it_is_written():
    (found,) = problems("media:\n  image/png: allow\n  image.png: block\n")
    assert (found.line, found.what) == (5, "`media.image.png` is the same as `image/png`.")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("version: 2\n", "version"),
        ("media: [image]\n", "`media`: expected a mapping"),
        ("applies_to: {teams: []}\n", "expected something"),
        ("applies_to: {teams: ['[ab]']}\n", "expected a name or pattern"),
        ("applies_to: {sectors: [x]}\n", "sectors"),
        ("hold: {wait: 30}\n", "expected a duration"),
        ("hold: {on_timeout: hold}\n", "got hold"),
        ("cases: [{stage: input, action: allow}]\n", "`cases.0.text`: this key is missing"),
    ],
)
def test_other_mistakes_are_told(text, what):
    head = "" if text.startswith("version") else "version: 1\n"
    with pytest.raises(InvalidDocument, match=r"p\.yaml:") as refused:
        policy(f"{head}name: p\n{text}")
    assert what in str(refused.value)


def test_short_forms_mean_the_long_ones():
    short = policy(
        HEAD + "rules: [{id: a, label: pii, action: redact, stage: input, operator: hash}]\n"
    )
    long = policy(
        HEAD
        + "rules: [{id: a, label: [pii], action: redact, stage: [input], operator: {hash: {}}}]\n"
    )
    assert short == long
