import pytest

from gateway.core.errors import InvalidDocument, NoPolicy
from tests.services.policy_fakes import service, written

pytestmark = pytest.mark.anyio

BASE = """version: 1
name: base
applies_to: {teams: ["*"]}
priority: -1
detectors: {pii: {}}
rules:
- {id: contact, label: pii.email_address, action: redact}
cases:
- {stage: input, text: "to bob@x", action: redact, rule: contact, becomes: "to <EMAIL_ADDRESS>"}
- {stage: input, text: "to bob", action: allow}
"""
TEAM = """version: 1
name: team
extends: [base]
applies_to: {teams: [red]}
rules:
- {id: contact, label: pii.email_address, action: block}
"""


def refused(path, shipped=None):
    with pytest.raises(InvalidDocument) as error:
        service(shipped).read(path)
    return error.value.problems


async def test_a_folder_loads_and_its_cases_pass(tmp_path):
    loaded = await service().load(written(tmp_path, base=BASE, team=TEAM))
    assert [each.name for each in loaded.policies] == ["base", "team"]
    assert loaded.warnings == ()


async def test_the_most_fitting_policy_is_matched_with_its_detectors(tmp_path):
    loaded = await service().load(written(tmp_path, base=BASE, team=TEAM))
    assert loaded.match("red", "m", "r").policy.name == "team"
    force = loaded.match("blue", "m", "r")
    assert force.policy.name == "base"
    assert [each.name for each in force.detectors] == ["pii"]


async def test_no_policy_for_a_call_is_refused(tmp_path):
    text = TEAM.replace("extends: [base]\n", "detectors: {pii: {}}\n")
    loaded = await service().load(written(tmp_path, team=text))
    with pytest.raises(NoPolicy):
        loaded.match("blue", "m", "r")


async def test_a_policy_that_is_only_extended_matches_no_call(tmp_path):
    text = BASE.replace('applies_to: {teams: ["*"]}\n', "")
    loaded = await service().load(written(tmp_path, base=text, team=TEAM))
    with pytest.raises(NoPolicy):
        loaded.match("blue", "m", "r")


async def test_a_failing_case_keeps_the_whole_folder_out_of_force(tmp_path):
    wrong = BASE.replace('text: "to bob"', 'text: "to bob@x"')
    folder = written(tmp_path, base=wrong, team=TEAM)
    with pytest.raises(InvalidDocument) as error:
        await service().load(folder)
    (problem,) = error.value.problems
    assert (problem.file, problem.line) == (str(folder / "base.yaml"), 10)
    assert "expected allow, got redact by contact" in problem.what


async def test_the_cases_of_a_policy_that_is_only_extended_run_too(tmp_path):
    text = BASE.replace('applies_to: {teams: ["*"]}\n', "")
    policies = service()
    results = await policies.test(policies.read(written(tmp_path, base=text)))
    assert [each.passed for each in results] == [True, True]


async def test_the_same_files_have_the_same_reference(tmp_path):
    folder = written(tmp_path, base=BASE, team=TEAM)
    one, other = await service().load(folder), await service().load(folder)
    assert [p.force.policy.reference for p in one.policies] == [
        p.force.policy.reference for p in other.policies
    ]


def test_every_problem_of_every_file_is_told_at_once(tmp_path):
    found = refused(written(tmp_path, a="x: 1\n", b="y: 1\nz: 1\n", c=BASE))
    assert [problem.file[-6:] for problem in found] == ["a.yaml", "b.yaml", "b.yaml"]


def test_problems_of_folding_and_of_building_are_told_together(tmp_path):
    found = refused(
        written(
            tmp_path,
            a="extends: [none]\n",
            b="detectors: {pi: {}}\n",
            c="detectors: {pii: {x: 1}}\n",
        )
    )
    assert [problem.file[-6:] for problem in found] == ["a.yaml", "b.yaml", "c.yaml"]


def test_a_mistake_in_a_parent_is_told_once_and_in_the_parents_file(tmp_path):
    (found,) = refused(written(tmp_path, base=BASE.replace("email_address", "emial"), team=TEAM))
    assert found.file.endswith("base.yaml")
    assert found.line == 7


def test_a_tie_is_a_mistake(tmp_path):
    (found,) = refused(written(tmp_path, a="", b=""))
    assert "`a`" in found.what
    assert "`b`" in found.what
    assert "priority" in found.mend


def test_one_file_is_read_with_what_it_extends_from_its_folder(tmp_path):
    folder = written(tmp_path, base=BASE, team=TEAM, broken="x: 1\n")
    found = service().read(folder / "team.yaml")
    assert [each.name for each in found.policies] == ["team"]
    assert found.policies[0].force.policy.rules[0].action.word == "block"


def test_a_broken_file_beside_is_told_when_it_may_be_the_parent(tmp_path):
    folder = written(tmp_path, base=BASE + "x: 1\n", team=TEAM)
    (found,) = refused(folder / "team.yaml")
    assert found.file.endswith("base.yaml")


def test_a_shipped_pack_can_be_extended_and_is_not_itself_in_force(tmp_path):
    packs, own = tmp_path / "packs", tmp_path / "own"
    packs.mkdir()
    own.mkdir()
    written(packs, base=BASE)
    written(own, team=TEAM)
    found = service(packs).read(own)
    assert [each.name for each in found.policies] == ["team"]


def test_ones_own_file_goes_before_a_shipped_pack_of_that_name(tmp_path):
    packs, own = tmp_path / "packs", tmp_path / "own"
    packs.mkdir()
    own.mkdir()
    written(packs, base=BASE)
    written(own, base=BASE.replace("contact", "mine"), team="extends: [base]\n")
    found = service(packs).read(own)
    assert found.policies[1].force.policy.rules[0].id == "mine"


def test_a_path_that_is_not_there_is_a_problem(tmp_path):
    (found,) = refused(tmp_path / "none")
    assert "cannot be read" in found.what
