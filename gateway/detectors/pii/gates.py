r"""Cheap questions that say when a recognizer cannot match inside a core, so that it need not run.

A gate may only say no when no match can meet the core: it must never cost a finding. Non-ASCII text
passes every gate, because `\d` and `\w` reach further there.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass

_DIGITS = string.digits
_WORDS = string.ascii_letters + string.digits
_UNBROKEN = "".join(chr(code) for code in range(128) if chr(code) not in "\t\n\v\f\r ")


@dataclass(frozen=True, slots=True)
class Gate:
    """A match is made of `alphabet` alone and contains something that `needed` finds."""

    alphabet: str
    needed: re.Pattern[str]

    def passes(self, text: str, start: int, end: int) -> bool:
        """Whether a match that meets [start, end) is possible. `text` is ASCII."""
        before = len(text[:start].rstrip(self.alphabet))
        after = text[end:]
        end += len(after) - len(after.lstrip(self.alphabet))
        return self.needed.search(text, before, end) is not None


GATES = {
    "EmailRecognizer": Gate(_WORDS + "!#$%&'*+-/=?^_`{|}~.@", re.compile("@")),
    "CreditCardRecognizer": Gate(_DIGITS + "- ", re.compile(r"(?:\d[- ]?){13}")),
    "UsSsnRecognizer": Gate(_DIGITS + "-. ", re.compile(r"(?:\d[-. ]?){9}")),
    "UsItinRecognizer": Gate(_DIGITS + "- ", re.compile(r"(?:\d[- ]?){9}")),
    "UsBankRecognizer": Gate(_DIGITS, re.compile(r"\d{8}")),
    "NhsRecognizer": Gate(_DIGITS + "- ", re.compile(r"(?:\d[- ]?){10}")),
    "IpRecognizer": Gate(_WORDS + ":./%", re.compile(r"\d\.\d|:[0-9A-Fa-f]*:")),
    "IbanRecognizer": Gate(
        string.ascii_uppercase + _DIGITS + "- ", re.compile(r"[A-Z]{2}[0-9]{2}")
    ),
    "CryptoRecognizer": Gate(_WORDS, re.compile(r"[A-Za-z0-9]{26}")),
    "DateRecognizer": Gate(_WORDS + "-/.:+", re.compile(r"\d")),
    "UrlRecognizer": Gate(_UNBROKEN, re.compile(r"\.[A-Za-z]")),
    "MacAddressRecognizer": Gate(
        string.hexdigits + ":-.", re.compile(r"[:.-][0-9A-Fa-f]{2,4}[:.-]")
    ),
    "UuidRecognizer": Gate(string.hexdigits + "-", re.compile(r"-[0-9A-Fa-f]{4}-")),
}
"""By the recognizer's class. A recognizer that is not here always runs."""
