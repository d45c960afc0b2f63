"""Which model a client's name means, for which team."""

from __future__ import annotations

import pytest

from gateway.core.errors import ModelNotFound, Unsupported
from gateway.services.models import Model, Models
from tests.factories import CHAT
from tests.fakes import ScriptedProvider

ANY = ScriptedProvider()


def models(*aliases: str, allowed: dict[str, tuple[str, ...]] | None = None) -> Models:
    return Models(tuple(Model(alias, ANY, CHAT) for alias in aliases), allowed)


def test_a_literal_name_goes_before_a_pattern() -> None:
    assert models("*", "lab/*", "lab/tiny").named("lab/tiny", "red").alias == "lab/tiny"


def test_patterns_go_in_the_order_of_the_file() -> None:
    assert models("lab/*", "lab/t*").named("lab/tiny", "red").alias == "lab/*"


@pytest.mark.parametrize("name", ["", "Chat", "chat ", "lab", "other/x"])
def test_a_name_that_nothing_matches_is_not_found(name: str) -> None:
    with pytest.raises(ModelNotFound):
        models("chat", "lab/*").named(name, "red")


def test_an_alias_is_no_pattern_without_a_star() -> None:
    """A client's own brackets and question marks mean nothing."""
    with pytest.raises(ModelNotFound):
        models("cha[t]").named("chat", "red")
    with pytest.raises(ModelNotFound):
        models("chat").named("cha?", "red")


def test_a_team_finds_what_it_may_use_and_nothing_else() -> None:
    some = models("chat", "lab/*", allowed={"red": ("chat",), "blue": ("lab/*",)})

    assert some.named("chat", "red").alias == "chat"
    assert some.named("lab/x", "blue").alias == "lab/*"
    for name, team in (("lab/x", "red"), ("chat", "blue"), ("chat", "unknown")):
        with pytest.raises(ModelNotFound):
            some.named(name, team)


def test_a_refusal_does_not_tell_a_forbidden_model_from_a_missing_one() -> None:
    some = models("chat", allowed={"red": ()})
    told: set[str] = set()
    for name in ("chat", "missing"):
        with pytest.raises(ModelNotFound) as refused:
            some.named(name, "red")
        told.add(refused.value.message)

    assert len(told) == 1


def test_a_model_is_refused_on_a_surface_that_its_engine_does_not_serve() -> None:
    some = models("chat")

    assert some.find("chat", "red", "openai.chat").alias == "chat"
    with pytest.raises(Unsupported, match=r"does not serve rerank\. It serves: openai\.chat") as no:
        some.find("chat", "red", "rerank")
    assert no.value.path == "model"


def test_a_team_is_told_the_literal_names_it_may_use() -> None:
    some = models("chat", "lab/*", "tiny", allowed={"red": ("*",), "blue": ("t*",)})

    assert some.names("red") == ["chat", "tiny"]
    assert some.names("blue") == ["tiny"]
    assert some.names("unknown") == []
    assert models("chat", "lab/*").names("anyone") == ["chat"]
