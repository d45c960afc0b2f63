"""The admin port: its pages, its headers, and no inference."""

from __future__ import annotations

import pytest

from gateway.services.telling import Teller
from gateway.telemetry import set_up
from tests.factories import make_relay, reply
from tests.fakes import ScriptedProvider
from tests.http.edge import CHAT, admin, error, make_services
from tests.services.relaying import consume, watching


async def test_metrics_are_prometheus_text_without_any_text_of_a_call() -> None:
    telemetry = set_up("wardgate")
    world = await make_relay(
        force=watching("redact"),
        provider=ScriptedProvider(reply("a secret canary")),
        teller=Teller(telemetry.tracer, telemetry.meter),
    )
    await consume(world, world.request("my secret canary"))
    async with admin(make_services(world, telemetry=telemetry)) as pages:
        response = await pages.get("/metrics")

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'wardgate_rulings_total{action="redact",label="secret.word"' in response.text
    assert "canary" not in response.text
    assert world.key[20:] not in response.text


async def test_the_start_page_carries_its_guards_against_scripts() -> None:
    async with admin(make_services(await make_relay())) as pages:
        response = await pages.get("/")

    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["content-security-policy"].startswith("default-src 'none'")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", [CHAT, "/v1/models", "/admin", "/healthz/"])
async def test_there_is_no_inference_on_the_admin_port(path: str) -> None:
    async with admin(make_services(await make_relay())) as pages:
        response = await pages.post(path, json={})

    assert response.status_code == 404
    assert error(response)["code"] == "unknown_route"


@pytest.mark.parametrize("path", ["/", "/metrics", "/healthz", "/readyz"])
async def test_pages_are_read_and_never_written(path: str) -> None:
    async with admin(make_services(await make_relay())) as pages:
        response = await pages.post(path)

    assert response.status_code == 405
    assert error(response)["code"] == "method_not_allowed"
