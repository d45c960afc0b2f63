"""`wardgate serve`: the gateway on its two ports, in this process, until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable
from pathlib import Path

import click
import uvloop

from gateway.cli._configuration import config_option, settings_of
from gateway.http.serving import serve as serve_ports
from gateway.settings import Address, Settings
from gateway.wiring import Services, open_services

_LOG = logging.getLogger("wardgate.policies")
QUESTION = "Answer in one sentence: what is the capital of France?"


@click.command()
@config_option
@click.option(
    "--welcome", is_flag=True, help="Make a key and print how to try this gateway with curl."
)
@click.option("--workers", type=click.IntRange(1), default=1, show_default=True)
def serve(config: Path | None, workers: int, *, welcome: bool) -> None:
    """Serve the inference API and, on its own port, the admin pages."""
    if workers > 1:
        raise click.BadParameter("more than one worker is not yet supported.")
    settings = settings_of(config)
    _log(settings)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, welcome=welcome))


async def _serve(settings: Settings, *, welcome: bool) -> None:
    async with open_services(settings) as services:
        for warning in services.relay.policies.warnings:
            _LOG.warning("%s", warning)
        greeting: Callable[[Address, Address], None] = lambda main, admin: _say(  # noqa: E731
            f"Wardgate serves http://{main}/v1 (admin: http://{admin}/)"
        )
        if welcome:
            key = await services.records.keys.create(_team(settings))
            greeting = lambda main, admin: _welcome(services, key, main, admin)  # noqa: E731
        await serve_ports(services, greeting)


def _team(settings: Settings) -> str:
    return next(iter(settings.teams or ()), "default")


def _say(line: str) -> None:
    click.echo(line)
    sys.stdout.flush()


def _welcome(services: Services, key: str, main: Address, admin: Address) -> None:
    """Where everything is, and two lines to paste."""
    model = next((alias for alias in services.settings.models if "*" not in alias), "chat")
    body = f'{{"model": "{model}", "messages": [{{"role": "user", "content": "{QUESTION}"}}]%s}}'
    curl = (
        f"curl -s{{}} http://{main}/v1/chat/completions -H 'Authorization: Bearer {key}'"
        " -H 'Content-Type: application/json' -d '{}'"
    )
    versions = dict.fromkeys(f"\n    {one.name}: {one.version}" for one in services.detectors)
    detectors = "".join(versions)
    _say(
        f"""
Wardgate is ready.

  Inference API   http://{main}/v1
  Admin           http://{admin}/
  API key         {key}   (shown once)
  Detectors{detectors}

Try it:

  {curl.format("", body % "")}

and as a stream:

  {curl.format("N", body % ', "stream": true')}
"""
    )


def _log(settings: Settings) -> None:
    """Log lines go to stderr: what happened, by whom, never what was said."""
    logging.basicConfig(
        stream=sys.stderr,
        level=settings.log_level.upper(),
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    # Libraries that would log a URL or a body at `info` or `debug` say only what went wrong.
    for loud in ("uvicorn", "asyncio", "alembic", "sqlalchemy", "presidio-analyzer"):
        logging.getLogger(loud).setLevel("WARNING")
