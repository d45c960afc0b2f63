"""The document on the inference port: for everybody, the one in `docs/`, with every status there is."""

from __future__ import annotations

import json
from typing import Any, cast

from starlette.applications import Starlette
from starlette.routing import Route

from gateway.core import errors
from gateway.http.app import ROUTES
from gateway.http.errors import ANSWERS
from gateway.http.openapi import PATH, openapi, published
from gateway.surfaces.openapi import Described
from gateway.wiring import surfaces
from tests.http.edge import client_of, listening

SURFACES = cast("dict[str, Described]", surfaces())
NOT_A_CALLS = {errors.WardgateError, errors.InvalidDocument}
"""Errors that no client of the inference port meets: a 500 is a fault, and files are the operator's."""
OF_REVIEWS = {errors.ReviewNotFound, errors.ReviewConflict}


async def test_the_document_is_served_without_a_key() -> None:
    app = Starlette(routes=[Route(PATH, openapi(SURFACES, ROUTES), methods=["GET"])])

    async with listening(app) as port, client_of(port) as client:
        response = await client.get(PATH)

    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.content == published(SURFACES, ROUTES)


def test_every_route_is_in_the_document() -> None:
    told = json.loads(published(SURFACES, ROUTES))["paths"]

    assert ROUTES.keys() | {"/v1/models", "/v1/models/{name}", "/healthz", "/readyz", PATH} == set(
        told
    )


def test_every_status_that_a_call_can_meet_is_in_the_document_and_no_other() -> None:
    told = json.loads(published(SURFACES, ROUTES))["paths"]["/v1/chat/completions"]["post"]
    met: set[Any] = {
        str(answer.status)
        for error, answer in ANSWERS.items()
        if error not in NOT_A_CALLS | OF_REVIEWS
    }

    assert told["responses"].keys() == met | {"200"}
