"""The vocabulary: what it says of itself to people."""

import re

from gateway.core.model import Kind, Role
from gateway.surfaces.census import (
    Either,
    Flag,
    Free,
    Items,
    Keyed,
    Node,
    Number,
    Object,
    Refused,
    Row,
    Tagged,
    Text,
    Token,
    Whole,
    Word,
    rows,
)


def test_a_table_names_every_leaf_with_its_fate():
    tree = Object(
        {
            "said": Either(Text(Kind.TEXT), Items(Text(Kind.TEXT), most=2)),
            "shape": Free(Kind.RESPONSE_FORMAT, Role.SYSTEM),
            "kinds": Tagged("type", {"a": Object({"on": Flag()}), "b": Refused("no")}),
            "bias": Keyed(re.compile("[0-9]"), Whole(0, 9)),
        }
    )
    assert list(rows(tree)) == [
        Row("said", "guarded", "text"),
        Row("said[]", "guarded", "text"),
        Row("shape", "guarded", "response_format, as JSON"),
        Row("kinds<a>.on", "typed", "true or false"),
        Row("kinds<b>", "refused", "no"),
        Row("bias[]", "typed", "an integer from 0 to 9"),
    ]


def test_every_node_says_what_it_expects():
    nodes: dict[str, Node] = {
        "a string": Text(Kind.TEXT),
        "a string matching x+": Token(re.compile("x+")),
        "one of a, b": Word(("a", "b")),
        "a number from -2 to 2": Number(-2, 2),
        "a list of 0 to 3 items": Items(Flag(), most=3),
        "an object": Object({}),
        "an object or a list": Free(Kind.TEXT, Role.USER, mapping=False),
        "a string, or a list of 0 to 1 items": Either(Text(Kind.TEXT), Items(Flag(), most=1)),
        "left out": Refused("no"),
    }
    assert {node.expected: node for node in nodes.values()} == nodes


def test_typed_strings_are_too_narrow_for_prose():
    for pattern in (Token().pattern,):
        assert pattern.fullmatch("call_1")
        assert not pattern.fullmatch("write to bob")
        assert not pattern.fullmatch("call_1\n")
        assert not pattern.fullmatch("bob@corp.example")
