"""The inference API: its table of routes, and the inventory that stops a start with an unguarded one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route

from gateway.http.health import healthz, readyz
from gateway.http.inference import Inference
from gateway.http.listing import ModelCard, ModelList
from gateway.http.openapi import openapi
from gateway.http.unrouted import refuse_the_rest
from gateway.wiring import Services, shape_limits, surfaces

ROUTES: Mapping[str, str] = {
    "/v1/chat/completions": "openai.chat",
    "/v1/completions": "openai.completions",
    "/v1/responses": "openai.responses",
    "/v1/embeddings": "openai.embeddings",
    "/v1/moderations": "openai.moderations",
    "/v1/messages": "anthropic.messages",
    "/v1/messages/count_tokens": "anthropic.count_tokens",
    "/v1/rerank": "rerank",
    "/v1/guard": "wardgate.guard",
}
"""Each inference route and the surface that serves it."""
OPEN = frozenset({"/healthz", "/readyz", "/openapi.json"})
"""Routes that carry no inference and ask for no key."""
LISTINGS = frozenset({"/v1/models", "/v1/models/{name:path}"})


class UnguardedRouteError(Exception):
    """A route could reach a model, or look as if it could, without the relay."""


def inference_app(services: Services) -> Starlette:
    """The application of the inference port. Raise UnguardedRouteError rather than start."""
    limits = services.settings.limits
    routes: list[BaseRoute] = [
        Route(
            path,
            Inference(
                services.relay,
                services.relay.surfaces[surface],
                limits.body_bytes,
                limits.body_seconds,
            ),
            methods=["POST"],
        )
        for path, surface in ROUTES.items()
    ]
    described = surfaces(shape_limits(services.settings))
    routes += [
        Route("/v1/models", ModelList(services), methods=["GET"]),
        Route("/v1/models/{name:path}", ModelCard(services), methods=["GET"]),
        Route("/openapi.json", openapi(described, ROUTES), methods=["GET"]),
        Route("/healthz", healthz, methods=["GET"]),
        Route("/readyz", readyz(services), methods=["GET"]),
    ]
    inventory(routes, ROUTES)
    return refuse_the_rest(Starlette(routes=routes))


def _only_reads(route: Any) -> bool:
    """Whether it answers to GET and HEAD alone; one that names no methods answers to all."""
    methods: set[str] | None = getattr(route, "methods", None)
    return bool(methods) and methods <= {"GET", "HEAD"}


def inventory(routes: Iterable[Any], guarded: Mapping[str, str]) -> dict[str, str]:
    """Every route and what serves it: the relay, or one of the few that carry no text.

    Raise UnguardedRouteError for any other, and for a route of the table that is missing.
    """
    told: dict[str, str] = {}
    for route in routes:
        path = getattr(route, "path", "?")
        endpoint = getattr(route, "endpoint", None)
        if isinstance(endpoint, Inference):
            told[path] = f"relay, as {endpoint.surface.name}"
        elif path in OPEN | LISTINGS and _only_reads(route):
            told[path] = "no inference"
        else:
            raise UnguardedRouteError(
                f"the route {path} does not go through the relay; serve it by Inference"
            )
    if missing := guarded.keys() - {
        path for path, what in told.items() if what.startswith("relay")
    }:
        raise UnguardedRouteError(f"no relay serves {', '.join(sorted(missing))}")
    return told
