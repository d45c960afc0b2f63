"""The walk: what becomes a Passage, and how what is wrong is named."""

import re

import pytest

from gateway.core.errors import InvalidField, UnknownField, Unsupported
from gateway.core.model import Form, Kind, Role, Stage
from gateway.surfaces.census import (
    Either,
    Flag,
    Free,
    Items,
    Keyed,
    Number,
    Object,
    Refused,
    Tagged,
    Text,
    Token,
    Whole,
    Word,
)
from gateway.surfaces.walker import Walk


def passages(node, value):
    walk = Walk()
    walk.visit(node, value, ("at",))
    return walk.passages()


def texts(node, value):
    return [passage.text for passage in passages(node, value)]


SAID = Text(Kind.TEXT)
PARTS = Items(
    Tagged(
        "type",
        {
            "text": Object({"type": Word(("text",)), "text": SAID}),
            "refusal": Object({"type": Word(("refusal",)), "refusal": Text(Kind.REFUSAL)}),
        },
    ),
    most=9,
    joined=True,
)


def part(text, kind="text"):
    return {"type": kind, kind: text}


def test_adjacent_texts_of_one_list_are_one_passage_and_other_kinds_stand_apart():
    value = [part("a"), part("b"), part("no", "refusal"), part("c")]
    found = passages(PARTS, value)
    assert [passage.text for passage in found] == ["ab", "no", "c"]
    assert [field.path for field in found[0].fields] == [("at", 0, "text"), ("at", 1, "text")]
    assert found[0].stage is Stage.INPUT


def test_texts_of_two_lists_are_never_joined():
    said = Items(Either(SAID, PARTS), most=3)
    assert texts(said, [[part("a")], [part("b")], "c"]) == ["a", "b", "c"]


def test_a_list_that_is_not_joined_gives_a_passage_for_each():
    assert texts(Items(SAID, most=2), ["a", "b"]) == ["a", "b"]


def test_empty_texts_are_no_passages():
    assert texts(Items(SAID, most=2), ["", "b"]) == ["b"]


def test_free_json_is_one_text_with_its_names():
    node = Free(Kind.METADATA, Role.USER)
    (found,) = passages(node, {"bob": [1, {"x": "y"}]})
    assert (found.text, found.form, found.kind) == (
        '{"bob":[1,{"x":"y"}]}',
        Form.JSON_VALUE,
        Kind.METADATA,
    )


def test_the_role_is_the_nearest_speakers_unless_the_text_has_its_own():
    node = Object({"said": SAID, "about": Text(Kind.METADATA, Role.USER)}, speaker=Role.ASSISTANT)
    found = passages(node, {"said": "a", "about": "b"})
    assert [passage.role for passage in found] == [Role.ASSISTANT, Role.USER]


def test_a_result_knows_the_tool_of_the_earlier_call_that_it_answers():
    call = Object({"id": Token(), "name": SAID, "arguments": SAID}, calls=("name",))
    result = Object({"to": Token(), "text": SAID}, answers="to")
    node = Object({"calls": Items(call, most=2), "results": Items(result, most=3)})
    found = passages(
        node,
        {
            "calls": [
                {"id": "1", "name": "send", "arguments": "{}"},
                {"id": "2", "name": "read", "arguments": "{}"},
            ],
            "results": [
                {"to": "2", "text": "a"},
                {"to": "1", "text": "b"},
                {"to": "3", "text": "c"},
            ],
        },
    )
    assert [(p.text, p.tool) for p in found] == [
        ("send", "send"),
        ("{}", "send"),
        ("read", "read"),
        ("{}", "read"),
        ("a", "read"),
        ("b", "send"),
        ("c", None),
    ]


def test_a_named_text_is_its_own_tool():
    (found,) = passages(Text(Kind.TOOL_NAME, named=True), "send")
    assert found.tool == "send"


def test_null_stands_for_a_field_that_is_not_required():
    assert texts(Object({"a": SAID, "b": SAID}), {"a": None, "b": "x"}) == ["x"]


WRONG = [
    (SAID, 1, "at", "a string; this is an integer"),
    (SAID, ["canary"], "at", "this is a list of 1"),
    (Text(Kind.NAME, pattern=re.compile("x+")), "canary", "at", "matching x+"),
    (Token(), "ca nary", "at", "matching"),
    (Word(("a", "b")), "canary", "at", "one of a, b"),
    (Flag(), 1, "at", "true or false"),
    (Whole(1, 9), True, "at", "an integer from 1 to 9; this is true or false"),
    (Whole(1, 9), 0, "at", "from 1"),
    (Whole(1, 9), 1.0, "at", "this is a number"),
    (Number(0, 2), 2.5, "at", "from 0 to 2"),
    (Number(0, 2), True, "at", "from 0 to 2"),
    (Number(0, 2), "1", "at", "this is a string"),
    (Free(Kind.METADATA, Role.USER), [], "at", "an object"),
    (Free(Kind.METADATA, Role.USER, mapping=False), 1, "at", "an object or a list"),
    (Object({}), [], "at", "an object"),
    (Object({"a": SAID}, required=("a",)), {}, "at.a", "is required: a string"),
    (Object({"a": SAID}, required=("a",)), {"a": None}, "at.a", "is required"),
    (Items(SAID, most=1), ["a", "b"], "at", "0 to 1 items; this is a list of 2"),
    (Items(SAID, most=1, least=1), [], "at", "1 to 1 items"),
    (Items(SAID, most=1), {}, "at", "a list"),
    (Items(SAID, most=1), [None], "at.0", "this is null"),
    (Keyed(re.compile("[0-9]"), Flag()), {"canary@x": True}, "at.?", "must match [0-9]"),
    (Keyed(re.compile("[0-9]"), Flag()), {"1": 1}, "at.1", "true or false"),
    (Keyed(re.compile("[0-9]"), Flag()), [], "at", "an object"),
    (Tagged("type", {"a": Object({})}), {"type": "canary"}, "at.type", "one of a"),
    (Tagged("type", {"a": Object({})}), {"type": ["canary"]}, "at.type", "one of a"),
    (Tagged("type", {"a": Object({})}), {}, "at.type", "this is null"),
    (Tagged("type", {"a": Object({})}), "canary", "at", "an object"),
    (Either(SAID, PARTS), {}, "at", "a string, or a list of 0 to 9 items; this is an object"),
    (Either(SAID, PARTS), None, "at", "this is null"),
]


@pytest.mark.parametrize(("node", "value", "path", "says"), WRONG)
def test_what_is_wrong_is_named_with_path_and_type_and_never_repeated(node, value, path, says):
    with pytest.raises(InvalidField, match=re.escape(says)) as caught:
        passages(node, value)
    assert caught.value.path == path
    assert f"`{path}`" in caught.value.message
    assert "nary" not in caught.value.message


@pytest.mark.parametrize(("name", "path"), [("api_base", "at.a.api_base"), ("b@c.d", "at.a.?")])
def test_a_name_that_is_not_declared_is_refused_at_any_depth(name, path):
    with pytest.raises(UnknownField) as caught:
        passages(Object({"a": Object({})}), {"a": {name: None}})
    assert caught.value.path == path
    assert "b@c.d" not in caught.value.message


def test_what_is_refused_passes_only_in_its_neutral_values():
    node = Refused("it would be kept", (False, ["text"]))
    assert texts(node, False) == texts(node, ["text"]) == []
    for value in (True, 0, "canary", ["audio"], [], {}):
        with pytest.raises(Unsupported, match="it would be kept") as caught:
            passages(node, value)
        assert caught.value.path == "at"
        assert "canary" not in caught.value.message
