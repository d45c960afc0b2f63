"""Other text at the paths of a call's Fields; the call before stays as it was."""

import copy

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.surfaces.openai_chat import OpenAIChat
from gateway.surfaces.rewriting import rewritten
from tests.surfaces.from_census import PROSE, VALID, at

CHAT = OpenAIChat()


def parse(**body):
    whole = {"model": "m", "messages": [{"role": "user", "content": "hi"}], **body}
    return CHAT.parse("c1", orjson.dumps(whole))


def test_nothing_to_rewrite_gives_the_same_call():
    call = parse()
    assert rewritten(call, {}) is call


def test_body_and_passage_say_the_new_text_and_the_old_call_the_old():
    call = parse(user="bob")
    after = rewritten(call, {("messages", 0, "content"): "ho"})
    assert after.body["messages"][0]["content"] == "ho"
    assert [passage.text for passage in after.passages] == ["ho", "bob"]
    assert call.body["messages"][0]["content"] == "hi"
    assert [passage.text for passage in call.passages] == ["hi", "bob"]


def test_one_part_of_a_joined_passage_is_rewritten_alone():
    parts = [{"type": "text", "text": "call "}, {"type": "text", "text": "bob"}]
    call = parse(messages=[{"role": "user", "content": parts}])
    after = rewritten(call, {("messages", 0, "content", 1, "text"): "<PERSON>"})
    assert [passage.text for passage in after.passages] == ["call <PERSON>"]
    assert after.body["messages"][0]["content"][0] == parts[0]


def test_a_json_value_is_parsed_back():
    call = parse(metadata={"bob": "x"})
    after = rewritten(call, {("metadata",): '{"<PERSON>":"x"}'})
    assert after.body["metadata"] == {"<PERSON>": "x"}
    assert after.passages[-1].text == '{"<PERSON>":"x"}'


def test_a_json_value_that_is_broken_is_our_own_mistake_and_is_not_repeated():
    with pytest.raises(ValueError, match="`metadata` is no longer JSON") as caught:
        rewritten(parse(metadata={"bob": "x"}), {("metadata",): '{"canary'})
    assert caught.value.__context__ is None
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("path", [("model",), ("messages", 0, "role"), ("messages", 7), ()])
def test_only_the_places_of_texts_can_be_rewritten(path):
    with pytest.raises(ValueError, match="no text of this call"):
        rewritten(parse(), {path: "x"})


@given(VALID, st.data())
def test_what_is_rewritten_changes_and_nothing_else_does(body, data):
    call = CHAT.parse("c1", orjson.dumps(body))
    before = copy.deepcopy(call.body)
    fields = [part for passage in call.passages for part in passage.fields]
    chosen = data.draw(st.lists(st.sampled_from(fields), unique=True)) if fields else []
    texts = {
        part.path: data.draw(
            st.dictionaries(PROSE, PROSE).map(lambda value: orjson.dumps(value).decode())
        )
        for part in chosen
    }
    after = rewritten(call, texts)
    assert call.body == before
    rebuilt = copy.deepcopy(before)
    for part in chosen:
        text = texts[part.path]
        holder = at(rebuilt, part.path[:-1])
        holder[part.path[-1]] = orjson.loads(text) if part.form == "json_value" else text
    assert after.body == rebuilt
    assert {p.path: p.text for passage in after.passages for p in passage.fields} == {
        part.path: texts.get(part.path, part.text) for part in fields
    }
