"""The only place that knows every room: builds what the settings ask for and hands it out.

`open_records` is the store alone, for commands; `open_services` is the whole gateway. No logic here.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from datetime import UTC, datetime

from gateway.core.errors import AuditUnavailable
from gateway.core.ports import Detector, DetectorSource, Provider
from gateway.detectors.source import Detectors
from gateway.providers.fake import Fake
from gateway.providers.local import LocalModel, open_local
from gateway.providers.openai_http import OpenAIHttp, open_pool
from gateway.providers.target import Target, Timeouts
from gateway.services.clock import SystemClock
from gateway.services.closing import Closing
from gateway.services.guard import Guard
from gateway.services.holds import Holds
from gateway.services.keys import KeyService
from gateway.services.limits import Allowance, Limits, TeamAllowance
from gateway.services.looking import Lookout
from gateway.services.models import Model, Models
from gateway.services.policies import Policies, PolicySet
from gateway.services.relay import Relay
from gateway.services.scan_cache import LruScanCache
from gateway.services.sweeping import Sweeping
from gateway.services.telling import Teller
from gateway.settings import Model as ModelSettings
from gateway.settings import Settings, engine_key, environment, shipped_policies
from gateway.store.store import Store, open_store
from gateway.surfaces.census import fates, rows
from gateway.surfaces.dialects import Dialect, Dialects, dialects
from gateway.surfaces.intake import Limits as ShapeLimits
from gateway.telemetry import Telemetry, set_up

_LOG = logging.getLogger("wardgate.surfaces")


@dataclass(frozen=True, slots=True)
class Records:
    """What commands need: the store, and keys on it."""

    store: Store
    keys: KeyService


@dataclass(frozen=True, slots=True)
class Services:
    """The whole gateway, ready to serve."""

    settings: Settings
    relay: Relay
    records: Records
    telemetry: Telemetry
    detectors: tuple[Detector, ...]
    database_answers: Callable[[], Awaitable[bool]]
    local_models_run: Callable[[], bool]
    started: datetime


@asynccontextmanager
async def open_records(settings: Settings) -> AsyncGenerator[Records]:
    """The store of these settings. Raise AuditUnavailable when the database is away."""
    replica = f"{socket.gethostname()}-{secrets.token_hex(4)}"
    async with open_store(settings.database, settings.data, replica) as store:
        pepper = store.secrets.secret("api-key-pepper")
        yield Records(store, KeyService(store.keys, pepper, SystemClock()))


@asynccontextmanager
async def open_policies(settings: Settings) -> AsyncGenerator[Policies]:
    """Policies and what judges by them, without a store: for `policy check`, `test` and `explain`."""
    with closing(Detectors(settings.data)) as source:
        guard = _guard(settings, secrets.token_bytes(32), secrets.token_bytes(32))
        yield Policies(source, guard, shipped_policies())


@asynccontextmanager
async def open_services(
    settings: Settings, telemetry: Telemetry | None = None, source: DetectorSource | None = None
) -> AsyncGenerator[Services]:
    """Everything loaded and in force. Raise InvalidDocument, NotReady or AuditUnavailable.

    `telemetry` and `source` stand in for those of the settings: tests watch and break them.
    """
    told = telemetry or set_up(settings.telemetry.service_name, settings.telemetry.otlp_endpoint)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.to_thread, told.close)
        records = await stack.enter_async_context(open_records(settings))
        if source is None:
            source = stack.enter_context(closing(Detectors(settings.data)))
        secret = records.store.secrets.secret
        guard = _guard(settings, secret("scan-cache"), secret("hash-operator"))
        policies = await Policies(source, guard, shipped_policies()).load(settings.policies)
        spoken = dialects(shape_limits(settings))
        _tell(spoken)
        local = await _local_models(settings, stack)
        providers = await _providers(settings, spoken, local, stack)
        last_records = Closing(records.store.ledger)
        clock = SystemClock()
        relay = Relay(
            surfaces=spoken.surfaces,
            keys=records.keys,
            policies=policies,
            models=_models(settings, spoken, providers),
            limits=_limits(settings, clock),
            guard=guard,
            holds=Holds(records.store.reviews, secret("commitments"), clock),
            ledger=records.store.ledger,
            closing=last_records,
            teller=Teller(told.tracer, told.meter),
            clock=clock,
        )
        stack.push_async_callback(last_records.settle)
        await stack.enter_async_context(
            Sweeping(records.store.ledger, last_records, clock).running()
        )
        yield Services(
            settings,
            relay,
            records,
            told,
            _in_force(policies),
            lambda: _answers(records.store),
            lambda: all(model.running for model in local.values()),
            datetime.now(UTC),
        )


def _guard(settings: Settings, cache_secret: bytes, hash_secret: bytes) -> Guard:
    return Guard(Lookout(LruScanCache(settings.scan_cache_bytes), cache_secret), hash_secret)


def shape_limits(settings: Settings) -> ShapeLimits:
    """How large the shape of a request may be by these settings."""
    limits = settings.limits
    return ShapeLimits(
        depth=limits.depth,
        keys=limits.keys,
        messages=limits.messages,
        tools=limits.tools,
        choices=limits.choices,
    )


def surfaces(limits: ShapeLimits | None = None) -> Mapping[str, Dialect]:
    """Every dialect that Wardgate speaks, by name, each with its `census`: for tables and documents."""
    return dialects(limits).surfaces


def _tell(spoken: Dialects) -> None:
    """Each surface's counts, for whoever reads the log: what is guarded, typed, refused."""
    for name, dialect in spoken.surfaces.items():
        counts = fates(rows(dialect.census))
        told = ", ".join(f"{number} {fate}" for fate, number in counts.items())
        _LOG.info("surface %s: fields %s", name, told)


