"""Looking at whole passages and deciding on them: the outer gate, and the cases of policies.

It changes nothing itself: it says what was decided and what each Field would read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from gateway.core.model import Action, Finding, Kind, Media, Passage, Path, Role, Stage, dotted
from gateway.core.policy import (
    Decision,
    Judged,
    Ruling,
    decide,
    media_ruling,
    tool_rulings,
    wanted,
)
from gateway.core.ports import Detector, InForce
from gateway.core.redact import Span, apply, share
from gateway.core.strand import Due, Strand
from gateway.services.looking import Ask, Coverage, Looked, Lookout


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of one passage: rulings with offsets into it, and coverage by detector."""

    origin: str
    decision: Decision
    coverage: Mapping[str, Coverage]


@dataclass(frozen=True, slots=True)
class Examination:
    """What became of several passages. `texts` has the Fields that would read otherwise, by path.

    `shown` is what became of what is no text.
    """

    seen: tuple[Seen, ...]
    texts: Mapping[Path, str]
    shown: tuple[Seen, ...] = ()

    @property
    def all_seen(self) -> tuple[Seen, ...]:
        return (*self.seen, *self.shown)

    @property
    def decision(self) -> Decision:
        return Decision(tuple(r for one in self.all_seen for r in one.decision.rulings))

    @property
    def action(self) -> Action:
        return max((one.decision.action for one in self.all_seen), default=Action.ALLOW)

    def judged(self, passages: Sequence[Passage]) -> tuple[Judged, ...]:
        """The same beside the passages that were looked at."""
        if not self.seen:
            return tuple(Judged(passage, (), {}) for passage in passages)
        return tuple(
            Judged(passage, seen.decision.rulings, seen.coverage)
            for passage, seen in zip(passages, self.seen, strict=True)
        )


class Guard:
    """`secret` keys the `hash` operator."""

    def __init__(self, lookout: Lookout, secret: bytes) -> None:
        self.lookout = lookout
        self.secret = secret
        self._watchers: dict[tuple[str, Stage, Role, Kind], tuple[Detector, ...]] = {}

    def watchers(
        self, force: InForce, stage: Stage, role: Role, kind: Kind
    ) -> tuple[Detector, ...]:
        """The detectors whose findings some rule could use on such passages."""
        key = (force.policy.digest, stage, role, kind)
        known = self._watchers.get(key)
        if known is None:
            known = tuple(
                detector
                for detector in force.detectors
                if wanted(force.policy.rules, stage, role, kind, detector.emits)
            )
            self._watchers[key] = known
        return known

    async def examine(
        self,
        force: InForce,
        passages: Sequence[Passage],
        *,
        media: Sequence[Media] = (),
        team: str = "",
    ) -> Examination:
        """Look at all passages at once and decide on each, and on what is no text."""
        shown = tuple(_allowed(force, one) for one in media)
        if not force.detectors and not any(rule.tools for rule in force.policy.rules):
            return Examination((), {}, shown)
        watched: list[tuple[Passage, tuple[Detector, ...], Strand, list[Due]]] = []
        asks: list[Ask] = []
        for passage in passages:
            detectors = self.watchers(force, passage.stage, passage.role, passage.kind)
            strand = Strand(passage.form, [one.reach for one in detectors], self.secret)
            strand.feed(passage.text)
            strand.end()
            dues = [due for due in strand.due() if due.window is not None]
            asks.extend(Ask(detectors[due.detector], due.window) for due in dues if due.window)
            watched.append((passage, detectors, strand, dues))
        looked = iter(await self.lookout.look(team, asks))
        seen: list[Seen] = []
        texts: dict[Path, str] = {}
        for passage, detectors, strand, dues in watched:
            answers = [next(looked) for _ in dues]
            seen.append(
                _decided(force, passage, detectors, strand, list(zip(dues, answers, strict=True)))
            )
            if passage.text and seen[-1].decision.action >= Action.REDACT:
                texts.update(_rewritten(passage, strand))
        return Examination(tuple(seen), texts, shown)


