"""A Detoxify model that was exported to ONNX, as `wardgate models add detoxify` leaves it.

Needs onnxruntime and tokenizers alone. It must not fall back to anything: a model that was added
and is not what its manifest says keeps the replica from being ready.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from gateway.core.errors import NotReady
from gateway.core.ports import Reach
from gateway.detectors.toxicity.session import Session, checked, opened

FOLDER = Path("models", "toxicity")
"""Where added models live, under the data directory."""
MANIFEST = "manifest.json"
MODEL = "model.onnx"
TOKENIZER = "tokenizer.json"
LONGEST = 512
"""Tokens that a window may have, whatever a model says of itself."""


@dataclass(frozen=True, slots=True)
class Locked:
    """A file, beside the manifest, and what it must be."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was added: read at every start, so that a changed file is noticed."""

    name: str
    labels: tuple[str, ...]
    max_length: int
    precision: str
    model: Locked
    tokenizer: Locked
    checkpoint: str
    """SHA-256 of the checkpoint that it was made from."""
    differences: dict[str, float]
    """Largest absolute difference from torch that was measured, by precision."""
    made_with: dict[str, str]

    @property
    def version(self) -> str:
        return f"detoxify/{self.name}@{self.model.sha256[:12]}"

    def written(self) -> str:
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"


class ExportedModel:
    """Scores a text by the highest score of its windows of at most `max_length` tokens."""

    reach = Reach(min=300, max=340, before=100, after=50)
    """Longer cores than the small model's, for here a window costs 60 ms. At most 506 code points:
    as tokens of one code point each, with the two that frame them, they still fit one run."""
    budget = 30.0  # A batch of 32 takes about two seconds with BERT in int8, six in fp32.

    def __init__(self, session: Session, tokenizer: Any, manifest: Manifest) -> None:
        self._session = session
        self._tokenizer = tokenizer
        self.labels = manifest.labels
        self.version = manifest.version
        longest = min(manifest.max_length, LONGEST)
        # A quarter of a window is seen twice, so what a window's edge cuts is whole in the next.
        tokenizer.enable_truncation(longest, stride=longest // 4)
        tokenizer.no_padding()

    def score(self, text: str) -> Sequence[float]:
        """The highest score of each label over all windows, each in a run of its own."""
        rows = [self.run(window) for window in self.windows(text)]
        return [max(scores) for scores in zip(*rows, strict=True)]

    def windows(self, text: str) -> list[list[int]]:
        """The text's tokens with the model's own marks, in overlapping windows."""
        # A lone surrogate cannot be UTF-8, and the error would carry the text.
        first = self._tokenizer.encode(text.encode("utf-8", "replace").decode("utf-8"))
        return [window.ids for window in (first, *first.overflowing)]

    def run(self, tokens: Sequence[int]) -> list[float]:
        """One window alone: int8 scales by tensor, so a neighbour would change its score."""
        import numpy as np

        return self._session.run(None, {"input_ids": np.array([tokens], np.int64)})[0][0].tolist()


def load(folder: Path) -> ExportedModel | None:
    """The model that was added to this folder, verified; None when none was."""
    from tokenizers import Tokenizer

    if not (folder / MANIFEST).exists():
        return None
    manifest = read_manifest(folder / MANIFEST)
    tokenizer = _checked(folder, manifest.tokenizer)
    session = opened(_checked(folder, manifest.model))
    return ExportedModel(session, Tokenizer.from_buffer(tokenizer), manifest)


def read_manifest(path: Path) -> Manifest:
    """A manifest that has all it should, or NotReady."""
    try:
        manifest = TypeAdapter(Manifest).validate_json(path.read_bytes(), extra="forbid")
    except (OSError, ValueError) as error:
        raise NotReady(
            f"toxicity: {path} is not a manifest of this version. "
            "Run `wardgate models add detoxify` again."
        ) from error
    return manifest


def _checked(folder: Path, file: Locked) -> bytes:
    return checked(folder / file.path, file.sha256)
