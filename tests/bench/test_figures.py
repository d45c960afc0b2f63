import pytest

from tests.bench.figures import Row, median_ratio, ratios, rounded, spread, table


def test_a_ratio_is_taken_within_its_round_and_the_median_is_told():
    assert median_ratio([10, 40, 90], [10, 10, 10]) == 4
    assert ratios([3, 8], [1, 2]) == [3, 4]


def test_a_round_that_is_missing_on_one_side_is_an_error():
    with pytest.raises(ValueError, match="zip"):
        ratios([1, 2], [1])


def test_one_wild_round_does_not_move_the_median():
    assert median_ratio([5, 5, 500], [1, 1, 1]) == 5


def test_the_spread_shows_the_least_and_the_largest_round():
    assert spread([2, 9, 4], [1, 1, 1]) == "2.00 to 9.00"


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        (Row("a", 8.0, at_most=8), "met"),
        (Row("a", 8.01, at_most=8), "MISSED"),
        (Row("a", 0.25, at_least=0.25), "met"),
        (Row("a", 0.24, at_least=0.25), "MISSED"),
        (Row("a", None, at_most=8), "not measured"),
        (Row("a", 3.0), ""),
    ],
)
def test_a_verdict_is_met_missed_or_honestly_not_measured(row, verdict):
    assert row.verdict == verdict


def test_what_was_not_measured_never_reads_as_met():
    text = table([Row("proxy", None, at_most=1, note="not installed")])
    assert "not measured" in text
    assert " met " not in text


def test_the_table_is_markdown_with_cells_of_one_width():
    lines = table([Row("a", 1.0, at_most=2), Row("longer name", 0.123456)]).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert set(lines[1]) == {"|", "-"}
    assert "0.123" in lines[3]


@pytest.mark.parametrize(
    ("value", "text"), [(0.12345, "0.123"), (4.5678, "4.57"), (234.56, "235"), (12.0, "12.00")]
)
def test_figures_keep_the_digits_that_mean_something(value, text):
    assert rounded(value) == text