def _allowed(force: InForce, media: Media) -> Seen:
    """What the policy says of something that no detector looks at, and that none has."""
    decision = Decision((media_ruling(force.policy, media),))
    return Seen(dotted(media.path), decision, coverage(force.detectors, (), ()))


def _decided(
    force: InForce,
    passage: Passage,
    detectors: Sequence[Detector],
    strand: Strand,
    looked: Sequence[tuple[Due, Looked]],
) -> Seen:
    rulings = Rulings()
    rulings.add(tool_rulings(force.policy.rules, passage))
    for due, answer in looked:
        if not answer.findings:
            strand.decide(due, ())
            continue
        own = decide(force.policy.rules, passage, answer.findings).rulings
        strand.decide(due, spans(own))
        rulings.add(placed(own, strand))
    told = [(detectors[due.detector].name, answer.coverage) for due, answer in looked]
    return Seen(passage.origin, rulings.decision, coverage(force.detectors, detectors, told))


_ORDER = (Coverage.CACHED, Coverage.SCANNED, Coverage.FAILED)


def coverage(
    every: Iterable[Detector], asked: Iterable[Detector], told: Iterable[tuple[str, Coverage]]
) -> dict[str, Coverage]:
    """Each detector's coverage of a passage, told by its worst window; no window is nothing missed."""
    names = {one.name for one in asked}
    worst: dict[str, Coverage] = {}
    for name, one in told:
        worst[name] = max(worst.get(name, one), one, key=_ORDER.index)
    return {
        one.name: worst.get(one.name, Coverage.SCANNED) if one.name in names else Coverage.NOT_RUN
        for one in every
    }


def spans(rulings: Iterable[Ruling]) -> list[Span]:
    """What is to be rewritten."""
    return [
        Span(r.finding.start, r.finding.end, r.finding.label, r.finding.score, r.operator)
        for r in rulings
        if r.action is Action.REDACT
    ]


def _rewritten(passage: Passage, strand: Strand) -> dict[Path, str]:
    released = strand.release()
    if released is None or not released.edits:
        return {}
    lengths = [len(part.text) for part in passage.fields]
    return {
        part.path: apply(part.text, edits)
        for part, edits in zip(passage.fields, share(released.edits, lengths), strict=True)
        if edits
    }


def placed(rulings: Sequence[Ruling], strand: Strand) -> tuple[Ruling, ...]:
    """The rulings with offsets into the Field's own text instead of the text looked at."""
    return tuple(_placed(ruling, *strand.place(*_span(ruling))) for ruling in rulings)


def _span(ruling: Ruling) -> tuple[int, int]:
    return ruling.finding.start, ruling.finding.end


def _placed(ruling: Ruling, start: int, end: int) -> Ruling:
    if (start, end) == _span(ruling):
        return ruling
    return replace(ruling, finding=replace(ruling.finding, start=start, end=end))


class Rulings:
    """The rulings of one passage; what two windows both saw is told once."""

    def __init__(self) -> None:
        self._rulings: list[Ruling] = []
        self._last: dict[tuple[str, str, str], int] = {}

    def add(self, rulings: Iterable[Ruling]) -> None:
        for ruling in rulings:
            key = (ruling.rule, ruling.finding.label, ruling.finding.detector)
            at = self._last.get(key)
            if at is not None and _goes_on(self._rulings[at].finding, ruling.finding):
                self._rulings[at] = _joined(self._rulings[at], ruling)
            else:
                self._last[key] = len(self._rulings)
                self._rulings.append(ruling)

    @property
    def decision(self) -> Decision:
        return Decision(tuple(self._rulings))


def _goes_on(one: Finding, other: Finding) -> bool:
    """Whether a later window's finding is the rest of what an earlier window saw."""
    return one.start < other.start < one.end <= other.end


def _joined(old: Ruling, new: Ruling) -> Ruling:
    one, other = old.finding, new.finding
    whole = replace(one, score=max(one.score, other.score), end=other.end)
    return replace(old, finding=whole)
