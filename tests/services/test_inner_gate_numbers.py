"""Vectors and ranks are no text: the gate keeps their order and lets them go at the reply's end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import UpstreamBroken
from gateway.core.model import (
    Action,
    Chunk,
    Finished,
    Kind,
    Opened,
    Part,
    Rank,
    Text,
    Usage,
    Vector,
)
from gateway.services.inner_gate import InnerGate
from tests.factories import TEAM, make_force, make_guard, make_rule
from tests.fakes import ScriptedDetector, finds

pytestmark = pytest.mark.anyio

DETECTOR = ScriptedDetector(look=finds("[0-9]+", "pii.number"))
NUMBERS: st.SearchStrategy[Vector | Rank] = st.builds(
    Vector,
    st.integers(0, 9),
    st.lists(st.floats(-1, 1), min_size=1, max_size=3).map(tuple) | st.just(b"\0\0\x80?"),
) | st.builds(Rank, st.integers(0, 9), st.floats(-1, 1))


def gate(action: str = "redact", *, whole: bool = True) -> InnerGate:
    force = make_force(make_rule("pii", action), detectors=[DETECTOR])
    return InnerGate(make_guard(), force, TEAM, whole=whole)


async def through(one: InnerGate, *chunks: Chunk) -> tuple[Part, ...]:
    assert [await one.take(chunk) for chunk in chunks] == [None] * len(chunks)
    return one.end().parts


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(
    "numbers",
    [(Vector(0, (1.0, 2.0)), Vector(1, b"\0\0\x80?")), (Rank(2, 0.9), Rank(0, 0.1))],
    ids=["vectors", "ranks"],
)
async def test_a_reply_of_numbers_leaves_whole_and_as_it_came(
    numbers: tuple[Part, ...], whole: bool
) -> None:
    parts = (Opened(0), *numbers, Finished(0, "stop"), Usage(3, 0))
    one = gate("block", whole=whole)

    assert await through(one, Chunk(parts, {"id": "x"})) == parts
    assert one.end().envelope == {"id": "x"}
    assert one.action is Action.ALLOW
    assert not one.blocked
    assert one.seen() == ()


@given(st.lists(NUMBERS), st.lists(st.integers(0, 4), max_size=8))
async def test_however_they_are_cut_they_leave_in_the_order_in_which_they_came(
    numbers: list[Vector | Rank], sizes: list[int]
) -> None:
    parts: list[Part] = [Opened(0), *numbers, Finished(0, "stop"), Usage(3, 0)]
    chunks: list[Chunk] = []
    left = parts
    for size in sizes:
        chunks.append(Chunk(tuple(left[:size])))
        left = left[size:]

    assert await through(gate(), *chunks, Chunk(tuple(left))) == tuple(parts)


async def test_beside_text_they_wait_for_the_end_and_the_text_is_looked_at() -> None:
    one = gate()
    said = Text(0, "content", Kind.TEXT, "no 4111")
    parts = (Opened(0), Rank(0, 1.0), said, Finished(0, "stop"), Usage(1, 1))

    opened, *left = await through(one, Chunk(parts))
    texts = [part for part in left if isinstance(part, Text)]

    assert opened == Opened(0)
    assert "".join(part.text for part in texts) == "no <NUMBER>"
    assert left[len(texts) :] == [Rank(0, 1.0), Finished(0, "stop"), Usage(1, 1)]


async def test_numbers_whose_end_did_not_come_are_no_answer() -> None:
    one = gate()
    await one.take(Chunk((Opened(0), Vector(0, (1.0,)))))

    with pytest.raises(UpstreamBroken):
        one.end()


async def test_a_reply_that_is_cut_short_gives_none_of_them() -> None:
    one = gate("block")
    said = Text(0, "content", Kind.TEXT, "no 4111")
    await one.take(Chunk((Opened(0), Rank(0, 1.0), said, Finished(0, "stop"))))

    assert one.blocked
    assert not any(isinstance(part, Rank) for part in one.cut_short("Blocked.", 1).parts)
