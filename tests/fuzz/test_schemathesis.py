"""The real application from its own published document: no fault of ours, no answer it does not tell, no leak."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

import orjson
import pytest
import schemathesis
from hypothesis import given, settings
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from gateway.core.errors import BadRequest
from gateway.core.model import Call, Form
from gateway.http.app import ROUTES
from gateway.http.openapi import published
from gateway.providers.sse import EventParser
from gateway.surfaces.openapi import Described
from tests.factories import World
from tests.fuzz.echoing import Echo, echoing
from tests.fuzz.spoken import CANARY, SURFACES, spoken, streams
from tests.surfaces.from_census import COHERENT

CHECKS: list[Any] = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
MAY_FAIL = {502, 503, 504}
FEW = settings(max_examples=max(10, settings().max_examples // 8))
"""Each is a call over HTTP, and its request takes long to make."""
DOCUMENT = json.loads(published(cast("dict[str, Described]", SURFACES), ROUTES))
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT)
POSITIVE, NEGATIVE = GenerationMode.POSITIVE, GenerationMode.NEGATIVE


class Asked(NamedTuple):
    """What is sent where, and whether what is valid asks for a stream."""

    path: str
    method: str
    mode: GenerationMode
    stream: bool = False

    @property
    def told(self) -> str:
        return f"{'stream' if self.stream else self.mode.value}-{self.path}"


def asked() -> Iterator[Asked]:
    for path, item in DOCUMENT["paths"].items():
        for method, operation in item.items():
            yield Asked(path, method, POSITIVE)
            if "requestBody" in operation:
                yield Asked(path, method, NEGATIVE)
            if path in ROUTES and streams(ROUTES[path]):
                yield Asked(path, method, POSITIVE, stream=True)


EACH = pytest.mark.parametrize("what", [*asked()], ids=lambda what: what.told)
Served = tuple[World, Echo, str]
# The gateway's ids come from `random`, in the server's thread; Hypothesis takes that for the strategy's doing.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Do not use the `random` module:hypothesis.errors.HypothesisDeprecationWarning"
)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with echoing() as everything:
        yield everything


@EACH
def test_every_answer_is_one_that_the_document_tells_and_leaks_nothing(
    what: Asked, served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    path, method, mode, stream = what
    world, echo, url = served
    operation = SCHEMA[path][method.upper()]
    key = {"authorization": f"Bearer {world.key}"}
    answered: list[tuple[int, str]] = []
    echo.heard.clear()

    @FEW
    @given(operation.as_strategy(generation_mode=mode))
    def holds(case: Case[Any]) -> None:
        if path in ROUTES and isinstance(case.body, dict):
            body = cast("dict[str, Any]", case.body)
            if mode is POSITIVE:
                body = coherent(ROUTES[path], body, stream=stream)
            case.body = seeded(ROUTES[path], body)
        response = case.call(base_url=url, headers=key)
        sort = response.headers.get("content-type", [""])[0].partition(";")[0]
        answered.append((response.status_code, sort))
        assert response.status_code < 500 or response.status_code in MAY_FAIL
        case.validate_response(response, checks=CHECKS, headers=key)
        assert CANARY.encode() not in response.content
        assert CANARY not in streamed(response.content), "cut over several events"
        assert CANARY not in str(response.headers)

    with caplog.at_level(logging.DEBUG):
        holds()
    assert answered, "nothing was asked"
    assert CANARY not in caplog.text
    assert CANARY not in repr(world.store.ledger.records)
    assert not any(CANARY in one for one in echo.heard)
    if mode is POSITIVE:
        sort = "text/event-stream" if stream else "application/json"
        assert (200, sort) in answered, "what is valid is served"
        guarded = path in ROUTES and SURFACES[ROUTES[path]].asks_model
        assert any("<CANARY>" in one for one in echo.heard) is guarded, (
            "it is redacted, not left out"
        )


def test_a_canary_is_seen_where_it_is_cut_over_two_events() -> None:
    events = [{"delta": {"text": CANARY[:3]}}, {"choices": [{"delta": {"content": CANARY[3:]}}]}]
    content = b"".join(b"data: %b\n\n" % orjson.dumps(event) for event in events)

    assert CANARY.encode() not in content
    assert CANARY in streamed(content + b"data: [DONE]\n\n")


def streamed(content: bytes) -> str:
    """The text of all events on end, whatever the dialect calls it."""
    events = [_json(payload) for payload in EventParser().feed(content)]
    return "".join(said for event in events for said in _said(event))


def _json(payload: bytes) -> Any:
    return None if payload == b"[DONE]" else orjson.loads(payload)


def _said(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for name, item in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(item, str) and name in {"text", "content", "delta", "thinking"}:
                yield item
            else:
                yield from _said(item)


def coherent(surface: str, body: dict[str, Any], *, stream: bool) -> dict[str, Any]:
    """The body without fields of an engine's own, and with those that go together together."""
    known = {name: body[name] for name in body if name in spoken(surface).census.fields}
    if streams(surface):
        known["stream"] = stream
    return filled(COHERENT.get(surface, dict[str, Any])(known))


def filled(value: Any) -> Any:
    """Empty strings are what schemathesis likes best, and nobody looks at them."""
    if isinstance(value, list):
        return [filled(item) for item in value]
    if isinstance(value, dict):
        return {name: filled(item) for name, item in value.items()}
    return "text" if value == "" else value


def seeded(surface: str, body: dict[str, Any]) -> dict[str, Any]:
    """The body with a canary in every text of it; where it is no call, in every string of it."""
    try:
        call = SURFACES[surface].parse("call_1", orjson.dumps(body))
    except (BadRequest, TypeError):
        return cast("dict[str, Any]", sown(body))
    return dict(SURFACES[surface].rewrite(call, _birds(call)).body) | dict(call.unknown)


def _birds(call: Call) -> dict[Any, str]:
    """Names of tools are bound by a pattern; there a canary stands alone."""
    parts = [part for passage in call.passages for part in passage.fields]
    told = {Form.JSON_TEXT: f'{{"{CANARY}":"{CANARY}"}}', Form.JSON_VALUE: f'{{"{CANARY}":1}}'}
    return {part.path: told.get(part.form, CANARY) for part in parts}


def sown(value: Any) -> Any:
    if isinstance(value, str):
        return f"{value} {CANARY}"
    if isinstance(value, list):
        return [sown(item) for item in value]
    if isinstance(value, dict):
        return {name: sown(item) for name, item in value.items()}
    return value