async def _providers(
    settings: Settings, spoken: Dialects, local: Mapping[str, LocalModel], stack: AsyncExitStack
) -> Mapping[str, Provider]:
    """Each model's provider, by its alias. An engine's library loads where a model needs it."""
    session = await stack.enter_async_context(open_pool())
    providers: dict[str, Provider] = {}
    for alias, model in settings.models.items():
        waits = _timeouts(settings, model)
        most = settings.upstream.reply_bytes
        codecs = spoken.codecs[model.engine]
        match model.engine:
            case "litellm":
                from gateway.providers.litellm import open_litellm  # noqa: PLC0415  takes seconds

                opened = open_litellm(codecs, _target(model), timeouts=waits, max_reply=most)
                providers[alias] = await stack.enter_async_context(opened)
            case "fake":
                providers[alias] = Fake()
            case "local":
                target = local[model.model or alias].target
                providers[alias] = OpenAIHttp(
                    session, codecs, target, timeouts=waits, max_reply=most
                )
            case "openai" | "anthropic":
                providers[alias] = OpenAIHttp(
                    session, codecs, _target(model), timeouts=waits, max_reply=most
                )
    return providers


async def _local_models(settings: Settings, stack: AsyncExitStack) -> Mapping[str, LocalModel]:
    """One server for each model that Wardgate runs itself, however many aliases it has."""
    wanted = {
        model.model or alias for alias, model in settings.models.items() if model.engine == "local"
    }
    return {name: await stack.enter_async_context(open_local(name)) for name in sorted(wanted)}


def _models(settings: Settings, spoken: Dialects, providers: Mapping[str, Provider]) -> Models:
    teams = settings.teams
    return Models(
        tuple(
            Model(
                alias,
                providers[alias],
                frozenset(spoken.codecs[model.engine]),
                model.extra,
                model.catalogue,
            )
            for alias, model in settings.models.items()
        ),
        None if teams is None else {name: team.models for name, team in teams.items()},
    )


def _limits(settings: Settings, clock: SystemClock) -> Limits:
    return Limits(
        clock,
        {
            name: TeamAllowance(
                Allowance(team.requests_per_minute, team.concurrent),
                Allowance(team.per_key.requests_per_minute, team.per_key.concurrent),
            )
            for name, team in (settings.teams or {}).items()
        },
    )


def _target(model: ModelSettings) -> Target:
    assert model.base_url is not None, "settings refuse an engine without its base_url"
    dialect = "anthropic" if model.engine == "anthropic" else "openai"
    return Target(model.base_url, model.model, engine_key(model, environment()), dialect)


def _timeouts(settings: Settings, model: ModelSettings) -> Timeouts:
    waits = model.waits(settings.upstream)
    return Timeouts(waits.connect, waits.first_byte, waits.between_chunks, waits.total)


def _in_force(policies: PolicySet) -> tuple[Detector, ...]:
    """Every detector of every policy, once."""
    return tuple(
        {
            detector.fingerprint: detector
            for policy in policies.policies
            for detector in policy.force.detectors
        }.values()
    )


async def _answers(store: Store) -> bool:
    try:
        await store.ping()
    except AuditUnavailable:
        return False
    return True
