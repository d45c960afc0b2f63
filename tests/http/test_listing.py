"""`GET /v1/models` names what the key's team may use."""

from __future__ import annotations

import pytest

from gateway.services.models import Model, Models
from tests.factories import CHAT, TEAM
from tests.fakes import EPOCH, ScriptedProvider
from tests.http.edge import error, inference

ANY = ScriptedProvider()
SOME = Models(
    (
        Model("chat", ANY, CHAT),
        Model("lab/*", ANY, CHAT),
        Model("tiny", ANY, CHAT),
        Model("lab/one", ANY, CHAT),
    ),
    {TEAM: ("chat", "lab/*")},
)


async def test_the_list_is_the_teams_own() -> None:
    async with inference(models=SOME) as edge:
        response = await edge.client.get("/v1/models", headers=edge.key)

    assert response.status_code == 200
    body = response.json()
    assert body["object"] == "list"
    assert [one["id"] for one in body["data"]] == ["chat", "lab/one"]
    openais = {"id", "object", "created", "owned_by"}
    assert {name: body["data"][0][name] for name in openais} == {
        "id": "chat",
        "object": "model",
        "created": int(EPOCH.timestamp()),
        "owned_by": "wardgate",
    }


@pytest.mark.parametrize(("name", "status"), [("chat", 200), ("lab/any", 200), ("tiny", 404)])
async def test_one_model_can_be_asked_for(name: str, status: int) -> None:
    async with inference(models=SOME) as edge:
        response = await edge.client.get(f"/v1/models/{name}", headers=edge.key)

    assert response.status_code == status
    if status == 200:
        assert response.json()["id"] == name
    else:
        assert error(response)["code"] == "model_not_found"


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/chat"])
async def test_without_a_key_nothing_is_listed(path: str) -> None:
    async with inference(models=SOME) as edge:
        response = await edge.client.get(path)

    assert response.status_code == 401
    assert error(response)["code"] == "unknown_key"
