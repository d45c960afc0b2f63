"""Presidio's recognizers by the entities they find, made so that they never reach for the network.

The only file that knows what Presidio ships. Imports Presidio when called, not before.
"""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import importlib
import logging
import unicodedata
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from itertools import takewhile
from typing import Any, cast

LANGUAGE = "en"
NAMES = frozenset({"PERSON", "LOCATION", "ORGANIZATION", "NRP", "DATE_TIME"})
"""What spaCy's weights are needed for. DATE_TIME has patterns beside them."""

_NOT_LOCAL = (
    "LangExtract",
    "Azure",
    "HuggingFace",
    "GLiNER",
    "MedicalNER",
    "Transformers",
    "Stanza",
)
_NO_TABLES = ("torch", "transformers", "stanza", "gliner")
"""Optional engines of Presidio and spaCy that are not used here and cost seconds to import."""


def shelf() -> list[Any]:
    """One instance of every English pattern recognizer. Takes a second or two the first time.

    Presidio's own registry comes first, then the recognizers that it ships switched off.
    """
    _load()
    return list(_all())


def entity_names(recognizers: Iterable[Any]) -> list[str]:
    """Every entity that can be asked for, sorted."""
    return sorted(NAMES.union(*(each.supported_entities for each in recognizers)))


def _load() -> None:
    with _lean_import():
        # Here and not where it is used: what is left out on the first import stays out.
        importlib.import_module("presidio_analyzer.predefined_recognizers")
    _keep_quiet()


def _all() -> Iterator[Any]:
    from presidio_analyzer import LocalRecognizer, RecognizerRegistry, predefined_recognizers

    registry = RecognizerRegistry(supported_languages=[LANGUAGE])
    registry.load_predefined_recognizers(languages=[LANGUAGE])
    seen: set[str] = {"SpacyRecognizer"}
    found: set[str] = set()
    for recognizer in registry.recognizers:
        if type(recognizer).__name__ not in seen:
            seen.add(type(recognizer).__name__)
            found.update(recognizer.supported_entities)
            yield _offline(recognizer)
    for name, kind in sorted(vars(predefined_recognizers).items()):
        local = isinstance(kind, type) and issubclass(kind, LocalRecognizer)
        if not local or name in seen or any(part in name for part in _NOT_LOCAL):
            continue
        recognizer: Any = cast("Any", kind)()
        # An entity that Presidio's registry has already is found as that registry finds it.
        if recognizer.supported_language == LANGUAGE and not found & set(
            recognizer.supported_entities
        ):
            yield _offline(recognizer)


def _letters(label: str) -> str:
    """The letters that a label of a domain begins with. Marks count with them: some scripts need them."""
    letters = takewhile(lambda one: one.isalpha() or unicodedata.category(one)[0] == "M", label)
    return "".join(letters)


def _offline(recognizer: Any) -> Any:
    """The e-mail recognizer asks `tldextract`, which would download a list of suffixes.

    A domain that is on no public list and ends in letters is an organisation's own, as people here mostly
    have: such an address keeps the pattern's score (0.5) where Presidio would drop it. So does one with
    something stuck to its end (`example.com1`, once a footnote's mark); a version, `lib@1.2.0`, does not.
    """
    if type(recognizer).__name__ == "EmailRecognizer":
        import tldextract

        extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)

        def validate(text: str) -> bool | None:
            if extract(text).fqdn:
                return True
            name, _, last = text.rpartition(".")
            letters = _letters(last)
            named = letters == last and sum(map(str.isalpha, last)) > 1
            public = bool(letters) and bool(extract(f"{name}.{letters}").fqdn)
            return None if named or public or last.startswith("xn--") else False

        recognizer.validate_result = validate
    return recognizer


def _keep_quiet() -> None:
    """Presidio logs pieces of the text that it reads (IBAN, context words). Nothing may."""
    for name in ("presidio-analyzer", "decision_process"):
        logger = logging.getLogger(name)
        logger.propagate = False
        logger.setLevel(logging.CRITICAL + 1)


@contextmanager
def _lean_import() -> Generator[None]:
    """Import as on a machine without torch: where it is installed, Presidio and spaCy load it unasked.

    Modules that are loaded already stay as they are.
    """
    import sys

    absent = [name for name in _NO_TABLES if name not in sys.modules]
    sys.modules.update(dict.fromkeys(absent))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in absent:
            sys.modules.pop(name, None)
