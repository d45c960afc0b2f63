"""What the guard answers: where a finding lies, what was not looked at, and never the found words."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.model import Action, Call, Field, Kind, Passage, Role, Stage
from gateway.core.policy import Judged, Judgement, Ruling
from gateway.surfaces.guard import GuardText
from tests.surfaces.judging import judgement, ruling

GUARD = GuardText()


def parse(**body: Any) -> Call:
    return GUARD.parse("c1", orjson.dumps(body))


def answered(call: Call, *rulings: tuple[Ruling, ...], rewritten: Call | None = None, **more: Any):
    return orjson.loads(GUARD.judged(rewritten or call, judgement(call, *rulings, **more)))


def in_parts(*texts: str) -> Call:
    content = [{"type": "text", "text": text} for text in texts]
    return parse(messages=[{"role": "user", "content": content}])


def test_a_text_comes_back_rewritten_with_what_was_found_and_decided():
    call = parse(text="to bob@x.example")
    found = ruling("pii.email_address", "redact", 0.5, (3, 16))
    after = GUARD.rewrite(call, {("text",): "to <EMAIL_ADDRESS>"})
    assert answered(call, (found,), rewritten=after) == {
        "object": "guard",
        "id": "c1",
        "policy": "house@0123456789ab",
        "action": "redact",
        "findings": [
            {
                "path": "text",
                "label": "pii.email_address",
                "score": 0.5,
                "start": 3,
                "end": 16,
                "detector": "pii",
                "version": "v1",
                "rule": "rule-pii.email_address",
                "action": "redact",
            }
        ],
        "coverage": {"pii": {"text": "scanned"}, "toxicity": {"text": "cached"}},
        "text": "to <EMAIL_ADDRESS>",
    }


@pytest.mark.parametrize("action", ["hold", "block"])
def test_what_redaction_would_make_of_it_is_given_even_when_it_is_refused(action):
    call = parse(messages=[{"role": "user", "content": "bob"}])
    after = GUARD.rewrite(call, {("messages", 0, "content"): "<PERSON>"})
    rulings = (ruling("pii.person", "redact"), ruling("toxicity", action))
    body = answered(call, rulings, rewritten=after)
    assert body["action"] == action
    assert body["messages"] == [{"role": "user", "content": "<PERSON>"}]
    assert "text" not in body


def test_a_finding_over_two_parts_is_told_of_each():
    call = in_parts("my b", "ob", "?")
    body = answered(call, (ruling("pii.person", span=(3, 6)),))
    where = [(row["path"], row["start"], row["end"]) for row in body["findings"]]
    assert where == [("messages.0.content.0.text", 3, 4), ("messages.0.content.1.text", 0, 2)]


@pytest.mark.parametrize(
    ("place", "where"), [(0, ("0", 0)), (1, ("0", 1)), (2, ("1", 0)), (4, ("1", 2))]
)
def test_a_finding_of_no_length_lies_in_one_part(place, where):
    (row,) = answered(in_parts("ab", "cd"), (ruling("x", span=(place, place)),))["findings"]
    assert (row["path"].split(".")[3], row["start"], row["end"]) == (*where, where[1])


def test_coverage_is_told_of_every_part_and_of_failures():
    body = answered(in_parts("a", "b"), coverage={"pii": "failed"})
    paths = ("messages.0.content.0.text", "messages.0.content.1.text")
    assert body["coverage"] == {"pii": dict.fromkeys(paths, "failed")}


def test_what_is_no_text_can_be_told_of_as_a_field_without_any():
    call = parse(text="hi")
    picture = Field(("messages", 0, "content", 1), "", Role.USER, Kind.TEXT)
    blocked = ruling("media.image.png", "block", 1.0, (0, 0), "surface")
    judged = Judged(Passage(Stage.INPUT, (picture,)), (blocked,), {"pii": "not_run"})
    body = orjson.loads(GUARD.judged(call, Judgement("p@1", Action.BLOCK, (judged,))))
    (row,) = body["findings"]
    assert (row["path"], row["label"]) == ("messages.0.content.1", "media.image.png")
    assert (row["start"], row["end"], row["action"]) == (0, 0, "block")
    assert body["coverage"] == {"pii": {"messages.0.content.1": "not_run"}}


def test_nothing_to_look_at_is_allowed_and_says_that_nobody_looked():
    body = answered(parse(text=""))
    assert (body["action"], body["findings"], body["coverage"]) == ("allow", [], {})
    assert body["text"] == ""


@given(st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=5), st.data())
def test_the_pieces_of_a_finding_are_together_the_found_text(texts, data):
    whole = "".join(texts)
    start = data.draw(st.integers(0, len(whole) - 1))
    end = data.draw(st.integers(start + 1, len(whole)))
    rows = answered(in_parts(*texts), (ruling("x", span=(start, end)),))["findings"]
    pieces = [texts[int(row["path"].split(".")[3])][row["start"] : row["end"]] for row in rows]
    assert "".join(pieces) == whole[start:end]
    assert all(pieces)
