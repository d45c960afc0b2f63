"""The seams: what services need of the rooms beside them. Protocols only; nothing here does anything.

Fakes in `tests/fakes.py` and the real things pass the same contract tests.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, runtime_checkable

from gateway.core.model import Call, Chunk, Finding, GuardedCall, Receipt, Window
from gateway.core.policy import Judgement, Policy
from gateway.core.records import Record
from gateway.core.review import Review, ReviewPart, Verdict


@dataclass(frozen=True, slots=True)
class Reach:
    """How a detector wants text cut, in code points (ARCHITECTURE part 4).

    A core is `min` to `max` long; a window adds `before` and `after` it for context. A finding that
    ends where its window does, in the middle of a word, goes on to the word's end, `run_on` at most.
    """

    min: int
    max: int
    before: int
    after: int
    run_on: int = 0


class Detector(Protocol):
    """Looks at windows and reports. Never decides, never edits, keeps no text."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> str:
        """Library and model with their versions; part of every Finding and cache key."""
        ...

    @property
    def emits(self) -> tuple[str, ...]:
        """The labels, or families of labels, that it can report: `("pii",)`."""
        ...

    @property
    def fingerprint(self) -> str:
        """Name, version and options in one string: equal fingerprints give equal findings."""
        ...

    @property
    def reach(self) -> Reach: ...

    @property
    def budget(self) -> float:
        """Seconds that one batch may take; longer is `detector.failed.<name>`."""
        ...

    async def detect(self, windows: Sequence[Window]) -> Sequence[Sequence[Finding]]:
        """Findings of each window, offsets into its text. Off the event loop; batch-independent."""
        ...


@runtime_checkable
class Queued(Protocol):
    """What a Detector is too whose batches wait in a line, perhaps behind other calls'."""

    @property
    def ended(self) -> int:
        """Batches that the line has done with. While it grows, nobody's budget runs out by waiting."""
        ...


class DetectorSource(Protocol):
    """Builds detectors by name. Weights are loaded once and shared."""

    def names(self) -> Sequence[str]: ...
    def build(self, name: str, options: Mapping[str, Any]) -> Detector:
        """Raise ValueError, saying what was expected, when name or options are wrong."""
        ...


@dataclass(frozen=True, slots=True)
class InForce:
    """A policy with its detectors built and loaded, in the policy's order."""

    policy: Policy
    detectors: tuple[Detector, ...]


class ScanCache(Protocol):
    """Findings by keyed hash. Holds offsets and scores, never text; bounded in bytes."""

    def get(self, key: bytes) -> tuple[Finding, ...] | None: ...
    def put(self, key: bytes, findings: tuple[Finding, ...]) -> None: ...


class EventReader(Protocol):
    """Reads one stream of a model server, event by event. Raises UpstreamFailed, UpstreamBroken."""

    @property
    def ended(self) -> bool:
        """Whether the dialect's own last event was read; one that ends in `[DONE]` has none."""
        ...

    def read(self, event: Mapping[str, Any]) -> Chunk: ...


class Codec(Protocol):
    """A model server's dialect: a Call to its body, and its answer to Chunks. Raises UpstreamFailed.

    `encode` raises Unsupported for an option that the dialect cannot express.
    """

    @property
    def path(self) -> str:
        """Where under the engine's base URL, such as `/chat/completions`."""
        ...

    def encode(self, call: Call, model: str) -> dict[str, Any]: ...
    def decode_whole(self, body: Mapping[str, Any], call: Call) -> Chunk:
        """A whole answer to this call. Raise UpstreamFailed where it answers something else."""
        ...

    def events(self) -> EventReader:
        """What reads one stream."""
        ...


class Provider(Protocol):
    """What runs the model. A whole reply is a stream of one chunk.

    Raises UpstreamFailed, UpstreamTimeout, UpstreamBroken. Closing the generator cancels the
    model's work. A stream that ends without its terminator raises UpstreamBroken.
    """

    def complete(self, guarded: GuardedCall) -> AsyncGenerator[Chunk, None]: ...


