"""Every route of the inference port goes through the relay or carries no inference."""

from __future__ import annotations

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from gateway.http.app import LISTINGS, OPEN, ROUTES, UnguardedRouteError, inference_app, inventory
from gateway.http.inference import Inference
from tests.factories import make_relay
from tests.http.edge import CHAT, error, inference, make_services


async def bare(_: Request) -> Response:
    return Response()


async def guarded(path: str = CHAT, surface: str = "openai.chat") -> Route:
    relay = (await make_relay()).relay
    return Route(path, Inference(relay, relay.surfaces[surface], 1000, 30.0), methods=["POST"])


async def test_the_inventory_names_what_serves_each_route() -> None:
    app = inference_app(make_services(await make_relay()))

    told = inventory(app.routes, ROUTES)

    relayed = {path: f"relay, as {surface}" for path, surface in ROUTES.items()}
    assert told == relayed | dict.fromkeys(OPEN | LISTINGS, "no inference")


async def test_an_unguarded_route_stops_the_start() -> None:
    for unguarded in (
        Route("/v1/embeddings", bare, methods=["POST"]),
        Route("/v1/models", bare, methods=["POST"]),
        Route("/v1/models", bare, methods=["GET", "POST"]),
        Route("/other", bare, methods=["GET"]),
        Route("/healthz", Response(), methods=None),
        Mount("/v1", routes=[await guarded("/chat/completions")]),
    ):
        with pytest.raises(UnguardedRouteError, match="Inference"):
            inventory([await guarded(), unguarded], ROUTES)


async def test_the_inventory_is_asked_at_every_start(monkeypatch: pytest.MonkeyPatch) -> None:
    services = make_services(await make_relay())
    monkeypatch.setattr("gateway.http.app.OPEN", frozenset({"/healthz", "/openapi.json"}))

    with pytest.raises(UnguardedRouteError, match="/readyz"):
        inference_app(services)


async def test_a_missing_inference_route_stops_the_start() -> None:
    with pytest.raises(UnguardedRouteError, match=CHAT):
        inventory([Route("/healthz", bare, methods=["GET"])], ROUTES)


async def test_a_guarded_route_may_have_any_path() -> None:
    routes = [await guarded(path, surface) for path, surface in ROUTES.items()]

    told = inventory([*routes, await guarded("/v2/x")], ROUTES)

    assert told["/v2/x"] == "relay, as openai.chat"


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"])
async def test_inference_is_asked_for_by_post_alone(method: str) -> None:
    async with inference() as edge:
        response = await edge.client.request(method, CHAT, headers=edge.key)

    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    if method != "HEAD":
        assert error(response)["code"] == "method_not_allowed"
    assert edge.world.provider.calls == []


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/chat/completions/", "/v1/images", "/metrics"])
async def test_what_is_not_served_is_a_404(path: str) -> None:
    async with inference() as edge:
        for method in ("GET", "POST"):
            response = await edge.client.request(method, path, headers=edge.key)
            assert response.status_code == 404
            assert error(response)["code"] == "unknown_route"
