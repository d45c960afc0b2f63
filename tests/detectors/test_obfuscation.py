"""Characters that no reader sees are reported where they stood, whatever they stood in."""

import pytest

from gateway.core.model import Window
from gateway.detectors.obfuscation import ObfuscationDetector
from tests.detectors.contract import DetectorContract


class TestObfuscationKeepsTheContract(DetectorContract):
    text = "It was said that john@example.com should know nothing of this kind. " * 12
    hidden = tuple((place, place + place % 3) for place in range(19, len(text), 29))

    @pytest.fixture
    def detector(self) -> ObfuscationDetector:
        return ObfuscationDetector()


@pytest.mark.parametrize(
    ("hidden", "found"),
    [
        ((), []),
        (((5, 5),), [(4, 6)]),
        (((5, 9),), [(5, 9)]),
        (((0, 0), (12, 12)), [(0, 1), (11, 12)]),
        (((5, 5), (5, 5)), [(4, 6)]),
    ],
)
async def test_a_place_where_nothing_is_left_is_told_with_its_neighbours(hidden, found) -> None:
    (seen,) = await ObfuscationDetector().detect([Window("twelve chars", 0, 0, 12, hidden)])

    assert [(one.start, one.end) for one in seen] == found
    assert {(one.label, one.score, one.version) for one in seen} <= {("obfuscation", 1.0, "1")}


@pytest.mark.parametrize(
    ("place", "told"), [(1, False), (2, False), (3, True), (8, True), (9, True), (10, False)]
)
async def test_only_what_meets_the_core_is_told(place: int, told: bool) -> None:
    (seen,) = await ObfuscationDetector().detect([Window("x" * 12, 0, 3, 9, ((place, place),))])

    assert bool(seen) is told


async def test_a_window_with_nothing_left_in_it_has_no_place_to_tell() -> None:
    assert await ObfuscationDetector().detect([Window("", 0, 0, 0, ((0, 0),))]) == [[]]
