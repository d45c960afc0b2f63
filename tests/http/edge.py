"""The real ports on a free port of this machine, in the loop of the test, in front of a faked house."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, cast

import httpx2
from starlette.applications import Starlette

from gateway.core.ports import Detector
from gateway.http.admin.app import admin_app
from gateway.http.app import inference_app
from gateway.http.serving import Port
from gateway.settings import Limits, Settings
from gateway.store.store import Store
from gateway.telemetry import set_up
from gateway.wiring import Records, Services
from tests.factories import World, make_relay
from tests.fakes import EPOCH

CHAT = "/v1/chat/completions"


async def _yes() -> bool:
    return True


def make_services(
    world: World,
    *,
    settings: Mapping[str, Any] | None = None,
    detectors: Sequence[Detector] = (),
    **changes: Any,
) -> Services:
    """A whole gateway around a world's relay; its store is the world's fake."""
    defaults: dict[str, Any] = {
        "settings": Settings.model_validate(settings or {}),
        "relay": world.relay,
        "records": Records(cast("Store", world.store), world.relay.keys),
        "telemetry": set_up("wardgate"),
        "detectors": tuple(detectors),
        "database_answers": _yes,
        "local_models_run": lambda: True,
        "started": EPOCH,
    }
    return Services(**(defaults | changes))


@asynccontextmanager
async def listening(app: Starlette, limits: Limits | None = None) -> AsyncGenerator[int]:
    """The app as `wardgate serve` would run it; the port it listens on.

    What uvicorn does at start and end, without the tenths of a second that it sleeps in between.
    """
    server = Port(app, socket.create_server(("127.0.0.1", 0)), limits or Limits())
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup(sockets=[server.bound])
    try:
        yield server.address.port
    finally:
        for one in server.servers:
            one.close()
        server.bound.close()
        for connection in list(server.server_state.connections):
            connection.shutdown()
        while server.server_state.connections or server.server_state.tasks:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


@dataclass
class Edge:
    """A client in front of a world."""

    world: World
    client: httpx2.AsyncClient
    port: int

    async def chat(
        self, text: str = "hello", *, headers: Mapping[str, str] | None = None, **changes: Any
    ) -> httpx2.Response:
        messages = [{"role": "user", "content": text}]
        body = {"model": "chat", "messages": messages, **changes}
        return await self.client.post(CHAT, json=body, headers=headers or self.key)

    async def send(self, content: Any, **headers: str) -> httpx2.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.post(CHAT, content=content, headers={**self.key, **named})

    @property
    def key(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.world.key}"}

    @asynccontextmanager
    async def raw(
        self, body: Mapping[str, Any], *, declares: int | None = None
    ) -> AsyncGenerator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """A request on a bare socket, which can be dropped at any time; `declares` is its length."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        content = json.dumps(body).encode()
        head = (
            f"POST {CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {self.world.key}\r\n"
            f"content-length: {declares or len(content)}\r\n\r\n"
        )
        writer.write(head.encode() + content)
        try:
            yield reader, writer
        finally:
            writer.transport.abort()


def client_of(port: int) -> httpx2.AsyncClient:
    """A client without the certificates that take longer to read than a test takes."""
    no_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", verify=no_tls)


@asynccontextmanager
async def inference(
    world: World | None = None, *, settings: Mapping[str, Any] | None = None, **parts: Any
) -> AsyncGenerator[Edge]:
    """The inference port in front of a world (made of `parts`)."""
    behind = world or await make_relay(**parts)
    services = make_services(behind, settings=settings)
    async with (
        listening(inference_app(services), services.settings.limits) as port,
        client_of(port) as client,
    ):
        yield Edge(behind, client, port)


@asynccontextmanager
async def admin(services: Services) -> AsyncGenerator[httpx2.AsyncClient]:
    """The admin port of these services."""
    async with (
        listening(admin_app(services)) as port,
        client_of(port) as client,
    ):
        yield client


def error(response: httpx2.Response) -> dict[str, Any]:
    """The error of an answer in OpenAI's shape, and nothing beside it."""
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert list(body) == ["error"]
    assert set(body["error"]) == {"message", "type", "param", "code"}
    return body["error"]


def events(text: str) -> list[Any]:
    """A stream's events in order: a dict for data, a string for a comment or `[DONE]`."""
    assert text.endswith("\n\n")
    told: list[Any] = []
    for block in text[:-2].split("\n\n"):
        if block.startswith("data: {"):
            told.append(json.loads(block.removeprefix("data: ")))
        else:
            told.append(block.removeprefix("data: "))
    return told


def content(stream: Sequence[Any]) -> str:
    """The text of choice 0."""
    return "".join(
        choice["delta"].get("content") or ""
        for one in stream
        if isinstance(one, dict)
        for choice in one.get("choices", ())
    )
