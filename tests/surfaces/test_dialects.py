"""All the surfaces, and what each engine can be asked on."""

import orjson
import pytest

from gateway.core.errors import InvalidField
from gateway.core.ports import Codec
from gateway.http.app import ROUTES
from gateway.surfaces.census import fates, rows
from gateway.surfaces.dialects import dialects
from gateway.surfaces.intake import Limits

ALL = dialects()
MORE = {"anthropic.messages": {"max_tokens": 5}}
CONVERSING = {"openai.chat", "openai.responses", "anthropic.messages", "anthropic.count_tokens"}


def test_every_surface_has_a_route_and_every_route_a_surface():
    assert set(ROUTES.values()) == set(ALL.surfaces)
    assert all(one.name == name for name, one in ALL.surfaces.items())


def test_a_conversation_can_be_had_on_every_engine_in_every_dialect():
    for engine, codecs in ALL.codecs.items():
        assert set(codecs) >= CONVERSING, engine


def test_what_an_engine_of_openais_dialect_serves_is_all_that_asks_a_model():
    asking = {name for name, one in ALL.surfaces.items() if one.asks_model}
    assert set(ALL.codecs["openai"]) == asking
    assert set(ALL.codecs["anthropic"]) == CONVERSING


@pytest.mark.parametrize(
    ("engine", "surface", "path"),
    [
        ("openai", "openai.chat", "/chat/completions"),
        ("openai", "anthropic.messages", "/chat/completions"),
        ("openai", "openai.responses", "/chat/completions"),
        ("openai", "openai.embeddings", "/embeddings"),
        ("anthropic", "anthropic.messages", "/messages"),
        ("anthropic", "anthropic.count_tokens", "/messages/count_tokens"),
        ("anthropic", "openai.chat", "/messages"),
        ("litellm", "anthropic.messages", "/chat/completions"),
    ],
)
def test_an_engine_is_asked_in_its_own_dialect(engine, surface, path):
    codec: Codec = ALL.codecs[engine][surface]
    assert codec.path == path


@pytest.mark.parametrize("surface", ["openai.chat", "anthropic.messages", "wardgate.guard"])
def test_the_limits_hold_on_every_surface(surface):
    two = [{"role": "user", "content": "a"}] * 2
    body = orjson.dumps({"model": "m", "messages": two, **MORE.get(surface, {})})
    assert ALL.surfaces[surface].parse("c", body)
    with pytest.raises(InvalidField):
        dialects(Limits(messages=1)).surfaces[surface].parse("c", body)


def test_fates_count_every_place_once():
    for one in ALL.surfaces.values():
        assert sum(fates(rows(one.census)).values()) == len(list(rows(one.census)))
        assert fates(rows(one.census))["guarded"] > 0
