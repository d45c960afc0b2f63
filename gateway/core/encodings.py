"""Finds what is encoded in a text and says what it reads: URL and HTML escapes, base64 and hex runs.

Total and linear: any text, in one pass each. It neither nests nor maps: `decoding.py` does.
"""

from __future__ import annotations

import binascii
import codecs
import html
import re
import string
import sys
from collections.abc import Iterable, Iterator
from html.entities import html5
from typing import Final, TypeAlias

from gateway.core.canonical import CanonicalView
from gateway.core.characters import is_plain
from gateway.core.views import PlainView

SHORTEST: Final = 16
"""Characters of base64, or digits of hex, that make a run."""
STRETCH: Final = 16
"""Readable characters in a row that count, whatever unreadable bytes stand around them."""

Found: TypeAlias = tuple[int, int, str]
"""[start, end) of a text, and what it reads decoded."""

_ESCAPE: Final = re.compile(
    r"(?:%[0-9A-Fa-f]{2})+"
    r"|&(?:\#[0-9]{1,7};?|\#[xX][0-9A-Fa-f]{1,6};?|[A-Za-z][A-Za-z0-9]{1,31};)"
    # JSON within JSON writes its backslashes again, twice at each level.
    r"|\\{1,16}(?:u(?P<unit>[0-9A-Fa-f]{4})|u\{(?P<point>[0-9A-Fa-f]{1,6})\}|x(?P<byte>[0-7][0-9A-Fa-f]))"
)
_PAIRS: Final = (
    r"(?:\\x[0-9A-Fa-f]{2}){8,}"
    r"|(?:0[xX])?[0-9A-Fa-f]{2}(?:[ \t\r\n,:;-]{1,2}(?:0[xX])?[0-9A-Fa-f]{2}){7,}"
)
_RUN: Final = (
    r"[A-Za-z0-9+/_-]{16,}(?:\r?\n[A-Za-z0-9+/_-]{16,})*"
    r"(?:(?:\r?\n[A-Za-z0-9+/_-]{2,15})?={1,2})?"
)
_WORD: Final = re.compile(_RUN)
_ENCODED: Final = re.compile(f"(?P<pairs>{_PAIRS})|{_RUN}")
_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{2}-{1,2}){7,}[0-9A-Fa-f]{2}|[0-9A-Fa-f]{16,}")
_NO_DIGIT: Final = re.compile(r"0[xX]|[^0-9A-Fa-f]+")
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")
_PADDING: Final = (b"", b"", b"==", b"=")
"""By how many characters of a group of four there are; a single one says nothing."""
_ASCII: Final = re.compile("[\t\n\r\x20-\x7e]+")
_CONTROLS: Final = bytes(sorted({*range(0x20), 0x7F} - {*b"\t\n\r"}))
_READS: Final = bytes(0x61 if chr(byte) in string.printable[:98] else 0x20 for byte in range(256))
_CONTINUATION: Final = bytes(range(0x80, 0xC0))

# What an ordinary text is told apart by: cheaper by far than one look with `_ENCODED`.
_IN_RUN: Final = bytes(
    0x61 if chr(byte) in f"{string.ascii_letters}{string.digits}+/_-" else 0x20
    for byte in range(256)
)
_IN_HEX: Final = bytes(0x61 if chr(byte) in string.hexdigits else 0x20 for byte in range(256))
_BETWEEN: Final = b" \t\r\n,:;-xX\\"
"""What may stand between and before pairs of hex digits."""
_SIGN: Final = b"a" * SHORTEST


def escapes(text: str) -> list[Found]:
    r"""`%40`, `&#64;`, `&#x40;`, `&commat;`, `\u0040`, `\u{40}`, `\x40`: each character by itself, in order."""
    if "%" not in text and "&" not in text and "\\" not in text:
        return []
    return [piece for match in _ESCAPE.finditer(text) for piece in _unescaped(match)]


