"""Builds detectors by name from a policy's options. Heavy libraries load when one is first built.

The only file that knows all detectors. Weights are loaded once; equal options share a detector.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from gateway.core.ports import Detector

Options = TypeVar("Options", bound=BaseModel)
Build = Callable[[Mapping[str, Any]], Detector]
Close = Callable[[], None]


class Detectors:
    """The detectors of this installation; `data` is where added models lie. Thread-safe."""

    def __init__(self, data: Path) -> None:
        self._factories: dict[str, Callable[[], tuple[Build, Close]]] = {
            "keywords": _keywords,
            "obfuscation": _obfuscation,
            "pii": _pii,
            "toxicity": lambda: _toxicity(data),
        }
        self._open: dict[str, tuple[Build, Close]] = {}
        self._built: dict[tuple[str, str], Detector] = {}
        self._lock = Lock()

    def names(self) -> Sequence[str]:
        return tuple(self._factories)

    def build(self, name: str, options: Mapping[str, Any]) -> Detector:
        """The detector with these options, loaded. Takes seconds the first time.

        Raise ValueError, saying what was expected, when name or options are wrong; NotReady when
        its weights are missing or are not the reviewed ones.
        """
        if name not in self._factories:
            raise ValueError(f"Unknown detector {name!r}.{nearest(name, self.names())}")
        key = name, json.dumps(options, sort_keys=True, default=str)
        with self._lock:
            if key not in self._built:
                if name not in self._open:
                    self._open[name] = self._factories[name]()
                self._built[key] = self._open[name][0](options)
            return self._built[key]

    def close(self) -> None:
        """End the detectors' threads. What was built takes no more work."""
        with self._lock:
            for _, close in self._open.values():
                close()


def _keywords() -> tuple[Build, Close]:
    from gateway.detectors import keywords
    from gateway.detectors.lane import Lane

    lane = Lane(keywords.NAME)

    def build(options: Mapping[str, Any]) -> Detector:
        return keywords.build(read("keywords", keywords.KeywordOptions, options), lane)

    return build, lane.close


def _obfuscation() -> tuple[Build, Close]:
    from gateway.detectors import obfuscation

    def build(options: Mapping[str, Any]) -> Detector:
        read(obfuscation.NAME, obfuscation.ObfuscationOptions, options)
        return obfuscation.ObfuscationDetector()

    return build, lambda: None


def _pii() -> tuple[Build, Close]:
    from gateway.detectors.pii.build import PiiWorkshop
    from gateway.detectors.pii.options import PiiOptions

    workshop = PiiWorkshop()

    def build(options: Mapping[str, Any]) -> Detector:
        return workshop.build(read("pii", PiiOptions, options))

    return build, workshop.close


def _toxicity(data: Path) -> tuple[Build, Close]:
    from gateway.detectors.toxicity.detector import Engine

    engine = Engine.load(data)
    return engine.build, engine.close


def read(name: str, model: type[Options], options: Mapping[str, Any]) -> Options:
    """The options as `model`. Raise ValueError naming each wrong one and the nearest known one."""
    try:
        return model.model_validate(dict(options))
    except ValidationError as error:
        known = list(model.model_fields)
        wrong = [
            _say(name, known, each) for each in error.errors(include_url=False, include_input=False)
        ]
        raise ValueError(" ".join(wrong)) from None


def _say(name: str, known: Sequence[str], error: Mapping[str, Any]) -> str:
    where = ".".join(str(step) for step in error["loc"])
    if error["type"] == "extra_forbidden":
        return f"{name}: unknown option {where!r}.{nearest(where, known)}"
    return f"{name}: option {where!r}: {error['msg']}."


def nearest(word: str, known: Sequence[str]) -> str:
    """` Did you mean 'x'? Known: x, y.`, with a guess only where one is near."""
    near = difflib.get_close_matches(word, known, n=1)
    guess = f" Did you mean {near[0]!r}?" if near else ""
    return f"{guess} Known: {', '.join(known)}."
