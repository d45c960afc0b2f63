"""GET /v1/models, as the official clients of OpenAI and of Anthropic read it."""

from datetime import UTC, datetime

import anthropic
import httpx
import httpx2
import openai
import orjson
import pytest
from anthropic.types import ModelInfo
from openai.types import Model

from gateway.surfaces.models import model_card, models_page


def test_the_page_lists_the_models_in_the_order_given():
    page = orjson.loads(models_page(["chat", "lab/a"], 1700000000))
    assert page["object"] == "list"
    read = [Model.model_validate(item, strict=True) for item in page["data"]]
    assert [(model.id, model.created) for model in read] == [
        ("chat", 1700000000),
        ("lab/a", 1700000000),
    ]


def test_anthropics_type_reads_each_line():
    page = orjson.loads(models_page(["chat"], 1700000000))
    read = ModelInfo.model_validate(page["data"][0])
    assert (read.type, read.id, read.display_name) == ("model", "chat", "chat")
    assert read.created_at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def test_a_card_is_its_line_of_the_page():
    page = orjson.loads(models_page(["chat"], 5))
    assert orjson.loads(model_card("chat", 5)) == page["data"][0]


def test_a_page_without_models_has_no_first_and_no_last():
    page = orjson.loads(models_page([], 5))
    assert page == {
        "object": "list",
        "data": [],
        "has_more": False,
        "first_id": None,
        "last_id": None,
    }


def serving(path: str) -> bytes:
    name = path.removeprefix("/v1/models").lstrip("/")
    return model_card(name, 5) if name else models_page(["a", "b", "c"], 5)


def test_the_client_of_openai_lists_all_and_gets_one():
    served = httpx.MockTransport(lambda asked: httpx.Response(200, content=serving(asked.url.path)))
    with httpx.Client(transport=served) as http:
        client = openai.OpenAI(api_key="k", base_url="http://127.0.0.1/v1", http_client=http)
        assert [model.id for model in client.models.list()] == ["a", "b", "c"]
        assert client.models.retrieve("a").owned_by == "wardgate"


@pytest.mark.parametrize("asked", [{}, {"after_id": "b"}, {"before_id": "b"}])
def test_the_client_of_anthropic_lists_all_on_one_page_and_gets_one(asked):
    served = httpx2.MockTransport(
        lambda asked: httpx2.Response(200, content=serving(asked.url.path))
    )
    with httpx2.Client(transport=served) as http:
        client = anthropic.Anthropic(api_key="k", base_url="http://127.0.0.1", http_client=http)
        assert [model.id for model in client.models.list(**asked)] == ["a", "b", "c"]
        assert client.models.retrieve("a").display_name == "a"
