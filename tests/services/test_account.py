"""What a call leaves behind holds labels and offsets, fits into a record, and opens and closes once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from gateway.core.model import Action, Finding, Stage, Usage
from gateway.core.policy import Decision, Ruling
from gateway.core.ports import Entry
from gateway.core.records import MAX_BYTES, MAX_FINDINGS, encode
from gateway.core.redact import Replace
from gateway.core.review import Review
from gateway.services.account import MAX_PASSAGES, Account
from gateway.services.guard import Seen
from gateway.services.looking import Coverage
from tests.factories import CALLER, make_call, make_force
from tests.fakes import HandClock

VERSION = "presidio-analyzer 2.2.366, en_core_web_sm 3.8.0 (sha256 0123456789abcdef)"
REVIEW = Review("rev_1", "call_1", Stage.INPUT, "clinical", "house@0123", ("r",), ("pii",))


def make_account(clock: HandClock | None = None) -> Account:
    return Account(make_call(), CALLER, make_force(), "chat", None, clock or HandClock())


def ruling(action: Action = Action.FLAG, at: int = 0) -> Ruling:
    seen = Finding("pii.email_address", 0.85, at, at + 9, "pii", VERSION)
    return Ruling("contact-details", action, seen, Replace())


def seen(*rulings: Ruling, origin: str = "messages.0.content") -> Seen:
    names = ("pii", "toxicity", "keywords")
    return Seen(origin, Decision(rulings), dict.fromkeys(names, Coverage.SCANNED))


def detail(entry: Entry) -> dict[str, Any]:
    return dict(entry.record.detail)


def test_the_action_is_the_strictest_of_both_gates() -> None:
    account = make_account()
    assert account.action is Action.ALLOW
    account.seen[Stage.INPUT] = (seen(ruling(Action.REDACT)), seen())
    account.seen[Stage.OUTPUT] = (seen(ruling()),)

    assert account.action is Action.REDACT


def test_an_intent_opens_the_call_and_its_decision_closes_it() -> None:
    account = make_account()
    intent, decision = account.intent(), account.decision()

    assert (intent.opens, intent.closes) == (True, False)
    assert (decision.opens, decision.closes) == (False, True)
    assert detail(decision)["intent"] == intent.record.id


def test_a_hold_opens_the_call_and_the_intent_after_it_does_not() -> None:
    account = make_account()
    held, intent = account.held(REVIEW), account.intent()

    assert held.opens
    assert not intent.opens
    assert account.decision().closes
    assert detail(account.decision())["review"] == "rev_1"


def test_a_refusal_opens_and_closes_nothing() -> None:
    decision = make_account().decision()

    assert not decision.opens
    assert not decision.closes
    assert detail(decision)["intent"] is None


def test_a_refusal_tells_the_input_and_a_decision_the_output() -> None:
    account = make_account()
    account.seen[Stage.INPUT] = (seen(ruling(at=1)),)
    refused = detail(account.decision())
    account.intent()
    account.seen[Stage.OUTPUT] = (seen(ruling(at=2), origin="choices.0.content"),)
    decided = detail(account.decision())

    assert (refused["stage"], refused["findings"][0]["start"]) == ("input", 1)
    assert (decided["stage"], decided["findings"][0]["start"]) == ("output", 2)
    assert decided["findings"][0]["path"] == "choices.0.content"


def test_coverage_names_the_passages_by_detector_and_status() -> None:
    account = make_account()
    account.seen[Stage.INPUT] = (seen(), seen(origin="messages.1.content"))

    assert detail(account.intent())["coverage"]["pii"] == {
        "scanned": ["messages.0.content", "messages.1.content"]
    }


def test_beyond_the_most_passages_coverage_is_counted() -> None:
    account = make_account()
    account.seen[Stage.INPUT] = tuple(seen(origin=str(at)) for at in range(MAX_PASSAGES + 5))

    told = detail(account.intent())["coverage"]["pii"]

    assert 100 < len(told["scanned"]) <= MAX_PASSAGES
    assert told["totals"] == {"scanned": MAX_PASSAGES + 5}


def test_times_add_up_by_step() -> None:
    clock = HandClock()
    account = make_account(clock)
    for step, seconds in (("look_input", 0.5), ("complete", 2.0), ("look_input", 0.25)):
        clock.advance(seconds)
        account.mark(step)

    assert detail(account.decision())["t_us"] == {"look_input": 750_000, "complete": 2_000_000}


def test_a_record_names_who_what_when_and_by_which_policy() -> None:
    account = make_account(HandClock(1.5))
    account.usage = Usage(3, 4)
    record = account.decision().record

    assert record.call == "call_1"
    assert record.ts == "2030-01-01T00:00:01.500000Z"
    assert record.policy == account.force.policy.reference
    assert record.detail["usage"] == {"in": 3, "out": 4}
    named = {key: record.detail[key] for key in ("team", "key", "surface", "model", "stream")}
    assert named == {
        "team": CALLER.team,
        "key": CALLER.key,
        "surface": "openai.chat",
        "model": "chat",
        "stream": False,
    }


def longest() -> Sequence[Seen]:
    """A long conversation in which everything was found everywhere."""
    return tuple(
        seen(ruling(at=at), ruling(at=at + 20), origin=f"messages.{at}.content.0.image_url.text")
        for at in range(2_000)
    )


@pytest.mark.parametrize("stage", [Stage.INPUT, Stage.OUTPUT])
def test_the_longest_account_fits_into_a_record(stage: Stage) -> None:
    account = make_account()
    account.seen[Stage.INPUT] = account.seen[Stage.OUTPUT] = tuple(longest())
    entry = account.intent() if stage is Stage.INPUT else account.decision()

    assert len(encode(entry.record)) <= MAX_BYTES
    assert detail(entry)["findings_total"] == 4_000
    assert 0 < len(detail(entry)["findings"]) <= MAX_FINDINGS
