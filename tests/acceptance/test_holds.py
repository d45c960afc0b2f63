"""A held call is approved, edited and blocked from the command line while the client waits."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.acceptance.policies import WORDS
from tests.acceptance.running import Running, running
from tests.rig import MockUpstream

QUICK = WORDS.replace("name: words", "name: quick").replace("wait: 90s", "wait: 1s")
QUICK = QUICK.replace("applies_to: {}", "applies_to: {teams: [quick]}")


@pytest.fixture(scope="module")
def gateway(
    tmp_path_factory: pytest.TempPathFactory, mock_upstream_process: MockUpstream
) -> Iterator[Running]:
    models = {
        "chat": {
            "engine": "openai",
            "base_url": mock_upstream_process.base_url,
            "model": "mock~script=clean",
        },
        "mock*": {"engine": "openai", "base_url": mock_upstream_process.base_url, "model": "*"},
    }
    policies = {"words": WORDS, "quick": QUICK}
    with running(tmp_path_factory.mktemp("holds"), models, policies) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def client(gateway: Running) -> openai.OpenAI:
    return openai.OpenAI(base_url=gateway.base_url, api_key=gateway.key(), max_retries=0)


class Waiting(threading.Thread):
    """A client that waits for its answer while we decide on it."""

    def __init__(self, ask: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self._ask = ask
        self.answer: Any = None
        self.start()

    def run(self) -> None:
        try:
            self.answer = self._ask()
        except openai.APIStatusError as error:
            self.answer = error

    def result(self) -> Any:
        self.join(timeout=90)
        assert not self.is_alive(), "the client still waits"
        return self.answer


def _open_review(gateway: Running) -> dict[str, Any]:
    deadline = time.monotonic() + 15
    while True:
        rows = json.loads(gateway.command("review", "list", "--json").stdout)
        if rows:
            return rows[0]
        assert time.monotonic() < deadline, "no review came"


def _held_at_input(client: openai.OpenAI) -> Waiting:
    return Waiting(
        lambda: client.chat.completions.with_raw_response.create(
            model="chat", messages=[{"role": "user", "content": "please holdme now"}]
        )
    )


def test_approved_at_input(
    gateway: Running, client: openai.OpenAI, mock_upstream: MockUpstream
) -> None:
    waiting = _held_at_input(client)
    review = _open_review(gateway)
    assert review["stage"] == "input"
    assert review["queue"] == "front"
    assert mock_upstream.stats().get("requests", 0) == 0

    shown = json.loads(gateway.command("review", "show", review["id"], "--json").stdout)
    gateway.command("review", "approve", review["id"])

    assert shown["parts"][0]["text"] == "please holdme now"
    answer = waiting.result()
    assert answer.headers["x-wardgate-review"] == review["id"]


def test_edited_at_input(
    gateway: Running, client: openai.OpenAI, mock_upstream: MockUpstream, tmp_path: Path
) -> None:
    waiting = _held_at_input(client)
    review = _open_review(gateway)
    text = tmp_path / "text"
    text.write_text("please go on")

    gateway.command("review", "edit", review["id"], "--text-file", str(text))

    waiting.result()
    assert mock_upstream.last()[0]["body"]["messages"][0]["content"] == "please go on"


def test_blocked_at_input(
    gateway: Running, client: openai.OpenAI, mock_upstream: MockUpstream
) -> None:
    waiting = _held_at_input(client)
    review = _open_review(gateway)

    gateway.command("review", "block", review["id"], "--reason", "not for us")

    error = waiting.result()
    assert isinstance(error, openai.BadRequestError)
    assert error.type == "policy_blocked"
    assert error.code == "content_filter"
    assert mock_upstream.stats().get("requests", 0) == 0
    again = gateway.command("review", "approve", review["id"], check=False)
    assert again.returncode == 1


def _stream_text(client: openai.OpenAI, model: str) -> str:
    text = ""
    for chunk in client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": "hi"}], stream=True
    ):
        text += chunk.choices[0].delta.content or ""
    return text


OUTPUT_HELD = WORDS.replace("lists: {", "lists: {fox: [fox], ").replace(
    "rules:", "rules:\n  - {id: fox, label: keyword.fox, stage: output, action: hold}"
)


@pytest.fixture(scope="module")
def foxes(
    tmp_path_factory: pytest.TempPathFactory, mock_upstream_process: MockUpstream
) -> Iterator[Running]:
    models = {
        "mock*": {"engine": "openai", "base_url": mock_upstream_process.base_url, "model": "*"}
    }
    folder = tmp_path_factory.mktemp("foxes")
    with running(folder, models, {"words": OUTPUT_HELD}) as gateway:
        yield gateway


@pytest.mark.parametrize("how", ["approve", "edit", "block"])
def test_a_held_stream_gets_what_a_person_decides(
    foxes: Running, mock_upstream: MockUpstream, tmp_path: Path, how: str
) -> None:
    client = openai.OpenAI(base_url=foxes.base_url, api_key=foxes.key(), max_retries=0)
    waiting = Waiting(lambda: _stream_text(client, "mock~tokens=200"))
    review = _open_review(foxes)
    assert review["stage"] == "output"
    parts = json.loads(foxes.command("review", "show", review["id"], "--json").stdout)["parts"]
    whole = parts[0]["delivered"] + parts[0]["text"]
    assert whole.count("fox") == 8

    if how == "edit":
        (tmp_path / "text").write_text("A person wrote this.")
        foxes.command("review", "edit", review["id"], "--text-file", str(tmp_path / "text"))
    elif how == "block":
        foxes.command("review", "block", review["id"], "--reason", "no foxes")
    else:
        foxes.command("review", "approve", review["id"])

    text = waiting.result()
    delivered = parts[0]["delivered"]
    assert "fox" not in delivered
    if how == "approve":
        assert text == whole
    elif how == "edit":
        assert text == delivered + "A person wrote this."
    else:
        assert "fox" not in text


def test_a_hold_that_nobody_decides_ends_as_the_policy_says(gateway: Running) -> None:
    client = openai.OpenAI(base_url=gateway.base_url, api_key=gateway.key("quick"), max_retries=0)

    with pytest.raises(openai.BadRequestError) as raised:
        client.chat.completions.create(
            model="chat", messages=[{"role": "user", "content": "holdme"}]
        )

    assert "Someone is looking." in raised.value.message
    assert raised.value.response.headers["x-wardgate-review"].startswith("rev_")
    kinds = [
        (record["kind"], record.get("outcome"))
        for record in gateway.records()
        if record["call"] == raised.value.response.headers["x-wardgate-call"]
    ]
    assert kinds[0] == ("inference.held", None)
    assert kinds[-1] == ("inference.decision", "expired")
