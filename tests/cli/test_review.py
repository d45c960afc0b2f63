"""`wardgate review`: a person looks at what is held, and decides once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from click.testing import CliRunner, Result

from gateway.cli import main
from gateway.core.model import Kind, Role, Stage
from gateway.core.ports import Entry
from gateway.core.records import Record
from gateway.core.review import Choice, Review, ReviewPart, Verdict
from gateway.store.store import Store
from gateway.wiring import open_records
from tests.houses import build, settings_of

T = TypeVar("T")
HOSTILE = "a canary\x1b[2J\u202e and \x07more\nsecond line\ttab"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A gateway with one held reply, `rev_1`."""
    made = build(tmp_path)
    with_store(made, hold)
    return made


def with_store(config: Path, work: Callable[[Store], Awaitable[T]]) -> T:
    async def run() -> T:
        async with open_records(settings_of(config)) as records:
            return await work(records.store)

    return asyncio.run(run())


async def hold(store: Store, *more: ReviewPart, review: str = "rev_1", wait: float = 60) -> None:
    opening = Review(
        review, f"call_{review}", Stage.OUTPUT, "clinical", "house@0123", ("r",), ("pii.person",)
    )
    parts = (
        ReviewPart(
            "choices.0.content", Role.ASSISTANT, Kind.TEXT, HOSTILE, held=True, delivered="So: "
        ),
        *more,
    )
    record = Record(
        f"rec_{review}", "inference.held", f"call_{review}", "2030-01-01T00:00:00.000000Z"
    )
    await store.reviews.open(opening, wait, parts, Entry(record, opens=True))


def run(config: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["review", *arguments, "--config", str(config)])


def verdict(config: Path, review: str = "rev_1") -> Verdict | None:
    return with_store(config, lambda store: store.reviews.verdict(review))


def test_the_list_has_what_the_contract_names(config: Path) -> None:
    done = run(config, "list", "--json")

    assert done.exit_code == 0
    (row,) = json.loads(done.stdout)
    assert {key: row[key] for key in ("id", "call", "state", "queue", "stage")} == {
        "id": "rev_1",
        "call": "call_rev_1",
        "state": "open",
        "queue": "clinical",
        "stage": "output",
    }
    assert row["due_at"]
    assert "canary" not in done.output


def test_the_list_for_people_says_when_nothing_waits(config: Path) -> None:
    assert "rev_1  open  clinical  output" in run(config, "list").stdout

    run(config, "approve", "rev_1")
    assert run(config, "list").stdout == "Nothing waits.\n"
    assert json.loads(run(config, "list", "--json").stdout) == []
    assert json.loads(run(config, "list", "--all", "--json").stdout)[0]["choice"] == "approve"
    assert json.loads(run(config, "list", "--state", "decided", "--json").stdout)


def test_showing_spells_out_what_could_trick_a_terminal(config: Path) -> None:
    done = run(config, "show", "rev_1")

    assert done.exit_code == 0
    assert "[delivered already]\nSo: \n[waiting]\n" in done.stdout
    assert "a canary\\u{1b}[2J\\u{202e} and \\u{7}more\nsecond line\ttab" in done.stdout
    assert "\x1b" not in done.stdout


def test_showing_as_json_has_the_text_as_it_is(config: Path) -> None:
    (part,) = json.loads(run(config, "show", "rev_1", "--json").stdout)["parts"]

    assert part == {
        "path": "choices.0.content",
        "role": "assistant",
        "kind": "text",
        "held": True,
        "delivered": "So: ",
        "text": HOSTILE,
    }


def test_approving_decides(config: Path) -> None:
    done = run(config, "approve", "rev_1")

    assert (done.exit_code, done.stdout) == (0, "rev_1: approve\n")
    found = verdict(config)
    assert found is not None
    assert found.choice is Choice.APPROVE
    assert found.by.startswith("cli:")


def test_blocking_needs_a_reason(config: Path) -> None:
    assert run(config, "block", "rev_1").exit_code == 2

    assert run(config, "block", "rev_1", "--reason", "not ours to say").exit_code == 0
    found = verdict(config)
    assert found is not None
    assert (found.choice, found.reason) == (Choice.BLOCK, "not ours to say")


def test_editing_takes_the_text_of_a_file(config: Path, tmp_path: Path) -> None:
    text = tmp_path / "text.txt"
    text.write_text("Anders, schöner\n", "utf-8")

    assert run(config, "edit", "rev_1", "--text-file", str(text)).exit_code == 0
    found = verdict(config)
    assert found is not None
    assert found.edits == (("choices.0.content", "Anders, schöner\n"),)


def test_editing_one_of_several_parts_needs_its_name(tmp_path: Path) -> None:
    config, text = build(tmp_path), tmp_path / "text.txt"
    text.write_text("new", "utf-8")
    other = ReviewPart("choices.1.content", Role.ASSISTANT, Kind.TEXT, "x", held=True)
    with_store(config, lambda store: hold(store, other))

    refused = run(config, "edit", "rev_1", "--text-file", str(text))
    assert refused.exit_code == 1
    assert "choices.0.content, choices.1.content" in refused.stderr

    named = ("--text-file", str(text), "--part", "choices.1.content")
    assert run(config, "edit", "rev_1", *named).exit_code == 0


def test_a_second_decision_is_exit_1_and_says_why(config: Path) -> None:
    run(config, "approve", "rev_1")
    done = run(config, "block", "rev_1", "--reason", "no")

    assert (done.exit_code, done.stdout) == (1, "")
    assert "decided" in done.stderr


def test_a_review_whose_time_is_up_cannot_be_decided(tmp_path: Path) -> None:
    config = build(tmp_path)
    with_store(config, lambda store: hold(store, wait=0))

    done = run(config, "approve", "rev_1")

    assert done.exit_code == 1
    assert "expired" in done.stderr


@pytest.mark.parametrize("arguments", [("show",), ("approve",), ("block", "--reason", "x")])
def test_a_review_that_is_not_there_is_exit_1(config: Path, arguments: tuple[str, ...]) -> None:
    name, *options = arguments
    assert run(config, name, "rev_2", *options).exit_code == 1


def test_each_decision_is_in_the_log_without_its_text(config: Path) -> None:
    run(config, "block", "rev_1", "--reason", "a canary reason")

    async def records(store: Store) -> list[dict[str, Any]]:
        return [json.loads(body) async for _, body, _ in store.audit.entries()]

    last = with_store(config, records)[-1]
    assert (last["kind"], last["choice"], last["review"]) == ("review.decided", "block", "rev_1")
    assert "canary" not in json.dumps(last)


def test_no_text_rests_in_the_clear(config: Path) -> None:
    run(config, "block", "rev_1", "--reason", "a canary reason")

    files = [file for file in (config.parent / "var").rglob("*") if file.is_file()]
    assert files
    assert not [file for file in files if b"canary" in file.read_bytes()]
