"""Makes pii detectors: loads Presidio and, only when names are asked for, spaCy's weights. Once each."""
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

import difflib
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from gateway.detectors.lane import Lane
from gateway.detectors.pii.context import ContextWords
from gateway.detectors.pii.detector import NAME, PiiDetector
from gateway.detectors.pii.names import MODEL, Names
from gateway.detectors.pii.options import PiiOptions
from gateway.detectors.pii.patterns import Patterns
from gateway.detectors.pii.recognizers import LANGUAGE, NAMES, entity_names, shelf


class PiiWorkshop:
    """Builds detectors that share a lane, the weights and spaCy's tokenizer."""

    def __init__(self) -> None:
        self._lane = Lane(NAME)
        self._shelf: list[Any] = []
        self._names: Names | None = None
        self._words: ContextWords | None = None

    def build(self, options: PiiOptions) -> PiiDetector:
        """Takes seconds the first time. Raise ValueError on entities that Presidio does not know."""
        self._shelf = self._shelf or shelf()
        _check_entities(options.entities, entity_names(self._shelf))
        wanted = set(options.entities)
        patterns = [each for each in self._shelf if wanted.intersection(each.supported_entities)]
        named = NAMES.intersection(options.entities)
        model = MODEL if named else "patterns"
        return PiiDetector(
            options=options,
            version=f"presidio-{version('presidio-analyzer')}+{model}",
            patterns=Patterns(patterns, self._load_words()),
            names=self._load_names() if named else None,
            lane=self._lane,
        )

    def close(self) -> None:
        self._lane.close()

    def _load_names(self) -> Names:
        self._names = self._names or Names.load()
        return self._names

    def _load_words(self) -> ContextWords:
        if self._words is None:
            import spacy

            self._words = ContextWords(spacy.blank(LANGUAGE))
        return self._words


def _check_entities(entities: Sequence[str], known: Sequence[str]) -> None:
    for entity in entities:
        if entity not in known:
            near = difflib.get_close_matches(entity.upper(), known, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise ValueError(f"pii: unknown entity {entity!r}.{hint} Known: {', '.join(known)}.")
