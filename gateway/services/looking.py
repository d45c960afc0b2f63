"""Asking detectors about windows: the cache before them, their time budget, and their failures.

A window is looked at as it reads and as it reads decoded; both are one answer. A detector that raises
or outlasts its budget is itself a finding; nothing here decides what follows.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice

from gateway.core.decoding import VERSION, Decoded, decoded
from gateway.core.model import Finding, Window
from gateway.core.ports import Detector, Queued, ScanCache

BATCH = 32
"""Windows, readings among them, that a detector is given at once; its budget is for one batch."""
OBFUSCATION = "obfuscation"
"""What a finding is accompanied by when the text hid what was found."""
_LOG = logging.getLogger("wardgate.detectors")


class Coverage(StrEnum):
    """What became of a window; success is never inferred."""

    SCANNED = "scanned"
    CACHED = "cached"
    NOT_RUN = "not_run"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Ask:
    detector: Detector
    window: Window


@dataclass(frozen=True, slots=True)
class Looked:
    """Findings with offsets into the passage, clipped on the left to the window's core."""

    findings: tuple[Finding, ...]
    coverage: Coverage


class Lookout:
    """`secret` keys the cache; each team has a key of its own, so that a hit tells nothing across teams."""

    def __init__(self, cache: ScanCache, secret: bytes) -> None:
        self._cache = cache
        self._secret = secret

    async def look(self, team: str, asks: Sequence[Ask]) -> list[Looked]:
        """What is seen in each window, in the order asked."""
        if not asks:
            return []
        answers: list[Looked | None] = [None] * len(asks)
        # Not `hmac.digest`: it lets go of the interpreter's lock and waits for it again.
        key = hmac.new(self._secret, team.encode(), "sha256").digest()
        waiting: dict[str, list[tuple[int, bytes]]] = {}
        prints = _fingerprints(asks)
        for place, ask in enumerate(asks):
            fingerprint = prints[id(ask.detector)]
            name = _cache_key(key, fingerprint, ask.window)
            known = self._cache.get(name)
            if known is None:
                waiting.setdefault(fingerprint, []).append((place, name))
            else:
                answers[place] = Looked(_placed(ask.window, known), Coverage.CACHED)
        if waiting:
            await self._ask_all(asks, waiting, answers)
        return [answer for answer in answers if answer is not None]

    async def _ask_all(
        self,
        asks: Sequence[Ask],
        waiting: dict[str, list[tuple[int, bytes]]],
        answers: list[Looked | None],
    ) -> None:
        """Detectors side by side, the batches of one detector one after another."""

        async def one_detector(places: Sequence[tuple[int, bytes]]) -> None:
            detector = asks[places[0][0]].detector
            looks = [_Look(place, name, asks[place].window, []) for place, name in places]
            # Readings are made batch by batch, so that the loop is free in between.
            waiting = _windows(looks)
            while batch := tuple(islice(waiting, BATCH)):
                found = await _ask(detector, [window for _, window in batch])
                for (look, _), seen in zip(batch, found, strict=True):
                    look.seen.append(seen)
            for look in looks:
                answers[look.place] = self._answer(detector, look)

        await asyncio.gather(*(one_detector(places) for places in waiting.values()))

    def _answer(self, detector: Detector, look: _Look) -> Looked:
        findings = look.findings()
        if None in look.seen:
            # What one reading shows is not lost with another.
            told = (_failure(detector, look.window), *_placed(look.window, findings))
            return Looked(told, Coverage.FAILED)
        self._cache.put(look.name, findings)
        return Looked(_placed(look.window, findings), Coverage.SCANNED)


@dataclass(slots=True)
class _Look:
    """One window that a detector has not seen yet, and what it says of it and of its readings."""

    place: int
    name: bytes
    window: Window
    seen: list[tuple[Finding, ...] | None]
    readings: tuple[Decoded, ...] = ()

    def findings(self) -> tuple[Finding, ...]:
        """What all readings show, with `obfuscation` on each span of it that the text hid."""
        if len(self.seen) == 1 and not self.window.hidden:
            return self.seen[0] or ()
        plain, *others = (found or () for found in self.seen)
        only = _only_decoded(plain, zip(self.readings, others, strict=True))
        hidden = [seen for seen in plain if _hides(self.window, seen)]
        hidden += [seen for seen in only if not any(_covers(one, seen) for one in plain)]
        spans = dict.fromkeys((one.start, one.end) for one in hidden if one.label != OBFUSCATION)
        told = (Finding(OBFUSCATION, 1.0, start, end, OBFUSCATION, "1") for start, end in spans)
        return (*plain, *only, *told)


