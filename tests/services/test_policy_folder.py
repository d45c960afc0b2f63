import pytest

from gateway.core.errors import InvalidDocument, Problem
from gateway.services.policy_folder import list_files, read_all, unmet
from tests.services.policy_fakes import written


def test_files_come_in_order_of_name_and_others_are_left_alone(tmp_path):
    written(tmp_path, b="", a="")
    (tmp_path / "notes.txt").write_text("x")
    assert [each.name for each in list_files(tmp_path)] == ["a.yaml", "b.yaml"]


def test_a_folder_without_policies_is_a_problem(tmp_path):
    with pytest.raises(InvalidDocument, match="holds no policy"):
        list_files(tmp_path)
    with pytest.raises(InvalidDocument, match="cannot be read"):
        list_files(tmp_path / "none")


def test_a_broken_file_does_not_hide_the_others(tmp_path):
    problems: list[Problem] = []
    files = read_all(list_files(written(tmp_path, a="x: 1\n", b="", c="y: 1\n")), problems)
    assert [file.name for file in files] == ["b"]
    assert [problem.what[:3] for problem in problems] == ["`x`", "`y`"]


def test_two_policies_of_one_name_are_a_problem_of_the_second(tmp_path):
    problems: list[Problem] = []
    written(tmp_path, a="version: 1\nname: same\n", b="version: 1\nname: same\n")
    assert len(read_all(list_files(tmp_path), problems)) == 1
    (problem,) = problems
    assert problem.file.endswith("b.yaml")
    assert problem.line == 2


def test_a_parents_missing_parent_is_missed(tmp_path):
    files = read_all(
        list_files(written(tmp_path, a="extends: [b]\n", b="extends: [c]\n", c="")), []
    )
    a, b, c = files
    assert not unmet([a], [b, c])
    assert unmet([a], [b])
    assert unmet([a], [c])


def test_a_cycle_ends(tmp_path):
    a, b = read_all(list_files(written(tmp_path, a="extends: [b]\n", b="extends: [a]\n")), [])
    assert not unmet([a], [b])
