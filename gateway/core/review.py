"""A held call waiting for a person: its states and what a person can say. Pure.

The full workflow (claims, second opinions, appeals) comes with its own issue; the states here are the
first of those and keep their names.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gateway.core.model import Kind, Role, Stage


class ReviewState(StrEnum):
    OPEN = "open"
    DECIDED = "decided"
    EXPIRED = "expired"


class Choice(StrEnum):
    """What a person decides: exactly one of these."""

    APPROVE = "approve"
    EDIT = "edit"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Review:
    """A held call, without its text. `commitment` is a keyed hash (hex) of the very text shown."""

    id: str
    call: str
    stage: Stage
    queue: str
    policy: str
    rules: tuple[str, ...]
    labels: tuple[str, ...]
    commitment: str = ""
    state: ReviewState = ReviewState.OPEN
    created: datetime | None = None
    due_at: datetime | None = None
    choice: Choice | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class ReviewPart:
    """One text that the reviewer sees. Rests sealed only.

    `delivered` is what the client has had already; `held` says that the hold is about this part.
    """

    path: str
    role: Role
    kind: Kind
    text: str
    held: bool
    delivered: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A person's decision. `edits` maps part paths to the text that goes instead (edit only)."""

    choice: Choice
    by: str
    reason: str | None = None
    edits: tuple[tuple[str, str], ...] = ()
