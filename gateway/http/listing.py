"""`GET /v1/models`: the models that a key's team may use. No text, no engine's name, no model called."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.core.errors import WardgateError
from gateway.core.model import Caller
from gateway.http.errors import answer_to
from gateway.http.inference import api_key
from gateway.http.unrouted import error_body
from gateway.surfaces.models import model_card, models_page
from gateway.wiring import Services


@dataclass(frozen=True, slots=True)
class ModelList:
    services: Services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await _answer(self.services, scope, receive, send, None)


@dataclass(frozen=True, slots=True)
class ModelCard:
    services: Services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await _answer(self.services, scope, receive, send, scope["path_params"]["name"])


async def _answer(
    services: Services, scope: Scope, receive: Receive, send: Send, name: str | None
) -> None:
    try:
        caller = await services.relay.keys.identify(api_key(scope))
        body, status = _listed(services, caller, name), 200
    except WardgateError as error:
        answer = answer_to(error)
        body, status = error_body(answer.kind, error.code, error.message), answer.status
    await Response(body, status, media_type="application/json")(scope, receive, send)


def _listed(services: Services, caller: Caller, name: str | None) -> bytes:
    models = services.relay.models
    created = int(services.started.timestamp())
    if name is None:
        return models_page(models.names(caller.team), created)
    models.named(name, caller.team)
    return model_card(name, created)
