from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import InvalidDocument, Problem
from gateway.services.documents import parse
from gateway.services.overrides import override
from gateway.services.validation import Section, validate


class Engine(Section):
    model: str = ""
    retries: int = 0


class Gate(Section):
    title: str = "x"
    depth: int = 1
    engines: Mapping[str, Engine] | None = None
    inner: Engine = Engine()


def laid(text: str, **environ: str) -> Gate:
    return validate(override(parse(text.encode(), "f.yaml"), environ, Gate), Gate)


def test_a_variable_wins_over_the_file():
    assert laid("depth: 2\n", WARDGATE_DEPTH="3").depth == 3


def test_two_underscores_reach_inside():
    assert laid("", WARDGATE_INNER__RETRIES="4").inner.retries == 4


def test_a_variable_finds_the_entry_that_the_file_names_otherwise():
    gate = laid("engines: {Lab-A: {model: m}}\n", WARDGATE_ENGINES__LAB_A__RETRIES="2")
    assert gate.engines == {"Lab-A": Engine(model="m", retries=2)}


def test_a_variable_may_add_an_entry():
    assert laid("", WARDGATE_ENGINES__NEW__MODEL="m").engines == {"new": Engine(model="m")}


def test_a_whole_section_may_come_as_yaml():
    gate = laid("", WARDGATE_ENGINES="{a: {model: m}}")
    assert gate.engines == {"a": Engine(model="m")}


@pytest.mark.parametrize("text", ["7", "true", "a: b", "*x", "", "  spaced "])
def test_a_setting_that_is_text_takes_every_character(text):
    assert laid("", WARDGATE_TITLE=text).title == text


@pytest.mark.parametrize(
    ("variable", "near"),
    [
        ("WARDGATE_DEPHT", "WARDGATE_DEPTH"),
        ("WARDGATE_INNER__RETRIE", "WARDGATE_INNER__RETRIES"),
        ("WARDGATE_DEPTH__X", "WARDGATE_DEPTH"),
        ("WARDGATE_ENGINES__A__MODLE", "WARDGATE_ENGINES__A__MODEL"),
    ],
)
def test_an_unknown_variable_is_refused_with_the_nearest_known_one(variable, near):
    with pytest.raises(InvalidDocument) as refused:
        laid("engines: {a: {}}\n", **{variable: "1"})
    (problem,) = refused.value.problems
    assert variable in problem.what
    assert f"`{near}`" in problem.mend


def test_a_wrong_value_is_told_by_its_variable_and_never_echoed():
    with pytest.raises(InvalidDocument) as refused:
        laid("depth: 1\n", WARDGATE_DEPTH="canary")
    (problem,) = refused.value.problems
    assert problem.file == "environment WARDGATE_DEPTH"
    assert "canary" not in str(problem)


def test_other_variables_are_nobodys_business():
    assert laid("", PATH="/bin", WARDGAT_X="1") == Gate()


def test_a_file_that_is_no_mapping_cannot_be_overridden():
    with pytest.raises(InvalidDocument):
        laid("[]", WARDGATE_DEPTH="1")


def test_the_document_itself_stays_as_it_is():
    document = parse(b"inner: {retries: 1}\n", "f")
    override(document, {"WARDGATE_INNER__RETRIES": "2"}, Gate)
    assert document.data == {"inner": {"retries": 1}}


@given(st.from_regex(r"WARDGATE_[A-Z_]{0,20}", fullmatch=True), st.text(max_size=20))
def test_any_variable_is_a_setting_or_a_problem(variable, value):
    problems: tuple[Problem, ...] = ()
    try:
        laid("engines: {a: {}}\n", **{variable: value})
    except InvalidDocument as refused:
        problems = refused.problems
    assert all(variable in str(each) for each in problems)
