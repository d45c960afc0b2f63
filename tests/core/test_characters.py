"""The tables agree with the Unicode database of this Python, for every code point there is."""

from __future__ import annotations

import sys
import unicodedata

from gateway.core.characters import (
    COMPOSING,
    DASHES,
    EXTENDING,
    IGNORED,
    MODIFIERS,
    OVERRIDES,
    REGIONAL,
    SCRIPT_BOUND,
    SPECIAL,
    TAGS,
    continues,
    is_mark,
    is_plain,
    is_word,
    needs_no_joiner,
)

EVERY = [chr(point) for point in range(sys.maxunicode + 1)]


def pairs() -> list[tuple[str, str]]:
    """What composes under NFC, in two."""
    found: list[tuple[str, str]] = []
    for character in EVERY:
        parts = unicodedata.decomposition(character)
        canonical = " " in parts and not parts.startswith("<")
        if canonical and unicodedata.normalize("NFC", character) == character:
            first, second = (chr(int(part, 16)) for part in parts.split())
            found.append((first, second))
    return found


def test_whatever_composes_or_is_reordered_with_what_is_before_it_continues() -> None:
    assert all(continues(second) for _, second in pairs())
    for character in EVERY:
        first = unicodedata.normalize("NFKD", character)[0]
        jamo = "\u1161" <= first <= "\u1175" or "\u11a8" <= first <= "\u11c2"
        if unicodedata.combining(first) or jamo:
            assert continues(character), hex(ord(character))


def test_of_ascii_what_is_no_control_is_plain() -> None:
    assert {one for one in EVERY if is_plain(one)} == set(map(chr, range(128))) - IGNORED
    assert IGNORED & set("\t\n\v\f\r\x85 ") == set()
    assert len(IGNORED & set(map(chr, range(0xA0)))) == 65 - len("\t\n\v\f\r\x85")
    assert not is_plain("a\0b")


def test_no_ascii_but_letters_and_three_signs_composes_with_what_follows() -> None:
    assert {first for first, _ in pairs() if first.isascii()} <= COMPOSING
    assert not any(continues(character) for character in map(chr, range(128)))


def test_nfkc_makes_nothing_that_is_dropped() -> None:
    for character in EVERY:
        if character not in IGNORED:
            made = unicodedata.normalize("NFKC", character)
            assert not IGNORED.intersection(made), hex(ord(character))


def test_every_format_character_is_dropped_but_those_that_are_seen() -> None:
    seen = {"\u06dd", "\u070f", "\u08e2", "\U000110bd", "\U000110cd"}
    seen |= {chr(point) for point in (*range(0x600, 0x606), 0x890, 0x891)}
    seen |= {chr(point) for point in range(0x13430, 0x13440)}
    for character in EVERY:
        if unicodedata.category(character) == "Cf" and character not in seen:
            assert character in IGNORED or ord(character) in TAGS, hex(ord(character))


def test_the_special_are_those_that_nfkc_alone_would_leave() -> None:
    tables = (IGNORED, REGIONAL, MODIFIERS, map(chr, TAGS), map(chr, DASHES))
    for table in tables:
        assert all(SPECIAL.match(character) for character in table)
    assert {one for one in map(chr, range(0xAD)) if SPECIAL.match(one)} <= IGNORED
    assert not SPECIAL.search("é漢字かな가😀“”—€ךع")


def test_a_continuing_character_that_is_canonical_is_a_mark_or_special() -> None:
    """The view tries blocks of text without special characters, and leaves marks to `joins`."""
    for character in EVERY:
        if unicodedata.is_normalized("NFKC", character) and continues(character):
            assert is_mark(character) or SPECIAL.match(character), hex(ord(character))


def test_what_extends_or_is_bound_to_scripts_is_dropped() -> None:
    assert EXTENDING <= SCRIPT_BOUND <= IGNORED
    assert OVERRIDES <= IGNORED - SCRIPT_BOUND


def test_tags_are_twins_of_ascii() -> None:
    assert "\U000e0068\U000e0069".translate(TAGS) == "hi"
    assert all(32 <= point < 127 for point in TAGS.values())


def test_words_and_scripts() -> None:
    assert all(is_word(character) for character in "aZ9_éя漢")
    assert not any(is_word(character) for character in " @-\u200b\u0301😀")
    assert all(needs_no_joiner(character) for character in "a9éяω\uff21")
    assert not any(needs_no_joiner(character) for character in "عक漢😀")
