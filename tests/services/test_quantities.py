import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.services.quantities import glob, name, octets, seconds
from gateway.services.validation import UnfitError


@pytest.mark.parametrize(
    ("text", "value"),
    [("30s", 30), ("500ms", 0.5), ("5m", 300), ("2h", 7200), ("400d", 34_560_000), ("1.5 s", 1.5)],
)
def test_a_duration_is_a_number_and_its_unit(text, value):
    assert seconds(text) == value


@pytest.mark.parametrize(
    "wrong", [30, "31", "s", "0s", "-1s", "3 weeks", "1e3s", None, True, ["1s"], "  "]
)
def test_what_is_no_duration_is_refused_with_an_example(wrong):
    with pytest.raises(UnfitError) as refused:
        seconds(wrong)
    assert "`30s`" in refused.value.mend


@pytest.mark.parametrize(
    ("value", "size"),
    [(7, 7), ("7B", 7), ("2MiB", 2 * 1024**2), ("1.5KiB", 1536), ("1 GiB", 1024**3)],
)
def test_a_size_is_bytes_or_a_number_and_its_unit(value, size):
    assert octets(value) == size


@pytest.mark.parametrize("wrong", [0, -1, 1.5, True, "8", "7MB", "0.1B", None, "x"])
def test_what_is_no_size_is_refused(wrong):
    with pytest.raises(UnfitError):
        octets(wrong)


@given(st.text(max_size=80))
def test_a_name_is_safe_wherever_it_is_written(text):
    try:
        assert name(text) == text
    except UnfitError:
        return
    assert text.isascii()
    assert text.isprintable()
    assert not set(text) & set(" /\\:\"'{}*")


@pytest.mark.parametrize("wrong", ["", "a b", "[ab]", 3, None, "x" * 201])
def test_a_pattern_holds_no_space_and_no_set(wrong):
    with pytest.raises(UnfitError):
        glob(wrong)


def test_a_pattern_may_hold_slashes_and_stars():
    assert glob("lab/*-?") == "lab/*-?"
