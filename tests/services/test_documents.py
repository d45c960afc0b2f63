import json
import pathlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.core.errors import InvalidDocument, Problem
from gateway.services.documents import MAX_BYTES, MAX_DEPTH, Place, parse, read, scalar


def problem(text: str | bytes):
    with pytest.raises(InvalidDocument) as refused:
        parse(text if isinstance(text, bytes) else text.encode(), "f.yaml")
    return refused.value.problems[0]


def test_data_remembers_the_line_and_column_of_every_value():
    document = parse(b"a: 1\nb:\n  - x\n  - {c: y}\n", "f.yaml")
    assert document.data == {"a": 1, "b": ["x", {"c": "y"}]}
    assert document.at(("b", 1, "c")) == Place("f.yaml", 4, 6)
    assert document.at(("a",)) == Place("f.yaml", 1, 1)


def test_a_path_that_is_not_there_is_placed_at_what_is_around_it():
    document = parse(b"\nb:\n  c: 1\n", "f.yaml")
    assert document.at(("b", "missing", 3)).line == 2
    assert document.at(("nowhere",)).line == 2


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "~\n"])
def test_an_empty_document_is_an_empty_mapping(text):
    assert parse(text.encode(), "f").data == {}


@pytest.mark.parametrize(
    ("plain", "meant"),
    [
        ("no", "no"),
        ("on", "on"),
        ("12:30", "12:30"),
        ("2024-01-01", "2024-01-01"),
        ("0123", "0123"),
        ("0x1f", "0x1f"),
        (".inf", ".inf"),
        ("9" * 400, "9" * 400),
        ("30s", "30s"),
        ("true", True),
        ("null", None),
        ("-7", -7),
        ("1.5", 1.5),
        ("2e3", 2000.0),
    ],
)
def test_plain_scalars_mean_what_yaml_1_2_says_and_what_is_odd_stays_text(plain, meant):
    assert scalar(plain) == meant
    assert parse(f"a: {plain}".encode(), "f").data == {"a": meant}


def test_a_quoted_scalar_is_always_text():
    assert parse(b"a: \"1\"\nb: 'true'\n", "f").data == {"a": "1", "b": "true"}


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "`a` twice; line 1"),
        ("a: 1\nb:\n  c: 1\n  c: 1\n", 4, "`c` twice; line 3"),
        ("a: 1\nb: &x 2\n", 2, "anchor"),
        ("a: &x [1]\nb: *x\n", 1, "anchor"),
        ("a: !!python/object/apply:os.system [id]\n", 1, "tag"),
        ("a: !x 1\n", 1, "tag"),
        ("? [a]\n: 1\n", 1, "key that is not text"),
        ("a: 1\n---\nb: 2\n", 2, "second document"),
        ("a: 1\nb: [\n", 3, "not valid YAML"),
        ("a:\n\tb: 1\n", 2, "not valid YAML"),
        ("a: 1\nb: \x01\n", 2, "control character"),
        ('a: "\\uD800"\n', 1, ""),
    ],
)
def test_what_is_not_plain_data_is_refused_with_its_line(text, line, says):
    found = problem(text)
    assert (found.file, found.line) == ("f.yaml", line)
    assert says in found.what
    assert found.mend


def test_bytes_that_are_not_utf_8_are_refused_with_their_line():
    assert problem(b"a: 1\nb: \xff\n").line == 2


def test_a_large_document_is_refused_before_it_is_parsed():
    assert "larger" in problem(b"#" * (MAX_BYTES + 1)).what


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_a_deep_document_is_refused(opening):
    assert problem(opening * 5000).what
    nested = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert parse(f"{nested}".encode(), "f").data
    assert "deeper" in problem(f"[[{nested}]]").what


def test_a_bomb_of_aliases_is_refused():
    bomb = "a: &a [x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, *{chr(97 + i)}]\n" for i in range(20)
    )
    assert "alias" in problem(bomb).what


def test_a_file_that_is_not_there_is_a_problem_of_that_file(tmp_path: pathlib.Path):
    with pytest.raises(InvalidDocument) as refused:
        read(tmp_path / "none.yaml")
    assert refused.value.problems[0].file.endswith("none.yaml")


# Escaped pairs of surrogates are JSON's alone.
_TEXT = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]), max_size=20)
_SCALARS = st.none() | st.booleans() | st.integers(-(10**17), 10**17) | _TEXT
_DATA = st.dictionaries(
    _TEXT,
    st.recursive(
        _SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    ),
    max_size=5,
)


@given(_DATA)
def test_json_reads_as_itself(data):
    assert parse(json.dumps(data).encode(), "f").data == data


@given(
    st.binary(max_size=200)
    | st.text(alphabet="a:-[]{}&*!?|>'\"#, \n\t", max_size=60).map(str.encode)
)
@example(b"- - - ? : -")
@example(b"%YAML 9.9\n---\n")
def test_any_bytes_are_data_or_a_problem(content):
    problems: tuple[Problem, ...] = ()
    try:
        parse(content, "f")
    except InvalidDocument as refused:
        problems = refused.problems
    assert all(each.line >= 1 and each.mend for each in problems)
