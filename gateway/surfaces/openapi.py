"""The published OpenAPI 3.1 document, made from the censuses, so that it cannot drift from what is taken.

It describes shapes alone; what a policy does with them it does not say. It reads no body.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

from gateway.core.model import Action
from gateway.surfaces import census
from gateway.surfaces.json_schema import Schema, schema, shape


class Described(Protocol):
    """What the document has to know of a surface."""

    @property
    def name(self) -> str: ...
    @property
    def asks_model(self) -> bool: ...
    @property
    def census(self) -> census.Object: ...
    def error(
        self, *, status: int, kind: str, code: str, message: str, path: str | None
    ) -> bytes: ...


# -- the document

_REFUSALS: Final[Mapping[int, str]] = {
    400: "The request is malformed, has an unknown field or is blocked by policy.",
    401: "The API key is missing, unknown or revoked.",
    403: "No policy applies to this team, model and route.",
    404: "The model does not exist here or is not allowed for this team.",
    408: "The request's body did not arrive in time.",
    413: "The request is larger than this gateway's limit.",
    415: "The request's body is encoded.",
    429: "A limit of this key or team is reached.",
    502: "The model server failed.",
    503: "The audit log cannot be written, so no call was made.",
    504: "The model server did not answer in time.",
}
_OF_MODELS: Final = frozenset({502, 504})
"""Refusals that only a surface that asks a model can give."""
_LATER: Final = frozenset({429, 503})
"""Refusals that say when to try again."""

_KEYS: Final = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "`Authorization: Bearer <key>`"},
    "x-api-key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
}
_TEXT: Final = {"type": "string"}
_EVENT: Final = {
    "description": "Each event of the stream; `data` is JSON, or the dialect's last word.",
    "type": "object",
    "properties": {"event": _TEXT, "data": _TEXT},
    "required": ["data"],
}
"""Until OpenAPI 3.2 a stream's `schema` is read as that of one event."""
_TOLD: Final = {
    "x-wardgate-call": {"description": "The call's id in the audit log.", "required": True},
    "x-wardgate-action": {
        "description": "What was done; on a stream, so far.",
        "required": True,
        "schema": {"type": "string", "enum": [action.word for action in Action]},
    },
    "x-wardgate-policy": {"description": "The policy, `@`, and the first 12 of its SHA-256."},
    "x-wardgate-review": {"description": "The review's id, if the answer was held."},
    "retry-after": {
        "description": "Whole seconds until another try can pass.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    },
}
_ALWAYS: Final = tuple(name for name in _TOLD if name != "retry-after")


def document(
    surfaces: Mapping[str, Described], routes: Mapping[str, str], version: str
) -> dict[str, Any]:
    """The document of these routes (path to surface) and of the few that ask for no call."""
    served = {path: surfaces[name] for path, name in routes.items()}
    paths = {path: {"post": _call(surface)} for path, surface in served.items()}
    errors = {_error_name(surface): _error(surface) for surface in served.values()}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Wardgate inference API",
            "version": version,
            "description": "Every call is looked at by policy before and after the model.",
        },
        "paths": {**paths, **_others()},
        "security": [{name: []} for name in _KEYS],
        "components": {
            "securitySchemes": _KEYS,
            "headers": {name: {"schema": _TEXT} | told for name, told in _TOLD.items()},
            "schemas": {**_requests(served.values()), **errors, "error": _LISTING_ERROR},
        },
    }


def _requests(served: Iterable[Described]) -> dict[str, Schema]:
    return {surface.name: _request(surface) for surface in served}


def _request(surface: Described) -> Schema:
    if not surface.asks_model:
        return schema(surface.census)
    says = "Other fields pass if the model's `extra` declares them."
    return schema(surface.census) | {"additionalProperties": True, "description": says}


def _call(surface: Described) -> dict[str, Any]:
    streams = "stream" in surface.census.fields
    events = {"text/event-stream": {"schema": _EVENT}} if streams else {}
    whole = {"application/json": {"schema": {"type": "object"}}}
    refusals = {
        str(status): _response(
            says, _json(_error_name(surface)), ("retry-after",) if status in _LATER else ()
        )
        for status, says in _REFUSALS.items()
        if surface.asks_model or status not in _OF_MODELS
    }
    return {
        "operationId": surface.name,
        "requestBody": {"required": True, "content": _json(surface.name)},
        "responses": {"200": _response("The answer.", whole | events), **refusals},
    }


def _response(says: str, content: Schema, more: tuple[str, ...] = ()) -> dict[str, Any]:
    told = {name: {"$ref": f"#/components/headers/{name}"} for name in (*_ALWAYS, *more)}
    return {"description": says, "headers": told, "content": content}


def _json(name: str) -> Schema:
    return {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}


# -- errors: their shape is the surface's own, so it is read off what the surface writes


def _error_name(surface: Described) -> str:
    return f"{surface.name}.error"


def _error(surface: Described) -> Schema:
    """The shape of an error: what stays the same whatever is told is the dialect's own word."""
    one = surface.error(status=400, kind="kind-a", code="code-a", message="a", path="path-a")
    other = surface.error(status=502, kind="kind-b", code="code-b", message="b", path=None)
    return shape(json.loads(one), json.loads(other))


# -- routes that carry no call


_LISTING_ERROR: Final[Schema] = {
    "type": "object",
    "properties": {
        "error": {
            "type": "object",
            "properties": {
                "message": _TEXT,
                "type": _TEXT,
                "param": {"type": ["string", "null"]},
                "code": _TEXT,
            },
            "required": ["message", "type", "param", "code"],
            "additionalProperties": False,
        }
    },
    "required": ["error"],
    "additionalProperties": False,
}
_CARD: Final[Schema] = {
    "type": "object",
    "properties": {"id": _TEXT, "object": {"const": "model"}, "created": {"type": "integer"}},
    "required": ["id", "object", "created"],
}
_PAGE: Final[Schema] = {
    "type": "object",
    "properties": {"object": {"const": "list"}, "data": {"type": "array", "items": _CARD}},
    "required": ["object", "data"],
}
_TRUTHS: Final[Schema] = {"type": "object", "additionalProperties": {"type": "boolean"}}
_NAME: Final = {"name": "name", "in": "path", "required": True, "schema": _TEXT}


def _get(name: str, answer: Schema, *refusals: int, **more: Any) -> dict[str, Any]:
    body = {"application/json": {"schema": answer}}
    told = {str(at): {"description": _REFUSALS[at], "content": _json("error")} for at in refusals}
    responses = {"200": {"description": "The answer.", "content": body}, **told}
    return {"get": {"operationId": name, "responses": responses, **more}}


def _others() -> dict[str, Any]:
    ready = _get("ready", _TRUTHS, security=[])
    ready["get"]["responses"]["503"] = {
        "description": "This replica is not ready.",
        "content": {"application/json": {"schema": _TRUTHS}},
    }
    return {
        "/v1/models": _get("models", _PAGE, 401, 503),
        "/v1/models/{name}": _get("model", _CARD, 401, 404, 503, parameters=[_NAME]),
        "/healthz": _get("alive", _TRUTHS, security=[]),
        "/readyz": ready,
        "/openapi.json": _get("document", {"type": "object"}, security=[]),
    }
