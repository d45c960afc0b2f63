"""The published document: every route, its request as the census has it, its answers by status."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from gateway.core.errors import WardgateError
from gateway.surfaces.json_schema import schema
from gateway.surfaces.openapi import Described, document
from gateway.wiring import surfaces

SURFACES: dict[str, Described] = dict(surfaces())  # pyright: ignore[reportAssignmentType]
ROUTES = {f"/v1/{name.replace('.', '/')}": name for name in SURFACES}
DOCUMENT = document(SURFACES, ROUTES, "1.2.3")
EACH = pytest.mark.parametrize("name", sorted(SURFACES))


def operation(name: str) -> dict[str, Any]:
    (path,) = (path for path, surface in ROUTES.items() if surface == name)
    return DOCUMENT["paths"][path]["post"]


def resolved(value: Any) -> Any:
    """The document with its references followed."""
    if isinstance(value, list):
        return [resolved(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "$ref" not in value:
        return {name: resolved(item) for name, item in value.items()}
    found: Any = DOCUMENT
    for step in value["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return resolved(found)


def test_the_document_is_json_and_every_reference_leads_somewhere() -> None:
    assert json.loads(json.dumps(DOCUMENT)) == DOCUMENT
    assert resolved(DOCUMENT["paths"])
    assert DOCUMENT["openapi"] == "3.1.0"
    assert DOCUMENT["info"]["version"] == "1.2.3"


def test_every_route_has_its_operation_under_a_name_of_its_own() -> None:
    names = [one["operationId"] for path in DOCUMENT["paths"].values() for one in path.values()]

    assert ROUTES.keys() < DOCUMENT["paths"].keys()
    assert len(set(names)) == len(names)


@EACH
def test_a_request_is_what_the_census_says(name: str) -> None:
    told = resolved(operation(name)["requestBody"]["content"]["application/json"]["schema"])
    taken = schema(SURFACES[name].census)

    assert told["properties"] == taken["properties"]
    assert told.get("required") == taken.get("required")


@EACH
def test_engines_may_have_fields_of_their_own_at_the_top_alone(name: str) -> None:
    told = DOCUMENT["components"]["schemas"][name]

    assert told["additionalProperties"] is SURFACES[name].asks_model
    assert '"additionalProperties": true' not in json.dumps(told["properties"])


@EACH
def test_an_error_is_described_as_the_surface_writes_it(name: str) -> None:
    said = {"kind": "k", "code": WardgateError.code, "message": "m"}
    for status, path in ((400, "messages.0"), (502, None)):
        error = json.loads(SURFACES[name].error(status=status, path=path, **said))
        content = operation(name)["responses"]["503"]["content"]
        told = Draft202012Validator(resolved(content["application/json"]["schema"]))

        assert told.is_valid(error)
        assert not told.is_valid({})
        assert not told.is_valid({**error, "text": "leak"})


@EACH
def test_only_a_surface_that_asks_a_model_can_fail_as_one(name: str) -> None:
    assert ({"502", "504"} <= operation(name)["responses"].keys()) is SURFACES[name].asks_model


@EACH
def test_a_stream_is_told_where_there_can_be_one(name: str) -> None:
    told = operation(name)["responses"]["200"]["content"]

    assert ("text/event-stream" in told) is ("stream" in SURFACES[name].census.fields)
    if "text/event-stream" in told:
        event = Draft202012Validator(told["text/event-stream"]["schema"])
        assert event.is_valid({"event": "message", "data": "[DONE]"})
        assert not event.is_valid("data: [DONE]")


@EACH
def test_every_answer_names_its_call_and_what_was_done(name: str) -> None:
    for status, answer in operation(name)["responses"].items():
        headers = resolved(answer["headers"])
        assert headers["x-wardgate-call"]["required"]
        assert "redact" in headers["x-wardgate-action"]["schema"]["enum"]
        assert {"x-wardgate-policy", "x-wardgate-review"} <= headers.keys()
        assert ("retry-after" in headers) is (status in {"429", "503"})


def test_a_key_is_asked_for_but_where_no_key_is_read() -> None:
    open_to_all = {
        path
        for path, item in DOCUMENT["paths"].items()
        for one in item.values()
        if one.get("security") == []
    }

    assert open_to_all == {"/healthz", "/readyz", "/openapi.json"}
    assert {name for one in DOCUMENT["security"] for name in one} == {"bearer", "x-api-key"}
