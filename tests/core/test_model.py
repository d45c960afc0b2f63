"""The words: how a path is written, how a passage is one text, how actions are ordered."""

from gateway.core.model import Action, Field, Kind, Passage, Role, Stage, dotted


def test_a_path_is_written_with_dots() -> None:
    assert dotted(("messages", 2, "content")) == "messages.2.content"


def test_a_passage_joins_its_fields_and_is_called_by_the_first() -> None:
    fields = tuple(
        Field(("messages", 0, "content", at, "text"), text, Role.USER, Kind.TEXT)
        for at, text in enumerate(["jo", "hn"])
    )

    passage = Passage(Stage.INPUT, fields)

    assert passage.text == "john"
    assert passage.origin == "messages.0.content.0.text"
    assert (passage.role, passage.kind, passage.tool) == (Role.USER, Kind.TEXT, None)


def test_actions_are_ordered_by_strictness() -> None:
    assert Action.ALLOW < Action.FLAG < Action.REDACT < Action.HOLD < Action.BLOCK
    assert Action.HOLD.word == "hold"