def _windows(looks: Sequence[_Look]) -> Iterator[tuple[_Look, Window]]:
    for look in looks:
        yield look, look.window
        look.readings = decoded(look.window)
        for reading in look.readings:
            yield look, reading.window


def _only_decoded(
    plain: Sequence[Finding], read: Iterable[tuple[Decoded, Sequence[Finding]]]
) -> tuple[Finding, ...]:
    """What readings alone show, or more surely, with offsets into the window."""
    known = [*plain]
    for reading, findings in read:
        for seen in findings:
            span = reading.raw(seen.start, min(seen.end, len(reading.window.text)))
            if span is None:
                continue
            moved = replace(seen, start=span[0], end=span[1])
            if not any(_covers(one, moved) and one.score >= moved.score for one in known):
                known.append(moved)
    return tuple(known[len(plain) :])


def _covers(one: Finding, other: Finding) -> bool:
    return one.label == other.label and one.start <= other.start and other.end <= one.end


def _hides(window: Window, seen: Finding) -> bool:
    """Whether a hidden place lies in the finding; between it and what is beside it is not in it."""
    return any(start < seen.end and end > seen.start for start, end in window.hidden)


async def _ask(detector: Detector, windows: Sequence[Window]) -> list[tuple[Finding, ...] | None]:
    """Findings by window; None where the detector failed.

    A batch that raises is asked again window by window: which windows share a batch depends on how
    the text arrived, and one bad window must not be the failure of its neighbours.
    """
    found, problem = await _asked(detector, windows)
    if problem and problem != _TOO_LATE and len(windows) > 1:
        found = [(await _asked(detector, [window]))[0][0] for window in windows]
    return found


_TOO_LATE = "TimeoutError"


async def _asked(
    detector: Detector, windows: Sequence[Window]
) -> tuple[list[tuple[Finding, ...] | None], str | None]:
    """What one batch gave, and the sort of error where it failed."""
    try:
        found = [tuple(seen) for seen in await _in_time(detector, windows)]
        if len(found) == len(windows):
            return [*found], None
        problem = "WrongCount"
    except Exception as error:  # noqa: BLE001 - a detector may fail in any way; a rule says what follows
        problem = type(error).__name__
    # Only the sort of error: its message could hold text of the window.
    _LOG.warning("detector %s failed: %s", detector.name, problem)
    return [None] * len(windows), problem


async def _in_time(detector: Detector, windows: Sequence[Window]) -> Sequence[Sequence[Finding]]:
    """What it finds. Raise TimeoutError when it outlasts its budget.

    Waiting behind other calls' batches is not its fault, and must not block a call because the house is
    busy: as long as its line moves, it has time.
    """
    if not isinstance(detector, Queued):
        async with asyncio.timeout(detector.budget):
            return await detector.detect(windows)
    work = asyncio.get_running_loop().create_task(detector.detect(windows))
    ended = -1
    try:
        while ended != (ended := detector.ended):
            if (await asyncio.wait({work}, timeout=detector.budget))[0]:
                return work.result()
        raise TimeoutError
    finally:
        # Nobody waits for a detector that does not let itself be cancelled; what it raises is heard
        # here, for asyncio would log its words.
        work.add_done_callback(_heard)
        work.cancel()


def _heard(work: asyncio.Task[Sequence[Sequence[Finding]]]) -> None:
    if not work.cancelled():
        work.exception()


def _failure(detector: Detector, window: Window) -> Finding:
    return Finding(
        f"detector.failed.{detector.name}",
        1.0,
        window.start + window.core_start,
        window.start + window.core_end,
        detector.name,
        detector.version,
    )


def _placed(window: Window, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Findings that meet the core, moved to the passage, clipped on the left and never on the right."""
    return tuple(
        Finding(
            seen.label,
            seen.score,
            window.start + max(seen.start, window.core_start),
            window.start + min(seen.end, len(window.text)),
            seen.detector,
            seen.version,
        )
        for seen in findings
        if seen.start < window.core_end and seen.end > window.core_start
    )


def _fingerprints(asks: Sequence[Ask]) -> dict[int, str]:
    """Each detector's fingerprint, asked for once: a detector may have to work it out."""
    detectors = {id(ask.detector): ask.detector for ask in asks}
    return {place: detector.fingerprint for place, detector in detectors.items()}


def _cache_key(key: bytes, fingerprint: str, window: Window) -> bytes:
    name = hashlib.blake2b(digest_size=20, key=key)
    head = (
        f"{fingerprint}\0{VERSION}\0{window.core_start}\0{window.core_end}\0{window.hidden or ''}\0"
    )
    name.update(head.encode())
    name.update(window.text.encode("utf-8", "surrogatepass"))
    return name.digest()
