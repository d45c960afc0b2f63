"""A detector that fails is a finding, what is remembered is each team's own, and no text is told."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Sequence

import pytest

from gateway.core.model import Finding, Window
from gateway.core.ports import Reach
from gateway.services.looking import BATCH, Ask, Coverage, Lookout
from gateway.services.scan_cache import LruScanCache
from tests.fakes import Look, ScriptedDetector, finds, forever

LABEL = "pii.word"
WORD = finds("secret", LABEL)


def lookout(size: int = 100_000) -> Lookout:
    return Lookout(LruScanCache(size), b"k" * 32)


def window(text: str = "a secret here", start: int = 0) -> Window:
    return Window(text, start, 0, len(text))


def raises(_: Window) -> Sequence[tuple[str, int, int]]:
    raise ValueError("the text was: a secret here")


class MiscountingDetector(ScriptedDetector):
    async def detect(self, windows: Sequence[Window]) -> Sequence[Sequence[Finding]]:
        return [*await super().detect(windows), ()]


FAILING = [
    ScriptedDetector("raises", raises),
    ScriptedDetector("hangs", WORD, before=forever, budget=0.02),
    MiscountingDetector("miscounts", WORD),
]


@pytest.mark.parametrize("detector", FAILING, ids=lambda one: one.name)
async def test_a_detector_that_fails_is_itself_a_finding(detector: ScriptedDetector) -> None:
    async with asyncio.timeout(0.4):
        (looked,) = await lookout().look("red", [Ask(detector, Window("a secret here", 40, 2, 8))])

    assert looked.coverage is Coverage.FAILED
    (seen,) = looked.findings
    assert seen.label == f"detector.failed.{detector.name}"
    assert (seen.start, seen.end, seen.score) == (42, 48, 1.0)


@pytest.mark.parametrize("detector", FAILING, ids=lambda one: one.name)
async def test_a_failure_is_not_remembered(detector: ScriptedDetector) -> None:
    one = lookout()
    detector.asked.clear()

    for _ in range(2):
        assert (await one.look("red", [Ask(detector, window())]))[0].coverage is Coverage.FAILED

    assert len(detector.asked) == 2


async def test_a_failure_of_one_detector_leaves_the_others_looking() -> None:
    asks = [
        Ask(ScriptedDetector("raises", raises), window()),
        Ask(ScriptedDetector(look=WORD), window()),
    ]

    failed, scanned = await lookout().look("red", asks)

    assert failed.coverage is Coverage.FAILED
    assert scanned.coverage is Coverage.SCANNED
    assert [one.label for one in scanned.findings] == [LABEL]


async def test_a_hanging_detector_leaves_the_loop_free() -> None:
    hangs = ScriptedDetector("hangs", before=forever, budget=0.1)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.001)
            turns += 1

    counting = asyncio.get_running_loop().create_task(count())
    await lookout().look("red", [Ask(hangs, window())])
    counting.cancel()

    assert turns > 5


class LineDetector(ScriptedDetector):
    """Before its own batch come `ahead` others in the line, each of which takes half its budget."""

    ended = 0
    ahead = 0

    async def detect(self, windows: Sequence[Window]) -> Sequence[Sequence[Finding]]:
        turn = asyncio.Event()

        def move() -> None:
            self.ended += 1
            if self.ended == self.ahead:
                turn.set()

        for place in range(self.ahead):
            asyncio.get_running_loop().call_later((place + 1) * self.budget / 2, move)
        await turn.wait()
        return await super().detect(windows)


async def test_waiting_in_a_line_that_moves_is_no_failure() -> None:
    busy = LineDetector("busy", WORD, budget=0.04)
    busy.ahead = 8

    (looked,) = await lookout().look("red", [Ask(busy, window())])

    assert looked.coverage is Coverage.SCANNED
    assert [seen.label for seen in looked.findings] == [LABEL]


async def test_a_line_that_stands_still_is_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    async def hang() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise ValueError("the text was: a secret here")

    stuck = LineDetector("stuck", WORD, before=hang, budget=0.04)
    stuck.ahead = 3

    async with asyncio.timeout(1):
        (looked,) = await lookout().look("red", [Ask(stuck, window())])
    gc.collect()

    assert looked.coverage is Coverage.FAILED
    assert "secret" not in caplog.text


async def test_a_window_is_looked_at_once_for_each_team() -> None:
    detector, one = ScriptedDetector(look=WORD), lookout()

    told = [
        (await one.look(team, [Ask(detector, window())]))[0].coverage
        for team in ("red", "red", "blue", "blue")
    ]

    assert told == [Coverage.SCANNED, Coverage.CACHED, Coverage.SCANNED, Coverage.CACHED]
    assert len(detector.asked) == 2


async def test_what_is_remembered_is_placed_where_the_text_now_stands() -> None:
    detector, one = ScriptedDetector(look=WORD), lookout()
    (first,) = await one.look("red", [Ask(detector, window(start=0))])
    (again,) = await one.look("red", [Ask(detector, window(start=100))])

    assert [(seen.start, seen.end) for seen in first.findings] == [(2, 8)]
    assert [(seen.start, seen.end) for seen in again.findings] == [(102, 108)]


@pytest.mark.parametrize(
    "other",
    [
        Ask(ScriptedDetector(look=WORD, version="2"), window()),
        Ask(ScriptedDetector("other", WORD), window()),
        Ask(ScriptedDetector(look=WORD), window("a secret there")),
        Ask(ScriptedDetector(look=WORD), Window("a secret here", 0, 1, 13)),
        Ask(ScriptedDetector(look=WORD), Window("a secret here", 0, 0, 12)),
    ],
    ids=["version", "detector", "text", "core start", "core end"],
)
async def test_another_question_is_asked_anew(other: Ask) -> None:
    one = lookout()
    await one.look("red", [Ask(ScriptedDetector(look=WORD), window())])

    assert (await one.look("red", [other]))[0].coverage is Coverage.SCANNED


async def test_a_finding_counts_where_it_meets_the_core_and_is_cut_on_the_left_alone() -> None:
    def spans(*places: tuple[int, int]) -> Look:
        return lambda _: [(LABEL, start, end) for start, end in places]

    look = spans((0, 4), (2, 6), (5, 14), (9, 12), (10, 14), (12, 99))
    asked = Window("x" * 20, 100, 4, 10)

    (looked,) = await lookout().look("red", [Ask(ScriptedDetector(look=look), asked)])

    assert [(one.start, one.end) for one in looked.findings] == [(104, 106), (105, 114), (109, 112)]


async def test_answers_come_in_the_order_asked_however_many_batches_they_take() -> None:
    one, two = ScriptedDetector("one", WORD), ScriptedDetector("two", WORD)
    asks = [
        Ask(one if at % 3 else two, window(f"{at:02} secret", start=at * 100))
        for at in range(3 * BATCH)
    ]

    looked = await lookout().look("red", asks)

    assert [seen.start for answer in looked for seen in answer.findings] == [
        at * 100 + 3 for at in range(3 * BATCH)
    ]
    assert [answer.findings[0].detector for answer in looked] == [ask.detector.name for ask in asks]


async def test_no_batch_is_larger_than_a_budget_is_for() -> None:
    sizes: list[int] = []

    class Measured(ScriptedDetector):
        async def detect(self, windows: Sequence[Window]) -> Sequence[Sequence[Finding]]:
            sizes.append(len(windows))
            return await super().detect(windows)

    detector = Measured(reach=Reach(1, 2, 0, 0))
    await lookout().look("red", [Ask(detector, window(str(at))) for at in range(2 * BATCH + 1)])

    assert sizes == [BATCH, BATCH, 1]


async def test_no_text_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for detector in FAILING:
            await lookout().look("red", [Ask(detector, window())])

    assert "raises failed: ValueError" in caplog.text
    assert "secret" not in caplog.text


async def test_a_cancelled_look_stops_its_detectors_and_remembers_nothing_wrong() -> None:
    started, stopped = asyncio.Event(), asyncio.Event()

    async def hang() -> None:
        started.set()
        try:
            await forever()
        finally:
            stopped.set()

    one = lookout()
    detector = ScriptedDetector(look=WORD, before=hang)
    looking = asyncio.get_running_loop().create_task(one.look("red", [Ask(detector, window())]))
    await started.wait()
    looking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await looking

    assert stopped.is_set()
    (looked,) = await one.look("red", [Ask(ScriptedDetector(look=WORD), window())])
    assert looked.coverage is Coverage.SCANNED
    assert looked.findings


async def test_nothing_asked_is_nothing_seen() -> None:
    assert await lookout().look("red", []) == []


async def test_one_window_that_breaks_a_detector_is_not_its_neighbours_failure() -> None:
    def breaks_on_bomb(one: Window) -> Sequence[tuple[str, int, int]]:
        return raises(one) if "bomb" in one.text else WORD(one)

    detector = ScriptedDetector("delicate", breaks_on_bomb)
    texts = ["a secret here", "a bomb", "nothing"]

    looked = await lookout().look("red", [Ask(detector, window(text)) for text in texts])

    assert [one.coverage for one in looked] == [
        Coverage.SCANNED,
        Coverage.FAILED,
        Coverage.SCANNED,
    ]
    assert [len(one.findings) for one in looked] == [1, 1, 0]


async def test_what_only_decoding_shows_is_found_where_it_is_encoded_and_told_as_hidden() -> None:
    detector = ScriptedDetector(look=WORD)

    (looked,) = await lookout().look("red", [Ask(detector, window("a s%65cret here", start=50))])

    assert looked.coverage is Coverage.SCANNED
    assert looked.findings == (
        Finding(LABEL, 1.0, 52, 60, "scripted", "1"),
        Finding("obfuscation", 1.0, 52, 60, "obfuscation", "1"),
    )


async def test_what_the_plain_text_shows_already_is_not_told_again() -> None:
    look = finds(r"secret( a b)?", LABEL)

    (looked,) = await lookout().look(
        "red", [Ask(ScriptedDetector(look=look), window("secret%20b and secret a%20b"))]
    )

    assert [(one.label, one.start, one.end) for one in looked.findings] == [
        (LABEL, 0, 6),
        (LABEL, 15, 21),
        (LABEL, 15, 27),
        ("obfuscation", 15, 27),
    ]


async def test_what_a_reading_shows_more_surely_counts_but_was_not_hidden() -> None:
    class Sure(ScriptedDetector):
        async def detect(self, windows: Sequence[Window]) -> Sequence[Sequence[Finding]]:
            return [
                [Finding(LABEL, 0.9 if " " in one.text else 0.4, 0, len(one.text), "sure", "1")]
                for one in windows
            ]

    (looked,) = await lookout().look("red", [Ask(Sure(), window("ab%20cd"))])

    assert [(one.label, one.score) for one in looked.findings] == [(LABEL, 0.4), (LABEL, 0.9)]


async def test_a_decoded_finding_counts_where_it_meets_the_core_and_is_cut_on_the_left() -> None:
    run = "YSBzZWNyZXQgaGVyZSBub3c="
    detector = ScriptedDetector(look=WORD)
    asks = [
        Ask(detector, Window(f"so {run} .", 100, start, end))
        for start, end in ((0, 3), (0, 4), (9, 12), (26, 29), (27, 29))
    ]

    looked = await lookout().look("red", asks)

    assert [[(one.start, one.end) for one in answer.findings[:1]] for answer in looked] == [
        [],
        [(103, 127)],
        [(109, 127)],
        [(126, 127)],
        [],
    ]


async def test_readings_are_asked_for_in_batches_of_the_same_size() -> None:
    sizes: list[int] = []

    class Measured(ScriptedDetector):
        async def detect(self, windows: Sequence[Window]) -> Sequence[Sequence[Finding]]:
            sizes.append(len(windows))
            return await super().detect(windows)

    asks = [Ask(Measured(look=WORD), window(f"{at:02} s%65cret")) for at in range(BATCH)]
    asks = [Ask(asks[0].detector, one.window) for one in asks]
    looked = await lookout().look("red", asks)

    assert sizes == [BATCH, BATCH]
    assert all(len(answer.findings) == 2 for answer in looked)


async def test_a_failure_on_a_reading_is_a_failure_of_its_window_alone() -> None:
    def breaks_decoded(one: Window) -> Sequence[tuple[str, int, int]]:
        return raises(one) if "bomb" in one.text else WORD(one)

    one, detector = lookout(), ScriptedDetector("delicate", breaks_decoded)
    asks = [Ask(detector, window(text)) for text in ("secret b%6Fmb", "a secret here")]

    for again in (Coverage.SCANNED, Coverage.CACHED):
        failed, well = await one.look("red", asks)

        assert failed.coverage is Coverage.FAILED
        assert [seen.label for seen in failed.findings] == ["detector.failed.delicate", LABEL]
        assert well.coverage is again


async def test_readings_are_remembered_with_their_window() -> None:
    one, detector = lookout(), ScriptedDetector(look=WORD)
    first, again = [
        (await one.look("red", [Ask(detector, window("a s%65cret"))]))[0] for _ in range(2)
    ]

    assert (first.coverage, again.coverage) == (Coverage.SCANNED, Coverage.CACHED)
    assert first.findings == again.findings
    assert len(detector.asked) == 2


@pytest.mark.parametrize(
    ("hidden", "told"),
    [
        (((4, 4),), True),
        (((2, 2),), False),
        (((8, 8),), False),
        (((1, 3),), True),
        (((0, 2), (8, 9)), False),
        (((0, 0), (5, 7)), True),
    ],
)
async def test_a_finding_across_a_hidden_place_is_told_as_hidden(
    hidden: tuple[tuple[int, int], ...], told: bool
) -> None:
    asked = Window("a secret here", 10, 0, 13, hidden)

    (looked,) = await lookout().look("red", [Ask(ScriptedDetector(look=WORD), asked)])

    expected = [(LABEL, 12, 18)] + [("obfuscation", 12, 18)] * told
    assert [(one.label, one.start, one.end) for one in looked.findings] == expected


async def test_the_same_text_that_hides_something_is_another_question() -> None:
    one, detector = lookout(), ScriptedDetector(look=WORD)
    await one.look("red", [Ask(detector, window())])

    (looked,) = await one.look("red", [Ask(detector, Window("a secret here", 0, 0, 13, ((4, 4),)))])

    assert looked.coverage is Coverage.SCANNED
    assert len(looked.findings) == 2


async def test_what_is_told_as_hidden_is_not_told_twice() -> None:
    look = finds("secret", "obfuscation")
    asked = Window("a secret here", 0, 0, 13, ((4, 4),))

    (looked,) = await lookout().look("red", [Ask(ScriptedDetector(look=look), asked)])

    assert [one.detector for one in looked.findings] == ["scripted"]
