"""The one frozen Settings, built once from wardgate.yaml and the environment, then handed down.

The only file that reads the environment. Nothing is read at import; no engine's key is kept here.
"""

from __future__ import annotations

import fnmatch
import os
import pathlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, PlainValidator, model_validator

import gateway
from gateway.core.errors import InvalidDocument, Problem
from gateway.services import documents
from gateway.services.overrides import override
from gateway.services.quantities import Duration, Glob, Name, Size
from gateway.services.validation import Section, UnfitError, kind_of, validate

DEFAULT_FILE = "wardgate.yaml"


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen. Port 0 lets the machine choose."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _address(value: Any) -> Address:
    if isinstance(value, Address):
        return value
    host, colon, port = value.rpartition(":") if isinstance(value, str) else ("", "", "")
    if not host or not colon or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        mend = "Write host and port, such as `127.0.0.1:8080` or `[::1]:8080`."
        raise UnfitError(f"expected host:port, got {kind_of(value)}.", mend)
    return Address(host.removeprefix("[").removesuffix("]"), int(port))


def _engine_url(value: Any) -> str:
    parts = urlsplit(value) if isinstance(value, str) else None
    if parts is None or parts.scheme not in {"http", "https"} or not parts.hostname:
        mend = "Write `http://` or `https://`, the host, the port and the path, often `/v1`."
        raise UnfitError(f"expected a URL, got {kind_of(value)}.", mend)
    if parts.username or parts.password or parts.query or parts.fragment:
        mend = "Give the key by `api_key_file` or `api_key_env`, and no `?` or `#`."
        raise UnfitError("a base URL holds no key, query or fragment.", mend)
    return str(value).rstrip("/")


def _database(value: Any) -> str:
    starts = ("sqlite:///", "postgresql://")
    if not isinstance(value, str) or not value.startswith(starts) or value in starts:
        mend = "Write `sqlite:///` and a path, or `postgresql://user@host/database`."
        raise UnfitError(f"expected a database URL, got {kind_of(value)}.", mend)
    return value


Listen: TypeAlias = Annotated[Address, PlainValidator(_address)]
EngineUrl: TypeAlias = Annotated[str, BeforeValidator(_engine_url)]
DatabaseUrl: TypeAlias = Annotated[str, BeforeValidator(_database)]
Count: TypeAlias = Annotated[int, Field(ge=1, le=2**31 - 1)]


class Timeouts(Section):
    """What a model's own `timeouts` change of `upstream`; in seconds."""

    connect: Duration | None = None
    first_byte: Duration | None = None
    between_chunks: Duration | None = None
    total: Duration | None = None


class Upstream(Section):
    """How long a model server may take, in seconds, and how much it may answer, in bytes."""

    connect: Duration = 3.0
    first_byte: Duration = 180.0
    between_chunks: Duration = 30.0
    total: Duration = 600.0
    reply_bytes: Size = 16 * 1024**2


class Model(Section):
    """A model that clients may name: which engine runs it and what it is called there."""

    engine: Literal["openai", "anthropic", "litellm", "local", "fake"]
    base_url: EngineUrl | None = None
    model: Annotated[str, Field(min_length=1)] | None = None
    catalogue: Annotated[str, Field(min_length=1)] | None = None
    extra: Mapping[str, Literal["integer", "number", "boolean", "text"]] = Field(
        default_factory=dict[str, Literal["integer", "number", "boolean", "text"]]
    )
    api_key_file: pathlib.Path | None = None
    api_key_env: Annotated[str, Field(min_length=1)] | None = None
    timeouts: Timeouts = Timeouts()

    @model_validator(mode="after")
    def _fits_its_engine(self) -> Model:
        remote = self.engine in {"openai", "anthropic", "litellm"}
        if remote and self.base_url is None:
            # Without one, LiteLLM takes text to whichever vendor the model's prefix names.
            mend = "Add `base_url: http://…` of your own model server."
            raise UnfitError(f"engine `{self.engine}` needs a base_url.", mend)
        for key in ("base_url", "api_key_file", "api_key_env"):
            if not remote and getattr(self, key) is not None:
                what = f"engine `{self.engine}` calls no server."
                raise UnfitError(what, f"Remove `{key}`, or change the engine.", at=(key,))
        if self.api_key_file is not None and self.api_key_env is not None:
            raise UnfitError("has two sources of its key.", "Keep one.", at=("api_key_env",))
        return self

    def waits(self, upstream: Upstream) -> Upstream:
        """`upstream` with this model's own timeouts in it."""
        return upstream.model_copy(update=self.timeouts.model_dump(exclude_none=True))


class Rates(Section):
    """At most so many requests in a minute, and so many at once. Absent: no limit."""

    requests_per_minute: Count | None = None
    concurrent: Count | None = None


class Team(Rates):
    """What a team may use, all of its keys together and (`per_key`) each of them."""

    models: tuple[Glob, ...] = ("*",)
    per_key: Rates = Rates()