def runs(text: str) -> list[Found]:
    """Base64, base64url and hex that hold something readable: each run whole, in order of place."""
    found: list[Found] = []
    for match in _candidates(text):
        pairs = match.lastgroup == "pairs"
        said = "\n".join(dict.fromkeys(_pairs(match.group()) if pairs else _said(match.group())))
        if said:
            found.append((match.start(), match.end(), said))
    return found


def _candidates(text: str) -> Iterable[re.Match[str]]:
    """What has the form of a run. Byte tables tell, and find, it sooner than expressions do."""
    raw = text.encode("ascii", "replace")
    marks = raw.translate(_IN_RUN)
    at = marks.find(_SIGN)
    if _SIGN in raw.translate(_IN_HEX, _BETWEEN):
        return _ENCODED.finditer(text)
    return () if at < 0 else _long_words(text, marks, at)


def _long_words(text: str, marks: bytes, at: int) -> Iterator[re.Match[str]]:
    while at >= 0:
        match = _WORD.match(text, at)
        assert match is not None
        yield match
        at = marks.find(_SIGN, match.end())


def _unescaped(match: re.Match[str]) -> Iterator[Found]:
    escape = match.group()
    if escape[0] == "%":
        yield from _percent(match.start(), bytes.fromhex(escape.replace("%", "")))
        return
    if escape[0] == "\\":
        point = int(match["unit"] or match["point"] or match["byte"], 16)
        said = "" if 0xD800 <= point <= 0xDFFF or point > sys.maxunicode else chr(point)
    elif escape[1] == "#":
        said = html.unescape(escape)
    else:
        said = html5.get(escape[1:], "")
    if said not in {"", escape}:
        yield match.start(), match.end(), _visible(said)


def _percent(at: int, data: bytes) -> Iterator[Found]:
    """Each UTF-8 sequence is a character; a byte that begins none stays as it is written."""
    place = 0
    while place < len(data):
        lead = data[place]
        size = 1 if lead < 0x80 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
        try:
            said = data[place : place + size].decode()
        except UnicodeDecodeError:
            place += 1
            continue
        yield at + 3 * place, at + 3 * (place + size), _visible(said)
        place += size


def _said(run: str) -> list[str]:
    """What a run of base64's characters says: as base64, and as the hex that is in it."""
    texts = [line.rstrip("=") for line in run.split()]
    if len(texts) > 1:
        texts.append("".join(texts))
    said: list[str] = []
    for text in texts:
        said += _base64(text)
        for match in _HEX.finditer(text):
            said += _pairs(match.group())
    return said


def _base64(run: str) -> Iterator[str]:
    """A window may cut a run anywhere, so each of the four phases is tried."""
    raw = run.encode().translate(_URL_SAFE)
    for phase in range(4):
        spare = (len(raw) - phase) % 4
        end = len(raw) - 1 if spare == 1 else len(raw)
        yield from _stretches(binascii.a2b_base64(raw[phase:end] + _PADDING[spare]))


def _pairs(run: str) -> Iterator[str]:
    """Hex digits two by two, in both phases."""
    digits = _NO_DIGIT.sub("", run)
    for phase in range(2):
        end = len(digits) - (len(digits) - phase) % 2
        yield from _stretches(bytes.fromhex(digits[phase:end]))


def _stretches(data: bytes) -> list[str]:
    """What of the bytes can be read: nearly all of it, or stretches too long to be chance.

    Of 16 random bytes in a row, one in seven million sixteens is printable ASCII.
    """
    if len(data.translate(None, _CONTROLS)) == len(data):
        cut = len(data[:3]) - len(data[:3].lstrip(_CONTINUATION))
        try:
            return [_visible(codecs.utf_8_decode(data[cut:], "strict", False)[0])]
        except UnicodeDecodeError:
            pass
    least = min(STRETCH, -(-len(data) * 7 // 8))
    if b"a" * least not in data.translate(_READS):
        return []
    return [said for said in _ASCII.findall(data.decode("latin-1")) if len(said) >= least]


def _visible(text: str) -> str:
    """In the canonical form, less what no reader sees: an encoding hides it no better."""
    if is_plain(text):
        return text
    view = CanonicalView(PlainView())
    return view.feed(text) + view.close()
