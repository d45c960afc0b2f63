"""Words of the house with defaults, and a whole relay of fakes: what tests begin with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from opentelemetry.metrics import NoOpMeter
from opentelemetry.trace import NoOpTracer

from gateway.core.model import (
    Action,
    Call,
    Caller,
    Chunk,
    Field,
    Finished,
    Form,
    Kind,
    Opened,
    Part,
    Passage,
    Path,
    Role,
    Stage,
    Text,
    Usage,
)
from gateway.core.policy import AppliesTo, DetectorSpec, Hold, Messages, Policy, Rule
from gateway.core.ports import Detector, InForce, Provider
from gateway.services.closing import Closing
from gateway.services.guard import Guard
from gateway.services.holds import Holds
from gateway.services.keys import KeyService
from gateway.services.limits import Limits, TeamAllowance
from gateway.services.looking import Lookout
from gateway.services.models import Model, Models
from gateway.services.policies import LoadedPolicy, PolicySet
from gateway.services.relay import Relay, Request
from gateway.services.scan_cache import LruScanCache
from gateway.services.telling import Teller
from gateway.surfaces.dialects import dialects
from tests.fakes import HandClock, ScriptedProvider, Tap, TappedLedger
from tests.fakes_store import FakeStore

TEAM = "red"
CALLER = Caller("0123456789abcdef", TEAM)
DIALECTS = dialects()
CHAT = frozenset({"openai.chat"})
"""What an engine serves that is asked for nothing else."""
BLOCKED = "Blocked by policy."
HELD = "Held by policy."


def make_field(
    text: str = "hello",
    *,
    path: Path = ("messages", 0, "content"),
    role: Role = Role.USER,
    kind: Kind = Kind.TEXT,
    form: Form = Form.PLAIN,
    tool: str | None = None,
) -> Field:
    return Field(path, text, role, kind, form, tool)


def make_passage(*fields: Field | str, stage: Stage = Stage.INPUT) -> Passage:
    """A passage of fields, or of texts at `messages.0.content.<n>`."""
    made = tuple(
        one if isinstance(one, Field) else make_field(one, path=("messages", 0, "content", at))
        for at, one in enumerate(fields)
    )
    return Passage(stage, made)


def make_call(**changes: Any) -> Call:
    call = Call(
        id="call_1",
        surface="openai.chat",
        model="chat",
        body={"model": "chat", "messages": [{"role": "user", "content": "hello"}]},
        passages=(make_passage(make_field()),),
    )
    return replace(call, **changes)


def make_rule(label: str | None = "pii", action: str = "redact", **changes: Any) -> Rule:
    """A rule `<label>-<action>`; `label=None` for a rule on tools alone."""
    labels = () if label is None else (label,)
    return replace(Rule(f"{label}-{action}", Action[action.upper()], labels), **changes)


def make_force(
    *rules: Rule, detectors: Sequence[Detector] = (), hold: Hold | None = None, name: str = "house"
) -> InForce:
    """A policy that applies to everything, under a digest of its own."""
    told = repr((name, rules, [one.fingerprint for one in detectors], hold))
    policy = Policy(
        name=name,
        digest=hashlib.sha256(told.encode()).hexdigest(),
        applies_to=AppliesTo(),
        detectors=tuple(DetectorSpec(one.name) for one in detectors),
        rules=rules,
        hold=hold or Hold(),
        messages=Messages(BLOCKED, HELD),
    )
    return InForce(policy, tuple(detectors))


def make_guard(cache_bytes: int = 0) -> Guard:
    return Guard(Lookout(LruScanCache(cache_bytes), b"c" * 32), b"s" * 32)


def reply(*texts: str, slot: str = "content", kind: Kind = Kind.TEXT) -> list[Chunk]:
    """A reply of one choice in one chunk for each text, its end in the last chunk."""
    chunks = [Chunk((Opened(0), Text(0, slot, kind, texts[0])))]
    chunks += [Chunk((Text(0, slot, kind, text),)) for text in texts[1:]]
    tail: tuple[Part, ...] = (Finished(0, "stop"), Usage(5, 7))
    return [*chunks[:-1], Chunk((*chunks[-1].parts, *tail))]


def policies(*forces: InForce) -> PolicySet:
    """Policies as if loaded; where their lines were written is nobody's matter here."""
    return PolicySet(tuple(LoadedPolicy(force, cast("Any", None)) for force in forces))


def body(text: str = "hello", **changes: Any) -> bytes:
    """A chat request with one user message."""
    messages = [{"role": "user", "content": text}]
    return json.dumps({"model": "chat", "messages": messages, **changes}).encode()


@dataclass
class World:
    """A relay and what it stands on. `key` is a key of TEAM."""

    relay: Relay
    store: FakeStore
    clock: HandClock
    provider: ScriptedProvider
    key: str

    @property
    def kinds(self) -> list[str]:
        """The kinds of all records of calls, in order."""
        return [one.kind for one in self.store.ledger.records if one.kind != "key.created"]

    def records(self, kind: str) -> list[Mapping[str, Any]]:
        """The details of all records of this kind."""
        return [one.detail for one in self.store.ledger.records if one.kind == kind]

    @property
    def decision(self) -> Mapping[str, Any]:
        """The one decision there is."""
        (only,) = self.records("inference.decision")
        return only

    def request(self, text: str = "hello", **changes: Any) -> Request:
        return Request(self.key, "openai.chat", body(text, **changes))


@dataclass
class Parts:
    """What a relay may be made of; what is left out is a fake that lets everything pass."""

    force: InForce = field(default_factory=make_force)
    provider: Provider | None = None
    tap: Tap | None = None
    """What stands before the ledger."""
    teams: Mapping[str, TeamAllowance] = field(default_factory=dict[str, TeamAllowance])
    models: Models | None = None
    teller: Teller | None = None
    cache_bytes: int = 0


async def make_relay(parts: Parts | None = None, **named: Any) -> World:
    """A relay of `parts`, or of parts by name."""
    made = parts or Parts(**named)
    clock, store = HandClock(), FakeStore()
    keys = KeyService(store.keys, b"p" * 32, clock)
    provider = made.provider or ScriptedProvider(reply("hello ", "you"))
    ledger = TappedLedger(made.tap, store.ledger) if made.tap else store.ledger
    relay = Relay(
        surfaces=DIALECTS.surfaces,
        keys=keys,
        policies=policies(made.force),
        models=made.models or Models((Model("chat", provider, frozenset(DIALECTS.surfaces)),)),
        limits=Limits(clock, made.teams),
        guard=make_guard(made.cache_bytes),
        holds=Holds(store.reviews, b"h" * 32, clock),
        ledger=ledger,
        closing=Closing(ledger),
        teller=made.teller or Teller(NoOpTracer(), NoOpMeter("test")),
        clock=clock,
    )
    key = await keys.create(TEAM)
    return World(relay, store, clock, cast("ScriptedProvider", provider), key)
