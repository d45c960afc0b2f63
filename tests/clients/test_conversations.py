"""The clients that people use hold a conversation through Wardgate, with tools and streams, and never notice it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.clients.programs import said
from tests.clients.talking import REFUSAL, STAMPS, Program, Talks, missing

CHAT = [
    Program("openai_chat.py"),
    Program("openai_chat.mjs"),
    Program("langchain_chat.py", ("chat",)),
    Program("llama_index_chat.py"),
    Program("pydantic_ai_agent.py", ("chat",)),
    Program("litellm_sdk.py", ("chat",)),
]
RESPONSES = [
    Program("openai_responses.py"),
    Program("openai_responses.mjs"),
    Program("langchain_chat.py", ("responses",)),
    Program("pydantic_ai_agent.py", ("responses",)),
]
# Without pydantic-ai: its 2.31 ends in a TypeError of its own when it meets anthropic 2, which the others run on.
MESSAGES = [
    Program("anthropic_messages.py"),
    Program("langchain_chat.py", ("messages",)),
    Program("litellm_sdk.py", ("messages",)),
]
MODELS = Program("instructor_models.py")
TEXT = Program("openai_text.py")
CONVERSING = [*CHAT, *RESPONSES, *MESSAGES]
EVERY = [*CONVERSING, MODELS, TEXT]

conversing = pytest.mark.parametrize("program", CONVERSING, ids=str)
every = pytest.mark.parametrize("program", EVERY, ids=str)

SAID = "Write to <EMAIL_ADDRESS> or call <PHONE_NUMBER>; card <CREDIT_CARD>, ip <IP_ADDRESS>."
ANSWERED = "Contact <EMAIL_ADDRESS> for the details."
CALLED = {"name": said.TOOL_NAME, "arguments": {"to": "<EMAIL_ADDRESS>", "body": "hi"}}


@conversing
def test_a_reply_is_redacted_and_the_same_whole_and_streamed(
    talks: Talks, program: Program
) -> None:
    seen = talks.of(program).seen

    assert seen["whole"] == SAID
    assert {key: told for key, told in seen.items() if key.startswith("streamed")}
    assert {told for key, told in seen.items() if key.startswith("streamed")} == {SAID}


@conversing
def test_a_tool_is_called_with_redacted_arguments_whole_and_streamed(
    talks: Talks, program: Program
) -> None:
    seen = talks.of(program).seen

    assert seen["tool"] == CALLED
    assert seen["tool_streamed"] == CALLED


@conversing
def test_a_tools_result_goes_back_redacted_and_is_answered(talks: Talks, program: Program) -> None:
    talk = talks.of(program)

    results = [
        message["content"]
        for body in talk.upstream
        for message in body["messages"]
        if message["role"] == "tool"
    ]
    assert len(results) == 2  # whole and streamed
    assert all("The address is <EMAIL_ADDRESS>, said <PERSON>." in str(text) for text in results)
    assert (talk.seen["answer"], talk.seen["answer_streamed"]) == (ANSWERED, ANSWERED)


@every
def test_nothing_personal_passes_in_either_direction(talks: Talks, program: Program) -> None:
    talk = talks.of(program)

    assert talk.upstream
    for told in (json.dumps(talk.upstream), json.dumps(talk.seen)):
        assert [words for words in said.PERSONAL if words in told] == []


@every
def test_no_client_asks_any_other_host(talks: Talks, program: Program) -> None:
    assert talks.of(program).seen.get("strangers", []) == []


def told_the_client(seen: dict[str, Any], status: int, error: str) -> None:
    """The client raised its own `error`, a word of its class or of one above it, and knew `status`."""
    assert error in seen["kinds"]
    assert seen["status"] == status or f"Error code: {status}" in seen["text"]


def own_error(program: Program, plain: str) -> str:
    """What the client calls an error that others call `plain`."""
    wrapped = {"pydantic_ai_agent.py": "ModelHTTPError", MODELS.file: "InstructorRetryException"}
    return wrapped.get(program.file, plain)


@every
@pytest.mark.parametrize("key", ["blocked", "blocked_stream"])
def test_a_refusal_is_the_clients_own_bad_request(talks: Talks, program: Program, key: str) -> None:
    seen = talks.of(program).seen[key]

    told_the_client(seen, 400, own_error(program, "BadRequestError"))
    assert REFUSAL in seen["text"]
    assert "content_filter" in (seen["code"] or seen["text"])


@conversing
def test_a_blocked_answer_is_the_policys_message_and_the_client_knows_why(
    talks: Talks, program: Program
) -> None:
    seen = talks.of(program).seen["filtered"]

    assert seen["text"] == REFUSAL
    assert seen["finish"] in {"content_filter", "refusal"}  # the second is Anthropic's word


@conversing
def test_nothing_reaches_the_model_of_what_was_refused(talks: Talks, program: Program) -> None:
    assert "blockme" not in json.dumps(talks.of(program).upstream)


@every
def test_an_unknown_model_is_the_clients_own_not_found(talks: Talks, program: Program) -> None:
    seen = talks.of(program).seen["unknown_model"]

    told_the_client(seen, 404, own_error(program, "NotFoundError"))


@every
def test_an_unknown_key_is_the_clients_own_authentication_error(
    talks: Talks, program: Program
) -> None:
    seen = talks.of(program).seen["unknown_key"]

    told_the_client(seen, 401, own_error(program, "AuthenticationError"))


@pytest.mark.parametrize("program", CHAT[:2], ids=str)
def test_models_are_listed_and_a_tool_call_is_why_a_reply_ends(
    talks: Talks, program: Program
) -> None:
    seen = talks.of(program).seen

    assert seen["models"] == ["mock"]
    assert seen["tool_finish"] == "tool_calls"


def test_a_model_of_pydantic_is_filled_in_from_redacted_arguments_and_text(talks: Talks) -> None:
    seen = talks.of(MODELS).seen

    assert seen["tool"] == seen["tool_streamed"] == CALLED
    assert json.loads(seen["whole"]) == json.loads(seen["streamed"]) == CALLED["arguments"]


def test_older_completions_are_redacted_and_the_same_whole_and_streamed(talks: Talks) -> None:
    seen = talks.of(TEXT).seen

    assert (seen["whole"], seen["streamed"]) == (SAID, SAID)


def test_embeddings_are_made_of_redacted_text(talks: Talks) -> None:
    talk = talks.of(TEXT)

    inputs = [body["input"] for body in talk.upstream if "input" in body]
    assert [len(texts) for texts in inputs] == [2]
    assert all("<EMAIL_ADDRESS>" in text for text in inputs[0])
    assert talk.seen["vectors"] == [8, 8]
    told_the_client(talk.seen["blocked_embedding"], 400, "BadRequestError")


def test_moderations_flag_what_the_policy_acts_on(talks: Talks) -> None:
    assert talks.of(TEXT).seen["flagged"] == [True, False]


def test_anthropics_client_knows_why_a_reply_ended_and_counts_tokens(talks: Talks) -> None:
    seen = talks.of(MESSAGES[0]).seen

    assert seen["tool_finish"] == "tool_use"
    assert seen["tokens"] == 10  # what the mock says of every prompt


def test_a_client_that_asked_another_host_would_be_seen() -> None:
    asks = (
        "import socket, said\n"
        "strangers = []\n"
        "said.watch_for_strangers(strangers)\n"
        "socket.getaddrinfo('127.0.0.1', 9)\n"
        "socket.getaddrinfo('192.0.2.1', 9, flags=socket.AI_NUMERICHOST)\n"
        "print(strangers)\n"
    )
    programs = Path(said.__file__).parent

    told = subprocess.run(
        [sys.executable, "-c", asks], cwd=programs, capture_output=True, text=True, check=True
    )

    assert told.stdout.strip() == "['192.0.2.1']"


def test_clients_that_are_not_installed_are_named(tmp_path: Path) -> None:
    assert missing(tmp_path) == list(STAMPS)


def test_npm_checks_every_package_of_its_lock_and_no_registry_is_written_down() -> None:
    lock = json.loads((Path(__file__).parent / "node" / "package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}

    assert "node_modules/openai" in packages
    assert all(package["integrity"].startswith("sha512-") for package in packages.values())
    assert not [name for name, package in packages.items() if "resolved" in package]
