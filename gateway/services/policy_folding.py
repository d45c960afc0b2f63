"""What a policy extends, folded into it: one effective policy that still knows each line's file.

Parents in order, then the policy's own lines. Pure: files are read elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from gateway.core.errors import InvalidDocument, Problem
from gateway.core.model import Path
from gateway.services.documents import Document, Place
from gateway.services.policy_media import MediaWord, media_label
from gateway.services.policy_reading import (
    AuditSection,
    HoldSection,
    MessagesSection,
    PolicyFile,
    RuleSection,
)
from gateway.services.validation import Section, suggest

S = TypeVar("S", bound=Section)

DEEPEST = 8
"""Generations of `extends`."""


@dataclass(frozen=True, slots=True)
class Written:
    """Where something was written: its document, and the path in it."""

    document: Document
    path: Path

    @property
    def place(self) -> Place:
        return self.document.at(self.path)

    def problem(self, what: str, mend: str, *under: str | int) -> Problem:
        return self.document.problem((*self.path, *under), what, mend)


@dataclass(frozen=True, slots=True)
class FoldedRule:
    section: RuleSection
    written: Written


@dataclass(frozen=True, slots=True)
class FoldedDetector:
    name: str
    options: Mapping[str, Any]
    written: Written


@dataclass(frozen=True, slots=True)
class FoldedMedia:
    """What becomes of media under `label` (`image`, `image.png`)."""

    label: str
    action: MediaWord
    written: Written


@dataclass(frozen=True, slots=True)
class Folded:
    """The effective policy: the last file's own name, scope and cases; the rest merged."""

    file: PolicyFile
    rules: tuple[FoldedRule, ...] = ()
    detectors: tuple[FoldedDetector, ...] = ()
    hold: HoldSection = field(default_factory=HoldSection)
    messages: MessagesSection = field(default_factory=MessagesSection)
    audit: AuditSection = field(default_factory=AuditSection)
    media: tuple[FoldedMedia, ...] = ()


def fold(file: PolicyFile, known: Mapping[str, PolicyFile], within: tuple[str, ...] = ()) -> Folded:
    """`file` on top of what it extends. Raise InvalidDocument."""
    folded = Folded(file)
    for index, parent in enumerate(file.section.extends):
        at = Written(file.document, ("extends", index))
        if parent in (*within, file.name):
            round_trip = " -> ".join((*within, file.name, parent))
            raise InvalidDocument(
                (at.problem(f"extends itself: {round_trip}.", "Take one of them out."),)
            )
        if len(within) >= DEEPEST:
            mend = "Extend fewer levels."
            raise InvalidDocument((at.problem(f"is more than {DEEPEST} parents deep.", mend),))
        if parent not in known:
            what, others = f"there is no policy `{parent[:64]}`.", set(known) - {file.name}
            raise InvalidDocument((at.problem(what, suggest(parent, others)),))
        folded = _onto(folded, fold(known[parent], known, (*within, file.name)))
    removed = _removed(folded, file)
    return _onto(removed, _own(file))


def _own(file: PolicyFile) -> Folded:
    section, document = file.section, file.document
    return Folded(
        file,
        tuple(
            FoldedRule(rule, Written(document, ("rules", index)))
            for index, rule in enumerate(section.rules)
        ),
        tuple(
            FoldedDetector(name, options, Written(document, ("detectors", name)))
            for name, options in section.detectors.items()
        ),
        section.hold,
        section.messages,
        section.audit,
        tuple(
            FoldedMedia(media_label(key), action, Written(document, ("media", key)))
            for key, action in section.media.items()
        ),
    )


def _onto(below: Folded, above: Folded) -> Folded:
    """`above` laid over `below`: same rule, detector or media in its old place, new ones at the end."""
    rules = {rule.section.id: rule for rule in (*below.rules, *above.rules)}
    detectors = {each.name: each for each in (*below.detectors, *above.detectors)}
    media = {each.label: each for each in (*below.media, *above.media)}
    return Folded(
        below.file,
        tuple(rules.values()),
        tuple(detectors.values()),
        _over(below.hold, above.hold),
        _over(below.messages, above.messages),
        _over(below.audit, above.audit),
        tuple(media.values()),
    )


def _over(below: S, above: S) -> S:
    """Each key that `above` has in writing wins."""
    written = {key: getattr(above, key) for key in above.model_fields_set}
    return below.model_copy(update=written)


def _removed(folded: Folded, file: PolicyFile) -> Folded:
    inherited = {rule.section.id for rule in folded.rules}
    problems: list[Problem] = []
    for index, unwanted in enumerate(file.section.remove):
        if unwanted not in inherited:
            what = f"there is no rule `{unwanted[:64]}` to remove."
            at = Written(file.document, ("remove", index))
            problems.append(at.problem(what, suggest(unwanted, inherited)))
    if problems:
        raise InvalidDocument(tuple(problems))
    kept = tuple(rule for rule in folded.rules if rule.section.id not in file.section.remove)
    return replace(folded, file=file, rules=kept)