class Limits(Section):
    """How large a request may be before it is refused, and how long a client may keep us waiting."""

    body_bytes: Size = 2 * 1024**2
    body_seconds: Duration = 30.0
    header_bytes: Size = 64 * 1024
    header_seconds: Duration = 20.0
    stalled_seconds: Duration = 120.0
    depth: Count = 64
    keys: Count = 10_000
    messages: Count = 2_000
    choices: Count = 16
    tools: Count = 256


class Telemetry(Section):
    """Where spans and metrics go. Without an endpoint, nothing leaves."""

    otlp_endpoint: EngineUrl | None = None
    service_name: Name = "wardgate"


def _everything_embedded() -> Mapping[str, Model]:
    return {"chat": Model(engine="local", model="smollm2-135m")}


class Settings(Section):
    """Everything that an operator can set. Paths are absolute once `load_settings` is done."""

    listen: Listen = Address("127.0.0.1", 8080)
    admin_listen: Listen = Address("127.0.0.1", 8081)
    database: Annotated[DatabaseUrl, Field(repr=False)] = "sqlite:///var/wardgate.db"
    data: pathlib.Path = pathlib.Path("var")
    policies: pathlib.Path = pathlib.Path("policies")
    models: Annotated[Mapping[Glob, Model], Field(min_length=1)] = Field(
        default_factory=_everything_embedded
    )
    teams: Mapping[Name, Team] | None = None
    limits: Limits = Limits()
    upstream: Upstream = Upstream()
    telemetry: Telemetry = Telemetry()
    scan_cache_bytes: Size = 64 * 1024**2
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @model_validator(mode="after")
    def _holds_together(self) -> Settings:
        if self.listen.port == self.admin_listen.port != 0:
            what = "is the port of `listen` too; pages and inference never share one."
            raise UnfitError(what, "Give `admin_listen` another port.", at=("admin_listen",))
        for name, team in (self.teams or {}).items():
            for index, wanted in enumerate(team.models):
                if not _some_model(wanted, self.models):
                    listed = ", ".join(f"`{alias}`" for alias in sorted(self.models)[:30])
                    at = ("teams", name, "models", index)
                    raise UnfitError("names no model.", f"Known here: {listed}.", at=at)
        return self


def _some_model(wanted: str, models: Mapping[str, Model]) -> bool:
    return any(fnmatch.fnmatchcase(wanted, m) or fnmatch.fnmatchcase(m, wanted) for m in models)


def environment() -> Mapping[str, str]:
    """The process's environment, as it is now."""
    return dict(os.environ)


def shipped_policies() -> pathlib.Path:
    """The policy packs that come with Wardgate: in the wheel, or beside a checkout's package."""
    package = pathlib.Path(gateway.__file__).parent
    packed = package / "policies"
    return packed if packed.is_dir() else package.parent / "policies"


def load_settings(path: pathlib.Path | None, environ: Mapping[str, str]) -> Settings:
    """Settings from `path`, else ./wardgate.yaml, else the defaults; then WARDGATE_… on top.

    Raise InvalidDocument with every problem: unknown keys and variables, wrong types, values
    that do not fit together.
    """
    default = pathlib.Path(DEFAULT_FILE)
    file = path if path is not None else default if default.is_file() else None
    read = documents.read(file) if file else documents.parse(b"", DEFAULT_FILE)
    document = override(read, environ, Settings)
    settings = validate(document, Settings)
    folder = file.parent if file else pathlib.Path()
    return _with_absolute_paths(settings, folder.absolute())


def _with_absolute_paths(settings: Settings, folder: pathlib.Path) -> Settings:
    policies = folder / settings.policies
    if "policies" not in settings.model_fields_set and not policies.is_dir():
        policies = shipped_policies()
    changed: dict[str, Any] = {
        "data": folder / settings.data,
        "policies": policies,
        "models": {name: _with_key_file(m, folder) for name, m in settings.models.items()},
    }
    if settings.database.startswith("sqlite:///"):
        file = settings.database.removeprefix("sqlite:///")
        changed["database"] = f"sqlite:///{folder / file}"
    return settings.model_copy(update=changed)


def _with_key_file(model: Model, folder: pathlib.Path) -> Model:
    if model.api_key_file is None:
        return model
    return model.model_copy(update={"api_key_file": folder / model.api_key_file})


def engine_key(model: Model, environ: Mapping[str, str]) -> str | None:
    """The key for a model's server, read now and never kept in Settings. Raise InvalidDocument."""
    if model.api_key_file is not None:
        return _key_in(model.api_key_file)
    if model.api_key_env is None:
        return None
    key = environ.get(model.api_key_env, "").strip()
    if not key:
        raise InvalidDocument(
            (Problem("environment", 1, f"{model.api_key_env} is not set.", "Set it to the key."),)
        )
    return key


def _key_in(file: pathlib.Path) -> str:
    try:
        key = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        key = ""
    if not key:
        what, mend = "holds no key that can be read.", "Write the key in it, readable by Wardgate."
        raise InvalidDocument((Problem(str(file), 1, what, mend),))
    return key
