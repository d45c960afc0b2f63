"""What is encoded in a text is found whole and read; what only looks like it is left alone."""

from __future__ import annotations

import base64
import random
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.encodings import escapes, runs

MAIL = "mail john.doe@example.com now"
CODES = MAIL.encode()
PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=16, max_size=80)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a%40b", [(1, 4, "@")]),
        ("%2E%2e", [(0, 3, "."), (3, 6, ".")]),
        ("%C3%A9%E2%82%AC", [(0, 6, "\u00e9"), (6, 15, "\u20ac")]),
        ("%F0%9F%98%80!", [(0, 12, "\U0001f600")]),
        ("%FF%40%C3", [(3, 6, "@")]),
        ("a&#64;b", [(1, 6, "@")]),
        ("a&#64b", [(1, 5, "@")]),
        ("&#x40;&#X2e;", [(0, 6, "@"), (6, 12, ".")]),
        ("&commat;&lt;&NotEqualTilde;", [(0, 8, "@"), (8, 12, "<"), (12, 27, "\u2242\u0338")]),
        (r"a\u0040b", [(1, 7, "@")]),
        (r"a\\\\u0040b", [(1, 10, "@")]),
        (r"a\u{40}\u{00FF20}b", [(1, 7, "@"), (7, 17, "@")]),
        (r"a\x40b", [(1, 5, "@")]),
        ("a%00%1Bb", [(1, 4, ""), (4, 7, "")]),
        ("%E2%80%8B&shy;", [(0, 9, ""), (9, 14, "")]),
        ("&#xff20;", [(0, 8, "@")]),
        ("5% of R&D; 100%, AT&T, &nosuch; &amp", []),
        (r"\ud83d \u00 C:\users \u{110000} \u{} \xe9 \x4", []),
        ("%ZZ &#; &#x; %4", []),
    ],
)
def test_each_escape_is_a_character_by_itself(text: str, found: list[tuple[int, int, str]]) -> None:
    assert escapes(text) == found


def written(data: bytes, form: str) -> str:
    return {
        "base64": base64.b64encode(data).decode(),
        "base64url": base64.urlsafe_b64encode(data).decode(),
        "unpadded": base64.b64encode(data).decode().rstrip("="),
        "hex": data.hex(),
        "HEX": data.hex().upper(),
        "0x": "0x" + data.hex(),
        "spaced": data.hex(" "),
        "colons": data.hex(":"),
        "dashes": data.hex("-"),
        "escaped": "".join(f"\\x{byte:02x}" for byte in data),
        "array": ", ".join(f"0x{byte:02X}" for byte in data),
    }[form]


FORMS = [
    "base64", "base64url", "unpadded", "hex", "HEX", "0x", "spaced", "colons", "dashes", "escaped", "array",
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_a_run_is_found_whole_and_read(form: str) -> None:
    run = written(CODES, form)

    assert runs(f"so: {run} .") == [(4, 4 + len(run), MAIL)]


@given(PRINTABLE, st.sampled_from(FORMS))
def test_whatever_is_printable_is_read(said: str, form: str) -> None:
    run = written(said.encode(), form)

    ((start, end, read),) = runs(f"({run})")

    assert (start, end) == (1, 1 + len(run))
    assert said in read


@given(st.text(st.characters(categories=["L", "N", "P"]), min_size=12), st.sampled_from(FORMS[:5]))
def test_any_script_is_read_in_its_canonical_form(said: str, form: str) -> None:
    (found,) = runs(written(("see: " + said).encode(), form))

    assert found[2].startswith("see: ")


@given(st.integers(0, 11), st.integers(0, 11), st.sampled_from(["base64", "base64url", "hex"]))
def test_a_run_that_is_cut_anywhere_is_still_read(before: int, after: int, form: str) -> None:
    run = written(b"........." + CODES + b".........", form)

    ((start, end, read),) = runs(run[before : len(run) - after])

    assert (start, end) == (0, len(run) - before - after)
    assert MAIL in read


def test_base64_in_lines_is_one_run_read_across_them() -> None:
    run = base64.encodebytes(b"." * 50 + CODES).decode().strip()

    ((start, end, read),) = runs(f"{run}\nThat was it.")

    assert "\n" in run
    assert (start, end) == (0, len(run))
    assert MAIL in read


def test_a_readable_stretch_counts_among_unreadable_bytes() -> None:
    noise = random.Random(3).randbytes(40)

    ((_, _, read),) = runs(base64.b64encode(noise + b"\0" + CODES + b"\xff" + noise).decode())

    assert MAIL in read


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes_say_nothing(seed: int) -> None:
    data = random.Random(seed).randbytes(400)

    assert runs(base64.b64encode(data).decode()) == []
    assert runs(data.hex()) == []
    assert runs(data.hex(" ")) == []


@pytest.mark.parametrize(
    "text",
    [
        "internationalization/counterrevolutionaries_and_their_friends",
        "com.example.service.impl.AbstractSingletonProxyFactoryBean",
        "550e8400-e29b-41d4-a716-446655440000",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "4111 1111 1111 1111 or 4111111111111111",
        "10:20:30 11:22:33 12:24:36",
        "-" * 80,
        "=" * 80,
        "the dead face of a bad cafe, as be a fed",
    ],
)
def test_what_is_no_encoding_says_nothing(text: str) -> None:
    assert runs(text) == []


def test_a_run_that_is_too_short_is_left_alone() -> None:
    assert runs(base64.b64encode(b"abcdefghijk").decode().rstrip("=")[:15]) == []
    assert runs(b"secret!".hex()) == []


@given(st.text(st.sampled_from("%&#;x\\u0041aA=+/- \n") | st.characters(), max_size=200))
def test_any_text_is_read_in_order_and_within_itself(text: str) -> None:
    for found in (escapes(text), runs(text)):
        at = 0
        for start, end, said in found:
            assert at <= start < end <= len(text)
            assert len(said) <= 18 * (end - start)
            at = end


@given(st.text(max_size=60))
def test_url_encoding_comes_back_in_its_canonical_form(text: str) -> None:
    coded = quote(text, safe="", errors="replace")
    read = coded
    for start, end, said in reversed(escapes(coded)):
        read = read[:start] + said + read[end:]

    assert "%" not in read or "%" in text or not read.isascii()
