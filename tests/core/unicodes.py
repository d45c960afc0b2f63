"""Texts that are hard to read: what the property tests of the canonical view draw from."""

from __future__ import annotations

import json

from hypothesis import strategies as st

ALPHABET = [
    *"ab@1 23.-x\n",
    *"\u0301\u0323\u0338",  # marks: one composes with letters, one is reordered, one goes with `<`
    *"é漢नि\u0947€ſﬁ\u00a0½Å\u212b",
    *"\uff41\uff20\uff11\uff0e",
    *"\u1112\u1161\u11ab\u314e\u314f\u3134한\uff76\uff9e\ua960\ud7cb",
    *"א\u05b0ع\u0644\u0627",
    *"\u200b\u200c\u200d\u2060\ufeff\u00ad\u180e\u034f\u061c\u200e\u202a\u202e\u202c\u2066\u2069",
    *"\u2010\u2011\u2012\u2013\u2212\ufe58\ufe63\uff0d\u207b\u2014",
    *"😀👩👧❤\ufe0f\U000e0101\U0001f3fd\U0001f1e9\U0001f1ea\u20e3",
    *"\U000e0041\U000e0042\U000e0040\U000e007f🏴",
    *"\ud800\udfff",
    *"\0\x1b\x1f\x7f\x85\x9f\t",
    "ﷺ",
    "\u0301" * 40,
    "a" + "\u0323\u0301" * 17,
    "👩\u200d👩\u200d👧",
    "a\u200bb\u200d\u0301",
]
TEXTS = st.lists(st.sampled_from(ALPHABET) | st.sampled_from("ab@1 "), max_size=24).map("".join)
ANY = st.text(max_size=40) | TEXTS
PLACES = st.lists(st.integers(0, 400), max_size=20)


def as_json(text: str, *, ascii_only: bool) -> str:
    """A tool's arguments with this text in a key and in values."""
    value = {"q": text, "n": [12, -3.5e1, True, None], text[:3]: [text[::-1], {"k": text[1:]}]}
    return json.dumps(value, ensure_ascii=ascii_only)
