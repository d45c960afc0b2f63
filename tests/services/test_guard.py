"""What the outer gate says of whole passages: coverage, rulings in the Field's own offsets, texts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.model import Action, Finding, Form, Kind, Role, Stage, Window
from gateway.core.policy import Ruling
from gateway.core.ports import Reach
from gateway.core.redact import Mask, Replace
from gateway.services.guard import Rulings, coverage
from gateway.services.looking import Coverage
from tests.factories import make_field, make_force, make_guard, make_passage, make_rule
from tests.fakes import ScriptedDetector, finds

T = TypeVar("T")
MAIL = ScriptedDetector("mail", finds(r"\w+@\w+", "pii.mail"), ("pii.mail",), Reach(3, 9, 8, 8))
WORD = ScriptedDetector("word", finds("bluebird", "keyword.w"), ("keyword",), Reach(4, 8, 8, 8))
REDACT = make_rule("pii", "redact")


async def test_a_passage_without_findings_is_allowed_and_told_as_scanned() -> None:
    force = make_force(REDACT, detectors=[MAIL])

    found = await make_guard().examine(force, [make_passage("what is a cell?")])

    assert found.action is Action.ALLOW
    assert found.texts == {}
    assert [(one.origin, one.coverage) for one in found.seen] == [
        ("messages.0.content.0", {"mail": Coverage.SCANNED})
    ]


async def test_a_policy_with_nothing_to_look_for_looks_at_nothing() -> None:
    found = await make_guard().examine(make_force(REDACT), [make_passage("bob@corp")])

    assert found.seen == ()


async def test_each_detector_has_the_coverage_of_its_worst_window() -> None:
    def breaks_late(window: object) -> list[tuple[str, int, int]]:
        if "late" in str(window):
            raise RuntimeError
        return []

    broken = ScriptedDetector("broken", breaks_late, ("pii",), Reach(2, 4, 0, 0))
    rules = (REDACT, make_rule("detector.failed", "block"))
    force = make_force(*rules, detectors=[broken, MAIL, WORD])

    found = await make_guard().examine(force, [make_passage("at first, and late")])

    assert found.seen[0].coverage == {
        "broken": Coverage.FAILED,
        "mail": Coverage.SCANNED,
        "word": Coverage.NOT_RUN,
    }
    assert found.action is Action.BLOCK


async def test_a_detector_runs_only_where_a_rule_could_use_it() -> None:
    rule = replace(make_rule("pii", "flag"), roles=frozenset({Role.TOOL}))
    force = make_force(rule, detectors=[MAIL])
    user, tool = make_passage("bob@corp"), make_passage(make_field("al@corp", role=Role.TOOL))

    found = await make_guard().examine(force, [user, tool])

    assert [one.coverage["mail"] for one in found.seen] == [Coverage.NOT_RUN, Coverage.SCANNED]
    assert [one.decision.action for one in found.seen] == [Action.ALLOW, Action.FLAG]


async def test_an_empty_passage_misses_nothing() -> None:
    found = await make_guard().examine(make_force(REDACT, detectors=[MAIL]), [make_passage("")])

    assert found.seen[0].coverage == {"mail": Coverage.SCANNED}


async def test_a_second_look_is_told_as_cached() -> None:
    guard, force = make_guard(100_000), make_force(REDACT, detectors=[MAIL])
    passage = make_passage("write to bob@corp")

    told = [(await guard.examine(force, [passage], team="red")).seen[0] for _ in range(2)]

    assert [one.coverage["mail"] for one in told] == [Coverage.SCANNED, Coverage.CACHED]
    assert told[0].decision == told[1].decision


async def test_a_redaction_over_two_fields_is_written_once_and_cuts_the_other() -> None:
    force = make_force(REDACT, detectors=[MAIL])

    found = await make_guard().examine(force, [make_passage("to bo", "b@co", "rp now", " or not")])

    assert found.texts == {
        ("messages", 0, "content", 0): "to <MAIL>",
        ("messages", 0, "content", 1): "",
        ("messages", 0, "content", 2): " now",
    }
    (ruling,) = found.decision.rulings
    assert (ruling.finding.start, ruling.finding.end) == (3, 11)


async def test_only_what_a_redact_rule_found_is_rewritten() -> None:
    force = make_force(REDACT, make_rule("keyword", "flag"), detectors=[MAIL, WORD])

    found = await make_guard().examine(
        force, [make_passage("bluebird is bob@corp"), make_passage("bluebird")]
    )

    assert list(found.texts.values()) == ["bluebird is <MAIL>"]
    assert [one.decision.action for one in found.seen] == [Action.REDACT, Action.FLAG]
    assert found.action is Action.REDACT


@pytest.mark.parametrize("form", [Form.JSON_TEXT, Form.JSON_VALUE])
async def test_json_is_read_without_its_escapes_and_stays_json(form: Form) -> None:
    force = make_force(REDACT, detectors=[MAIL])
    written = '{"to": "bo\\u0062@corp", "n": 12}'
    field = make_field(written, form=form, kind=Kind.TOOL_ARGUMENTS, tool="send")

    found = await make_guard().examine(force, [make_passage(field)])

    (text,) = found.texts.values()
    assert json.loads(text) == {"to": "<MAIL>", "n": 12}
    (ruling,) = found.decision.rulings
    assert written[ruling.finding.start : ruling.finding.end] == "bo\\u0062@corp"


async def test_a_span_inside_a_number_takes_the_whole_number() -> None:
    digits = ScriptedDetector("digits", finds("234", "pii.code"), reach=Reach(9, 20, 9, 9))
    force = make_force(REDACT, detectors=[digits])
    field = make_field('{"n": 12345}', form=Form.JSON_TEXT)

    found = await make_guard().examine(force, [make_passage(field)])

    assert list(found.texts.values()) == ['{"n": "<CODE>"}']


@given(
    st.lists(st.sampled_from(["bob@corp", " ", "x", "a longer word ", "al@co@rp"]), max_size=12),
    st.integers(1, 6),
    st.integers(0, 6),
)
def test_one_finding_seen_by_two_windows_is_one_ruling(
    words: list[str], smallest: int, more: int
) -> None:
    text = "".join(words)
    wide = Reach(smallest, smallest + more + 1, 40, 40)
    mail = ScriptedDetector("mail", finds(r"[\w@]*@\w+", "pii.mail"), reach=wide)
    force = make_force(REDACT, detectors=[mail])

    found = _run(make_guard().examine(force, [make_passage(text)]))

    places = [(one.finding.start, one.finding.end) for one in found.decision.rulings]
    assert places == [(start, end) for _, start, end in _whole(text)]
    if places:
        assert "@" not in found.texts["messages", 0, "content", 0]


async def test_a_rule_on_tools_speaks_on_the_name_alone() -> None:
    force = make_force(make_rule(None, "hold", tools=("send_*",)))
    name = make_field("send_mail", kind=Kind.TOOL_NAME, tool="send_mail", role=Role.ASSISTANT)
    arguments = make_field("{}", kind=Kind.TOOL_ARGUMENTS, tool="send_mail")

    found = await make_guard().examine(force, [make_passage(name), make_passage(arguments)])

    assert [one.decision.action for one in found.seen] == [Action.HOLD, Action.ALLOW]
    assert found.texts == {}


async def test_operators_are_asked_for_the_text_they_rewrite() -> None:
    rule = make_rule("pii", "redact", operator=Mask(keep_last=4))
    force = make_force(rule, detectors=[MAIL])

    found = await make_guard().examine(force, [make_passage("to bob@corp!")])

    assert list(found.texts.values()) == ["to ****corp!"]


async def test_detectors_are_chosen_for_each_policy_stage_role_and_kind() -> None:
    guard = make_guard()
    only_input = replace(REDACT, stages=frozenset({Stage.INPUT}))
    one, two = make_force(only_input, detectors=[MAIL]), make_force(REDACT, detectors=[MAIL])

    for _ in range(2):
        assert guard.watchers(one, Stage.INPUT, Role.USER, Kind.TEXT) == (MAIL,)
        assert guard.watchers(one, Stage.OUTPUT, Role.USER, Kind.TEXT) == ()
        assert guard.watchers(two, Stage.OUTPUT, Role.USER, Kind.TEXT) == (MAIL,)


def _run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def _whole(text: str) -> list[tuple[str, int, int]]:
    """What one look at the whole text finds."""
    look = finds(r"[\w@]*@\w+", "pii.mail")
    return list(look(Window(text, 0, 0, len(text))))


def test_rulings_join_only_what_goes_on() -> None:
    def ruling(start: int, end: int, *, label: str = "pii.mail", score: float = 0.5) -> Ruling:
        return Ruling("r", Action.FLAG, Finding(label, score, start, end, "mail", "1"), Replace())

    rulings = Rulings()
    rulings.add([ruling(0, 8), ruling(0, 8, label="pii.x")])
    rulings.add([ruling(4, 12, score=0.9), ruling(20, 25)])

    assert [
        (one.finding.label, one.finding.start, one.finding.end, one.finding.score)
        for one in rulings.decision.rulings
    ] == [("pii.mail", 0, 12, 0.9), ("pii.x", 0, 8, 0.5), ("pii.mail", 20, 25, 0.5)]


def test_coverage_names_every_detector_of_the_policy() -> None:
    told = [("mail", Coverage.CACHED), ("mail", Coverage.SCANNED)]

    assert coverage([MAIL, WORD], [MAIL], told) == {
        "mail": Coverage.SCANNED,
        "word": Coverage.NOT_RUN,
    }
