"""GET /v1/models, as the official client reads it."""

import orjson
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


def test_a_card_is_its_line_of_the_page():
    page = orjson.loads(models_page(["chat"], 5))
    assert orjson.loads(model_card("chat", 5)) == page["data"][0]
