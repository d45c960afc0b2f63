"""Running the two ports in one process: they open when everything is loaded, and close in good order."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable
from contextlib import ExitStack

import uvicorn
from starlette.applications import Starlette

from gateway.core.errors import NotReady
from gateway.http.admin.app import admin_app
from gateway.http.app import inference_app
from gateway.http.protocol import BoundedConnection
from gateway.settings import Address, Limits
from gateway.wiring import Services

LEAVE = 10
"""Seconds that running calls get to end once the process is told to stop."""


class Port(uvicorn.Server):
    """A server on a socket that is bound already; its signals are handled outside, as there are two."""

    def __init__(self, app: Starlette, bound: socket.socket, limits: Limits) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                loop="none",
                http=BoundedConnection.within(limits.header_seconds, limits.stalled_seconds),
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=LEAVE,
                h11_max_incomplete_event_size=limits.header_bytes,
                proxy_headers=False,
            )
        )
        self.bound = bound
        self.address = Address(*bound.getsockname()[:2])

    async def run_quietly(self) -> None:
        """Serve until `should_exit`, without catching signals."""
        await self._serve([self.bound])


async def serve(services: Services, ready: Callable[[Address, Address], None]) -> None:
    """Serve until SIGINT or SIGTERM. `ready` hears where both ports listen, once they do.

    Raise NotReady where a port cannot be had.
    """
    settings = services.settings
    with ExitStack() as stack:
        bound = [
            stack.enter_context(_bound(name, address))
            for name, address in (
                ("listen", settings.listen),
                ("admin_listen", settings.admin_listen),
            )
        ]
        inference = Port(inference_app(services), bound[0], settings.limits)
        admin = Port(admin_app(services), bound[1], settings.limits)
        await _run(inference, admin, ready)


async def _run(inference: Port, admin: Port, ready: Callable[[Address, Address], None]) -> None:
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
            ready(inference.address, admin.address)
        await running
    finally:
        stop()


def _bound(name: str, address: Address) -> socket.socket:
    """A socket that has the address. Raise NotReady, naming the setting, where another has it."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    try:
        return socket.create_server((address.host, address.port), family=family, backlog=2048)
    except OSError as error:
        why = (error.strerror or type(error).__name__).partition(" (")[0]
        raise NotReady(
            f"`{name}`: {address} cannot be listened on ({why}). "
            "Stop what uses it, or set another address."
        ) from error
