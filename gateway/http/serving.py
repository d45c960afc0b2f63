"""Running the two ports in one process: they open when everything is loaded, and close in good order."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette

from gateway.http.admin.app import admin_app
from gateway.http.app import inference_app
from gateway.http.protocol import BoundedHeads
from gateway.settings import Address
from gateway.wiring import Services

_LOG = logging.getLogger("wardgate.http")
LEAVE = 10
"""Seconds that running calls get to end once the process is told to stop."""


class _Port(uvicorn.Server):
    """A server whose signals are handled outside, because there are two of them."""

    async def run_quietly(self) -> None:
        """Serve until `should_exit`, without catching signals."""
        await self._serve()


async def serve(services: Services, ready: Callable[[Address, Address], None]) -> None:
    """Serve until SIGINT or SIGTERM. `ready` hears where both ports listen, once they do."""
    limits = services.settings.limits
    inference = _port(inference_app(services), services.settings.listen, limits.header_bytes)
    admin = _port(admin_app(services), services.settings.admin_listen, limits.header_bytes)
    ports = (inference, admin)

    def stop() -> None:
        for port in ports:
            port.should_exit = True

    loop = asyncio.get_running_loop()
    for one in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(one, stop)
    running = asyncio.gather(*(port.run_quietly() for port in ports))
    try:
        # uvicorn tells that it listens by a flag alone.
        while not all(port.started for port in ports) and not running.done():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        if not running.done():
            ready(_address(inference), _address(admin))
        await running
    finally:
        stop()


def _port(app: Starlette, address: Address, header_bytes: int) -> _Port:
    config = uvicorn.Config(
        app,
        host=address.host,
        port=address.port,
        loop="none",
        http=BoundedHeads,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        timeout_graceful_shutdown=LEAVE,
        h11_max_incomplete_event_size=header_bytes,
        proxy_headers=False,
    )
    return _Port(config)


def _address(port: _Port) -> Address:
    host, number = port.servers[0].sockets[0].getsockname()[:2]
    return Address(host, number)
