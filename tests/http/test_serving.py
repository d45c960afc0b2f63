"""Two ports in one process: they say where they listen, and a signal ends them in good order."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from typing import Any

import httpx2
import pytest

from gateway.core.errors import NotReady
from gateway.http.serving import serve
from gateway.settings import Address
from tests.factories import World, make_relay, reply
from tests.fakes import ScriptedProvider
from tests.http.edge import CHAT, make_services

ANYWHERE = {"listen": "127.0.0.1:0", "admin_listen": "127.0.0.1:0"}


class Serving:
    """A gateway that serves until SIGTERM."""

    def __init__(self, world: World) -> None:
        self.heard: asyncio.Future[tuple[Address, Address]] = (
            asyncio.get_running_loop().create_future()
        )
        services = make_services(world, settings=ANYWHERE)
        self.running = asyncio.get_running_loop().create_task(
            serve(services, lambda main, admin: self.heard.set_result((main, admin)))
        )

    async def stop(self) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(5):
            await self.running


async def test_both_ports_answer_once_they_are_announced() -> None:
    serving = Serving(await make_relay())
    main, admin = await asyncio.wait_for(serving.heard, 5)
    async with httpx2.AsyncClient() as client:
        statuses = [
            (await client.get(f"http://{address}{path}")).status_code
            for address in (main, admin)
            for path in ("/healthz", "/metrics", "/v1/models")
        ]
    await serving.stop()

    assert main.port != admin.port
    assert statuses == [200, 404, 401, 200, 200, 404]


async def test_a_call_that_runs_may_end_after_the_signal() -> None:
    go_on, begun = asyncio.Event(), asyncio.Event()

    async def wait() -> None:
        begun.set()
        await go_on.wait()

    world = await make_relay(provider=ScriptedProvider(reply("hello"), before=wait))
    serving = Serving(world)
    main, _ = await asyncio.wait_for(serving.heard, 5)
    body: Any = {"model": "chat", "messages": [{"role": "user", "content": "hi"}]}
    key = {"authorization": f"Bearer {world.key}"}

    async with httpx2.AsyncClient() as client:
        post = client.post(f"http://{main}{CHAT}", json=body, headers=key)
        calling = asyncio.get_running_loop().create_task(post)
        await begun.wait()
        stopping = asyncio.get_running_loop().create_task(serving.stop())
        await asyncio.sleep(0.05)
        go_on.set()
        response = await calling
        await stopping

    assert response.status_code == 200
    assert response.json()["choices"][0]["message"]["content"] == "hello"
    assert world.decision["outcome"] == "completed"


async def test_a_port_that_is_taken_is_named_with_its_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        services = make_services(await make_relay(), settings={**ANYWHERE, "admin_listen": address})

        with pytest.raises(NotReady, match=f"`admin_listen`: {address}"):
            await serve(services, lambda *_: None)
