"""Streaming equals whole, byte for byte: every shipped detector, every streaming surface, any chunking.

Texts are made of what detectors look for, of what hides it, and of what lies at the edges of windows.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator, Sequence
from contextlib import aclosing, closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.core.model import Chunk, Finished, Kind, Opened, Part, Text, ToolOpened, Usage
from gateway.core.ports import InForce
from gateway.detectors.source import Detectors
from gateway.services.relay import Progress, Request
from gateway.wiring import surfaces
from tests.factories import World, make_force, make_relay, make_rule
from tests.fakes import ScriptedProvider
from tests.services.replies import chunked, cut_up
from tests.surfaces.placing import minimal
from tests.surfaces.reading import STREAMING, Read, read

PATTERNS = (
    "EMAIL_ADDRESS",
    "US_SSN",
    "CREDIT_CARD",
    "PHONE_NUMBER",
    "IP_ADDRESS",
    "IBAN_CODE",
    "URL",
)
SETS: dict[str, Sequence[tuple[str, dict[str, Any]]]] = {
    "pii, patterns": [("pii", {"languages": ["en"], "entities": list(PATTERNS)})],
    "pii, names": [("pii", {"languages": ["en"], "entities": ["PERSON", "LOCATION", *PATTERNS]})],
    "keywords": [
        (
            "keywords",
            {"lists": {"animals": ["quagga", "red panda"]}, "patterns": {"t": "TCK-[0-9]+"}},
        )
    ],
    "toxicity": [("toxicity", {})],
    "obfuscation": [("obfuscation", {})],
}
SETS["together"] = [spec for name, own in SETS.items() if name != "pii, names" for spec in own]
LABELS = ("pii", "keyword", "pattern", "toxicity", "obfuscation")
MAIL = "john.doe@example.com"
PIECES = (
    *("all is well ", "and so on, ", "the river near the old bridge. ", "\n\n", " ", "a", "7"),
    *(MAIL, " 457-55-5462 ", "4111 1111 1111 1111", "(212) 555-0123", " 192.168.10.77 "),
    *("Maria Garcia of Berlin ", "quagga ", "red\npanda", "TCK-004711", "you idiot, I will kill you "),
    *("john.d\u200boe@exam\u200bple.com", "john.doe\uff20example.com", "john.doe%40example.com"),
    *("e\u0301\u0323\u0301", "\U0001f469\u200d\U0001f4bb ", "\u202eabc\u202c ", "\ufb01ne ", "\u1100\u1161\u11a8"),
    *("".join(chr(0xE0000 + ord(c)) for c in MAIL), base64.b64encode(f"to {MAIL} now".encode()).decode()),
    *("https://example.org/" + "a1/" * 60, "x" * 70, "@" * 9, "&#64;", "\\u00e9", "\\", '"', "{}", "\x00"),
)  # fmt: skip
texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=8), max_size=40).map("".join)
SIZES = st.lists(st.integers(0, 5), max_size=40)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Detectors]:
    with closing(Detectors(Path(tmp_path_factory.mktemp("data")))) as source:
        yield source


@pytest.fixture(scope="module")
def forces(source: Detectors) -> dict[str, InForce]:
    """A policy for each set, which redacts whatever its detectors find."""
    rules = [make_rule(label, "redact") for label in LABELS]
    return {
        name: make_force(*rules, detectors=[source.build(*spec) for spec in own], name=name)
        for name, own in SETS.items()
    }


def reply(said: Sequence[str], surface: str, *, valid: bool) -> list[Part]:
    """An answer that says these texts in every field of a surface, two fields at a time by turns."""
    choices = range(2 if surface in {"openai.chat", "openai.completions"} else 1)
    parts: list[Part] = [Opened(choice) for choice in choices]
    for choice in choices:
        content = Text(choice, "content", Kind.TEXT, said[choice])
        if surface == "openai.completions":
            parts.append(content)
            continue
        half = len(said[2]) // 2
        arguments = json.dumps({"to": said[3], "n": 4111111111111111}) if valid else said[3]
        parts += [
            Text(choice, "reasoning_content", Kind.REASONING, said[2][:half]),
            content,
            Text(choice, "reasoning_content", Kind.REASONING, said[2][half:]),
            ToolOpened(choice, 0, "call_1"),
            Text(choice, "tool_calls.0.name", Kind.TOOL_NAME, "send"),
            Text(choice, "tool_calls.0.arguments", Kind.TOOL_ARGUMENTS, arguments),
        ]
    return [*parts, *(Finished(choice, "stop") for choice in choices), Usage(3, 4)]


async def answered(world: World, surface: str, *, stream: bool) -> bytes:
    """All the bytes that a client gets."""
    dialect: Any = surfaces()[surface]
    body = {**minimal(dialect.census), "model": "chat", "stream": stream}
    request = Request(world.key, surface, json.dumps(body).encode())
    progress = Progress("call_1")
    async with aclosing(world.relay.relay(request, progress)) as items:
        chunks = [one async for one in items if isinstance(one, Chunk)]
    assert progress.call is not None
    if not stream:
        return dialect.whole(progress.call, chunks)
    writer = dialect.writer(progress.call)
    return b"".join([*(writer.event(chunk) for chunk in chunks), writer.done("c")])


async def both(
    force: InForce, surface: str, parts: list[Part], chunks: list[Chunk]
) -> tuple[Read, Read]:
    whole = await make_relay(force=force, provider=ScriptedProvider([Chunk(tuple(parts))]))
    stream = await make_relay(force=force, provider=ScriptedProvider(chunks))
    return (
        read(surface, await answered(whole, surface, stream=False), stream=False),
        read(surface, await answered(stream, surface, stream=True), stream=True),
    )


@pytest.mark.parametrize("name", SETS)
@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    said=st.tuples(texts, texts, texts, texts),
    surface=st.sampled_from(STREAMING),
    cut=st.sampled_from([1, 2, 3, 7, 31, 4000]),
    sizes=SIZES,
    valid=st.booleans(),
)
def test_a_streamed_answer_reads_as_the_whole_one(
    forces: dict[str, InForce],
    name: str,
    *,
    said: tuple[str, ...],
    surface: str,
    cut: int,
    sizes: list[int],
    valid: bool,
) -> None:
    parts = reply(said, surface, valid=valid)

    whole, stream = asyncio.run(
        both(forces[name], surface, parts, chunked(cut_up(parts, cut), sizes))
    )

    assert stream == whole


@pytest.mark.parametrize("surface", STREAMING)
@pytest.mark.parametrize(("name", "mark"), [("pii, patterns", "john"), ("together", "quagga")])
def test_what_is_found_leaves_neither(
    forces: dict[str, InForce], surface: str, name: str, mark: str
) -> None:
    """The property above could hold of a guard that does nothing: this one could not."""
    said = [
        f"so {MAIL} and quagga, then",
        f"{MAIL} quagga",
        f"is {MAIL} a quagga?",
        f"to {MAIL}, quagga",
    ]
    parts = reply(said, surface, valid=True)

    whole, stream = asyncio.run(
        both(forces[name], surface, parts, chunked(cut_up(parts, 3), [1] * 60))
    )

    assert stream == whole
    assert mark not in str(whole)
    assert "<" in str(whole)


def test_every_shipped_detector_is_in_a_set(source: Detectors) -> None:
    assert {name for own in SETS.values() for name, _ in own} == set(source.names())


def test_every_surface_that_streams_is_read() -> None:
    streaming = {name for name, one in surfaces().items() if "stream" in one.census.fields}  # type: ignore[attr-defined]
    assert streaming == set(STREAMING)
