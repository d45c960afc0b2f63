"""Deltas find their tool call, whatever the engine does with index, id and name."""

from typing import Any

import pytest

from gateway.core.model import Text, ToolOpened
from gateway.surfaces.openai_chat_calls import Calls
from gateway.surfaces.openai_chat_decode import event


def entry(index=None, call_id=None, name=None, arguments=None) -> dict[str, Any]:
    told = {"index": index, "id": call_id, "function": {"name": name, "arguments": arguments}}
    return {key: value for key, value in told.items() if value is not None}


def said(*events: list[dict[str, Any]]) -> list[tuple[int, str, str, str]]:
    """Number, id, name and arguments of each call that a stream of these entries makes."""
    calls: dict[int, Calls] = {}
    told: dict[int, list[str]] = {}
    for entries in events:
        body = {"choices": [{"index": 0, "delta": {"tool_calls": entries}}]}
        for part in event(body, calls).parts:
            if isinstance(part, ToolOpened):
                one = told.setdefault(part.index, ["", "", ""])
                one[0] = one[0] or part.id
            elif isinstance(part, Text):
                _, number, field = part.slot.split(".")
                told[int(number)][["name", "arguments"].index(field) + 1] += part.text
    return [(number, told[number][0], told[number][1], told[number][2]) for number in sorted(told)]


A = (0, "c1", "send", '{"x":1}')
B = (1, "c2", "read", '{"y":2}')


SEND, READ = ("c1", "send"), ("c2", "read")
X, Y = '{"x":1}', '{"y":2}'
TWO = {
    "interleaved": [
        [entry(0, *SEND, X[:3]), entry(1, *READ, Y[:1])],
        [entry(1, arguments=Y[1:]), entry(0, arguments=X[3:])],
    ],
    "no index": [[entry(None, *SEND, X), entry(None, *READ, Y)]],
    "no index, one by one": [[entry(None, *SEND, X)], [entry(None, *READ, Y)]],
    "no index, in pieces": [
        [entry(None, *SEND, X[:3])],
        [entry(arguments=X[3:])],
        [entry(None, *READ)],
        [entry(arguments=Y)],
    ],
    "no index, together": [
        [entry(None, *SEND), entry(None, *READ)],
        [entry(arguments=X), entry(arguments=Y)],
    ],
    "by id alone": [
        [entry(None, *SEND), entry(None, *READ)],
        [entry(None, "c2", None, Y)],
        [entry(None, "c1", None, X)],
    ],
    "index always 0": [[entry(0, *SEND, X)], [entry(0, *READ, Y)]],
    "index always 0, in pieces": [
        [entry(0, *SEND)],
        [entry(0, arguments=X)],
        [entry(0, *READ)],
        [entry(0, arguments=Y)],
    ],
}


@pytest.mark.parametrize("events", TWO.values(), ids=TWO)
def test_two_calls_stay_two(events):
    assert said(*events) == [A, B]


def test_calls_without_ids_are_told_apart_by_name_and_place():
    told = said(
        [entry(None, None, "send", '{"x":1}')],
        [entry(None, None, "send", '{"x":2}')],
    )
    assert told == [(0, "", "send", '{"x":1}'), (1, "", "send", '{"x":2}')]
    told = said([entry(None, None, "a", "1"), entry(None, None, "b", "2")])
    assert told == [(0, "", "a", "1"), (1, "", "b", "2")]
    told = said([entry(0, None, "a", "1")], [entry(0, None, "b", "2")])
    assert told == [(0, "", "a", "1"), (1, "", "b", "2")]


ONE = {
    "name in pieces": [[entry(0, "c1", "se")], [entry(0, name="nd")], [entry(0, arguments=X)]],
    "all again": [[entry(0, *SEND, "")], [entry(0, *SEND, X[:5])], [entry(0, *SEND, X[5:])]],
    "name again": [[entry(0, *SEND, X[:5])], [entry(0, None, "send", X[5:])]],
    "name empty": [[entry(0, *SEND, X[:5])], [entry(0, "c1", "", X[5:])]],
    "an id for each event": [[entry(0, *SEND, X[:5])], [entry(0, "c9", None, X[5:])]],
    "id first": [[entry(0, "c1")], [entry(0, name="send")], [entry(0, arguments=X)]],
    "id first, no index": [[entry(None, "c1")], [entry(name="send")], [entry(arguments=X)]],
}


@pytest.mark.parametrize("events", ONE.values(), ids=ONE)
def test_one_call_stays_one(events):
    assert said(*events) == [A]


def test_a_number_is_the_engines_index_where_that_is_free():
    told = said([entry(1, "a", "x", "1")], [entry(1, "b", "y", "2")], [entry(2, "c", "z", "3")])
    assert [(number, call) for number, call, *_ in told] == [(1, "a"), (2, "b"), (3, "c")]
