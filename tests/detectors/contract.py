"""What any detector must do, whatever it looks for. Subclass it with a `detector` and a `text`.

class TestMine(DetectorContract):
    text = "…something that it finds, somewhere in a few thousand code points…"

    @pytest.fixture
    def detector(self): ...
"""

import asyncio
import random
import time
from collections.abc import Iterator, Sequence

import pytest

from gateway.core.model import Finding, Window
from gateway.core.policy import covers
from gateway.core.ports import Detector
from gateway.core.windows import Known, next_cut


def windows_of(
    text: str, detector: Detector, hidden: Sequence[tuple[int, int]] = ()
) -> list[Window]:
    """The text, which is canonical, as the guard cuts it for this detector."""
    return list(_cut(Known(text, 0, ended=True, hidden=hidden), detector))


def _cut(known: Known, detector: Detector) -> Iterator[Window]:
    at = 0
    while cut := next_cut(known, at, detector.reach):
        yield cut.window
        at = cut.core_end


async def seen(detector: Detector, text: str) -> Sequence[Finding]:
    """What it finds in a text looked at as one window."""
    return (await detector.detect([Window(text, 0, 0, len(text))]))[0]


def characters(findings: Sequence[tuple[Window, Finding]]) -> set[tuple[str, int]]:
    """(label, offset in the passage) of every code point found, cut at the cores as the guard does."""
    return {
        (finding.label, window.start + place)
        for window, finding in findings
        for place in range(max(finding.start, window.core_start), finding.end)
    }


class DetectorContract:
    text: str
    """Has findings, and is longer than two windows."""
    exact = True
    """Windows lose nothing of the whole text. A model measures its loss in a test of its own."""
    hidden: Sequence[tuple[int, int]] = ()
    """Where the text hid something."""

    def windows(self, detector: Detector) -> list[Window]:
        return windows_of(self.text, detector, self.hidden)

    async def test_it_finds_something_in_the_sample(self, detector: Detector) -> None:
        assert any(await detector.detect(self.windows(detector)))

    async def test_every_window_gets_its_own_answer_even_an_empty_one(self, detector) -> None:
        windows = [Window("", 0, 0, 0), *self.windows(detector), Window(" \n", 5, 0, 2)]
        assert len(await detector.detect(windows)) == len(windows)
        assert list(await detector.detect([])) == []

    async def test_offsets_lie_in_the_window_and_meet_its_core(self, detector: Detector) -> None:
        windows = self.windows(detector)
        for window, findings in zip(windows, await detector.detect(windows), strict=True):
            for finding in findings:
                assert 0 <= finding.start < finding.end <= len(window.text)
                assert finding.start < window.core_end
                assert finding.end > window.core_start

    async def test_offsets_count_code_points_also_after_astral_and_combining_ones(
        self, detector: Detector
    ) -> None:
        plain = self.windows(detector)[0]
        lead = "\U0001f600 e\u0301 \u00df \U0001f469\u200d\U0001f4bb \u4f60\u597d . "
        by = len(lead)
        hidden = tuple((start + by, end + by) for start, end in plain.hidden)
        moved = Window(lead + plain.text, 0, by, by + plain.core_end, hidden)
        (before,), (after,) = await detector.detect([plain]), await detector.detect([moved])
        assert {(f.label, f.start + len(lead), f.end + len(lead)) for f in before} <= {
            (f.label, f.start, f.end) for f in after
        }

    async def test_a_finding_says_who_found_it_and_how_surely(self, detector: Detector) -> None:
        for findings in await detector.detect(self.windows(detector)):
            for finding in findings:
                assert (finding.detector, finding.version) == (detector.name, detector.version)
                assert 0.0 <= finding.score <= 1.0
                assert any(covers(family, finding.label) for family in detector.emits)

    async def test_a_finding_holds_no_text(self, detector: Detector) -> None:
        windows = self.windows(detector)
        for window, findings in zip(windows, await detector.detect(windows), strict=True):
            for finding in findings:
                found = window.text[finding.start : finding.end].strip()
                assert len(found) < 4 or found not in repr(finding)

    async def test_findings_do_not_depend_on_the_batch(self, detector: Detector) -> None:
        windows = self.windows(detector)
        together = [list(each) for each in await detector.detect(windows)]
        alone = [list((await detector.detect([window]))[0]) for window in windows]
        order = random.Random(7).sample(range(len(windows)), len(windows))
        shuffled = await detector.detect([windows[place] for place in order])
        again = {place: list(each) for place, each in zip(order, shuffled, strict=True)}
        assert together == alone == [again[place] for place in range(len(windows))]

    async def test_a_lone_surrogate_is_only_another_character(self, detector: Detector) -> None:
        """JSON can carry one; it must neither break the detector nor move an offset."""
        window = self.windows(detector)[0]
        odd = Window(window.text + " \ud83d .", 0, 0, window.core_end, window.hidden)
        (plain,), (found,) = await detector.detect([window]), await detector.detect([odd])
        assert {f.label for f in plain} <= {f.label for f in found}

    async def test_windows_lose_nothing_that_the_whole_text_shows(self, detector) -> None:
        if not self.exact:
            pytest.skip("a model: its loss is measured elsewhere")
        windows = self.windows(detector)
        answers = await detector.detect(windows)
        in_windows = characters(
            [(w, f) for w, found in zip(windows, answers, strict=True) for f in found]
        )
        whole = Window(self.text, 0, 0, len(self.text), tuple(self.hidden))
        (found,) = await detector.detect([whole])
        assert in_windows >= characters([(whole, f) for f in found])

    async def test_the_event_loop_goes_on_while_it_looks(self, detector: Detector) -> None:
        longest = 0.0

        async def beat() -> None:
            nonlocal longest
            while True:
                before = time.perf_counter()
                await asyncio.sleep(0)
                longest = max(longest, time.perf_counter() - before)

        pulse = asyncio.get_running_loop().create_task(beat())
        started = time.perf_counter()
        await detector.detect(windows_of(self.text * 4, detector))
        took = time.perf_counter() - started
        pulse.cancel()
        # Work on the loop would have been one beat as long as the whole.
        assert longest < max(took * 0.7, 0.05)

    async def test_what_it_declares_is_usable(self, detector: Detector) -> None:
        reach = detector.reach
        assert 0 < reach.min <= reach.max
        assert reach.before >= 0
        assert reach.after >= 0
        assert detector.budget > 0
        assert detector.emits
        assert detector.name in detector.fingerprint
        assert detector.version in detector.fingerprint
