"""Which characters the canonical view drops, decodes or joins: tables of Unicode, and nothing else.

Sources: UAX #44 (Default_Ignorable_Code_Point), UAX #29 (Grapheme_Cluster_Break), UAX #15 (NFKC).
"""

from __future__ import annotations

import re
import unicodedata

ZWJ = "\u200d"
_SELECTORS = ((0x180B, 0x180D), (0x180F, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
_EXTENDING = (*_SELECTORS, (0x034F, 0x034F), (0x17B4, 0x17B5), (0x200C, 0x200D), (0xE007F, 0xE007F))
_SCRIPT_BOUND = (*_EXTENDING, (0x061C, 0x061C), (0x115F, 0x1160), (0x200E, 0x200F))
_CONTROLS = ((0x00, 0x08), (0x0E, 0x1F), (0x7F, 0x84), (0x86, 0x9F))
_IGNORED = (
    *_SCRIPT_BOUND,
    # Not ignorable by the standard, and tabs and line ends are none of them: no reader sees these.
    *_CONTROLS,
    (0x00AD, 0x00AD),
    (0x180E, 0x180E),
    (0x200B, 0x200B),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    # The last three, interlinear annotation, are not ignorable by the standard; no reader sees them.
    (0xFFF0, 0xFFFB),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE001F),
    (0xE0080, 0xE0FFF),
)
_TAG_BASE = 0xE0000
_DASHES = "\u2010\u2011\u2012\u2013\u2212\ufe58\ufe63\uff0d"
_JAMO = ((0x1100, 0x11FF), (0xA960, 0xA97F), (0xD7B0, 0xD7FF))
_FLAGS = ((0x1F1E6, 0x1F1FF),)
_SKIN_TONES = ((0x1F3FB, 0x1F3FF),)


def _characters(*ranges: tuple[int, int]) -> frozenset[str]:
    return frozenset(chr(point) for first, last in ranges for point in range(first, last + 1))


IGNORED = _characters(*_IGNORED)
"""Dropped: a reader sees nothing where they stand."""
EXTENDING = _characters(*_EXTENDING)
"""Those of them that belong to the character before."""
SCRIPT_BOUND = _characters(*_SCRIPT_BOUND)
"""Those of them that have work to do in Arabic, Indic and other scripts, or in emoji."""
OVERRIDES = frozenset("\u202d\u202e")
"""They turn the order of what follows round."""
TAGS = {point: point - _TAG_BASE for point in range(0xE0020, 0xE007F)}
"""Invisible twins of ASCII, for `str.translate`."""
DASHES = {ord(dash): "-" for dash in _DASHES}
"""What reads as a hyphen, for `str.translate`."""
REGIONAL = _characters(*_FLAGS)
"""Two of them make a flag."""
MODIFIERS = _characters(*_SKIN_TONES)
COMPOSING = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz<=>")
"""The only ASCII that a character after it can change."""


def _class(*ranges: tuple[int, int]) -> str:
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


SPECIAL = re.compile(
    f"[{_class(*_IGNORED, (0xE0020, 0xE007E), *_JAMO, *_FLAGS, *_SKIN_TONES)}{_DASHES}]"
)
"""What needs more thought than NFKC gives it."""


def is_plain(text: str) -> bool:
    """Whether it is ASCII of which nothing is dropped."""
    return text.isascii() and (text.isprintable() or SPECIAL.search(text) is None)


def continues(character: str) -> bool:
    """Whether it can change with what stands before it under NFKC: marks, jamo that follow, their kin."""
    if character < "\u0300":
        return False
    first = character
    if unicodedata.decomposition(character):
        first = unicodedata.normalize("NFKD", character)[0]
    if "\u1160" <= first <= "\u11ff":
        # A syllable block too decomposes, but it begins with its leading consonant.
        return True
    return is_mark(first) or "\ud7b0" <= character <= "\ud7ff"


def is_mark(character: str) -> bool:
    return unicodedata.category(character)[0] == "M"


def is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def needs_no_joiner(character: str) -> bool:
    """Whether its script (Latin, Greek, Cyrillic) has no use for joiners, selectors and direction marks."""
    return unicodedata.normalize("NFKC", character)[0] < "\u0530"
