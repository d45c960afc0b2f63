"""A Conversation is a value: equal when it says the same, and never changed."""

import dataclasses

import pytest

from gateway.core.conversation import Answered, Called, Conversation, Option, Said, Turn
from gateway.core.model import Role


def said(text: str) -> Conversation:
    call = Called("call_1", "look_up", "{}")
    turns = (
        Turn(Role.USER, (Said(text),)),
        Turn(Role.ASSISTANT, (call,)),
        Turn(Role.TOOL, (Answered("call_1", (Said("found"),)),)),
    )
    return Conversation(turns, options=(Option("seed", 1, "seed"),))


def test_conversations_that_say_the_same_are_equal() -> None:
    assert said("hello") == said("hello")
    assert said("hello") != said("goodbye")


def test_nothing_of_it_can_be_changed() -> None:
    one = said("hello")
    for part in (one, one.turns[0], one.turns[0].pieces[0], one.options[0]):
        field = dataclasses.fields(part)[0].name
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(part, field, None)
