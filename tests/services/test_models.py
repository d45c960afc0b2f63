"""Which model a client's name means, for which team."""

from __future__ import annotations

import pytest

from gateway.core.errors import ModelNotFound
from gateway.services.models import Model, Models
from tests.fakes import ScriptedProvider

ANY = ScriptedProvider()


def models(*aliases: str, allowed: dict[str, tuple[str, ...]] | None = None) -> Models:
    return Models(tuple(Model(alias, ANY) for alias in aliases), allowed)


def test_a_literal_name_goes_before_a_pattern() -> None:
    assert models("*", "lab/*", "lab/tiny").find("lab/tiny", "red").alias == "lab/tiny"


def test_patterns_go_in_the_order_of_the_file() -> None:
    assert models("lab/*", "lab/t*").find("lab/tiny", "red").alias == "lab/*"


@pytest.mark.parametrize("name", ["", "Chat", "chat ", "lab", "other/x"])
def test_a_name_that_nothing_matches_is_not_found(name: str) -> None:
    with pytest.raises(ModelNotFound):
        models("chat", "lab/*").find(name, "red")


def test_an_alias_is_no_pattern_without_a_star() -> None:
    """A client's own brackets and question marks mean nothing."""
    with pytest.raises(ModelNotFound):
        models("cha[t]").find("chat", "red")
    with pytest.raises(ModelNotFound):
        models("chat").find("cha?", "red")


def test_a_team_finds_what_it_may_use_and_nothing_else() -> None:
    some = models("chat", "lab/*", allowed={"red": ("chat",), "blue": ("lab/*",)})

    assert some.find("chat", "red").alias == "chat"
    assert some.find("lab/x", "blue").alias == "lab/*"
    for name, team in (("lab/x", "red"), ("chat", "blue"), ("chat", "unknown")):
        with pytest.raises(ModelNotFound):
            some.find(name, team)


def test_a_refusal_does_not_tell_a_forbidden_model_from_a_missing_one() -> None:
    some = models("chat", allowed={"red": ()})
    told: set[str] = set()
    for name in ("chat", "missing"):
        with pytest.raises(ModelNotFound) as refused:
            some.find(name, "red")
        told.add(refused.value.message)

    assert len(told) == 1


def test_a_team_is_told_the_literal_names_it_may_use() -> None:
    some = models("chat", "lab/*", "tiny", allowed={"red": ("*",), "blue": ("t*",)})

    assert some.names("red") == ["chat", "tiny"]
    assert some.names("blue") == ["tiny"]
    assert some.names("unknown") == []
    assert models("chat", "lab/*").names("anyone") == ["chat"]
