"""Alive says that the process runs; ready says that it could serve, and nothing more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.http.app import inference_app
from tests.factories import make_relay, policies
from tests.http.edge import admin, client_of, listening, make_services

READY = {"ready": True, "weights": True, "policies": True, "database": True, "models": True}


async def no() -> bool:
    return False


async def test_alive_and_ready_on_both_ports() -> None:
    services = make_services(await make_relay())
    async with (
        admin(services) as pages,
        listening(inference_app(services)) as port,
        client_of(port) as api,
    ):
        for client in (pages, api):
            assert (await client.get("/healthz")).json() == {"alive": True}
            response = await client.get("/readyz")
            assert (response.status_code, response.json()) == (200, READY)


@pytest.mark.parametrize(
    ("name", "changes"),
    [("database", {"database_answers": no}), ("models", {"local_models_run": lambda: False})],
)
async def test_what_is_missing_makes_a_replica_unready(name: str, changes: dict[str, Any]) -> None:
    async with admin(make_services(await make_relay(), **changes)) as pages:
        response = await pages.get("/readyz")
        alive = await pages.get("/healthz")

    assert response.status_code == 503
    assert response.json() == READY | {"ready": False, name: False}
    assert alive.status_code == 200


async def test_without_policies_a_replica_is_not_ready() -> None:
    world = await make_relay()
    relay = replace(world.relay, policies=policies())
    async with admin(make_services(world, relay=relay)) as pages:
        response = await pages.get("/readyz")

    assert response.json() == READY | {"ready": False, "policies": False}