class Surface(Protocol):
    """An API dialect: wire body to Fields, and back. The only thing that knows the JSON."""

    @property
    def name(self) -> str: ...
    @property
    def asks_model(self) -> bool:
        """Whether it is a ModelSurface; otherwise it is a JudgingSurface."""
        ...

    def parse(self, call_id: str, body: bytes) -> Call:
        """Raise BadRequest naming the path; unknown fields go into `Call.unknown`."""
        ...

    def admit_extra(self, call: Call, extra: Mapping[str, str], /) -> Call:
        """The call with its unknown fields checked against the model's `extra` (name to type).

        Raise UnknownField for what `extra` does not declare; text in extras becomes passages.
        """
        ...

    def rewrite(self, call: Call, texts: Mapping[tuple[str | int, ...], str]) -> Call:
        """The call with the text at each Field's path replaced, in body and passages."""
        ...

    def error(
        self, *, status: int, kind: str, code: str, message: str, path: str | None
    ) -> bytes: ...


class StreamWriter(Protocol):
    """Writes one stream; remembers of it what its dialect has to say again."""

    def event(self, chunk: Chunk) -> bytes:
        """Zero or more complete wire events; every part once."""
        ...

    def done(self, comment: str) -> bytes:
        """The stream's end: what is left to say, the comment line, the dialect's terminator."""
        ...

    def error(self, *, kind: str, code: str, message: str) -> bytes:
        """An error inside the stream; no terminator follows it."""
        ...


class ModelSurface(Surface, Protocol):
    """A dialect whose answers a model gives."""

    def whole(self, call: Call, chunks: Sequence[Chunk]) -> bytes: ...
    def writer(self, call: Call) -> StreamWriter: ...


class JudgingSurface(Surface, Protocol):
    """A dialect that answers with what was decided on the call's own text; no model is called."""

    def judged(self, call: Call, judgement: Judgement) -> bytes:
        """`call` is as rewritten; the judgement has the passages as they came."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """A record to append, and what it does to the set of open calls."""

    record: Record
    opens: bool = False
    closes: bool = False


class Ledger(Protocol):
    """The audit log. Append is durable when it returns; otherwise it raises AuditUnavailable.

    An entry that `opens` makes its call open; one that `closes` needs it open and ends it, once.
    """

    async def append(self, entry: Entry) -> Receipt: ...
    async def close_abandoned(self, *, now: datetime) -> int:
        """Close the open calls of replicas whose lease has lapsed as interrupted; how many."""
        ...

    async def heartbeat(self) -> None:
        """Renew this replica's lease."""
        ...


@dataclass(frozen=True, slots=True)
class StoredKey:
    """An API key as the store knows it; `digest` is a keyed hash, never the key."""

    id: str
    digest: bytes
    team: str
    owner: str | None
    created: datetime
    revoked: bool = False


class Keys(Protocol):
    async def find(self, key_id: str) -> StoredKey | None: ...
    async def add(self, key: StoredKey, entry: Entry) -> None:
        """Store the key and append its record in one transaction."""
        ...

    async def count(self) -> int: ...


class Reviews(Protocol):
    """Held calls. Each method is one transaction with its record; clocks are the database's."""

    async def open(
        self, review: Review, wait: float, parts: Sequence[ReviewPart], entry: Entry
    ) -> None:
        """Store the review, due `wait` seconds from now, its parts sealed, and append the record."""
        ...

    async def get(self, review_id: str) -> Review:
        """Raise ReviewNotFound. A review past its time is given as `expired` and stored so."""
        ...

    async def parts(self, review_id: str) -> tuple[ReviewPart, ...]: ...
    async def list(self, state: str | None = None) -> Sequence[Review]: ...
    async def decide(self, review_id: str, verdict: Verdict, entry: Entry) -> Review:
        """Open to decided, exactly once; otherwise ReviewConflict naming the state."""
        ...

    async def verdict(self, review_id: str) -> Verdict | None:
        """The decision with its edited text, if there is one."""
        ...


class Sealer(Protocol):
    """AES-256-GCM with a key per payload, wrapped by the key-encryption key."""

    def seal(self, plain: bytes, *, bound_to: str) -> bytes: ...
    def unseal(self, sealed: bytes, *, bound_to: str) -> bytes: ...


class Audit(Protocol):
    """Reading the log, in order of sequence, from a snapshot."""

    def entries(self, after: int = 0) -> AsyncGenerator[tuple[int, bytes, bytes], None]:
        """(seq, exact stored bytes, leaf hash) of every record with seq > `after`."""
        ...


class Clock(Protocol):
    def now(self) -> datetime:
        """The time in UTC."""
        ...

    def monotonic(self) -> float: ...
