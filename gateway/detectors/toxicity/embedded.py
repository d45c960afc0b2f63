"""The small model of a fresh machine: the BiLSTM of toxic-comment-classifier, without TensorFlow.

Its weights become an ONNX graph in memory and its vocabulary is read out of its tokenizer file,
both checked by SHA-256. Measured against the package itself (TensorFlow 2.21) on 333 texts: the
same words, scores within 2.4e-7. It differs from the package on purpose in two things: it looks
at all of a long text (the package keeps the last 100 known words), and it splits at all white
space and at quotation marks of print, which the package takes for letters.
It must not unpickle anything: `pickletools` names the opcodes of a file and runs none of them.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false

from __future__ import annotations

import io
import pickletools
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from gateway.core.errors import NotReady
from gateway.core.ports import Reach
from gateway.detectors.toxicity.session import Session, checked, opened

VERSION = "toxic-comment-classifier-0.3.0/embedded"
LABELS = ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")

_PACKAGE = "toxic-comment-classifier"
_WEIGHTS = "toxic_classifier/model/model.weights.h5"
_TOKENIZER = "toxic_classifier/model/tokenizer.pickle"
_SHA256 = {
    _WEIGHTS: "03ed4c3f52be909821a8c3263de2dcd65b95908bfae6f569c9a9cec90538a4b3",
    _TOKENIZER: "d8e998211d68c5264b84c6eb6753f08897194038e0345e91a592f97cd38c125c",
}

_LENGTH = 100
"""Words that the network sees at once; shorter texts are padded in front with word 0."""
_STEP = 50
"""How far apart two looks at a longer text begin."""
_WORDS = 20_000
_UNITS = 50

# What the package splits at, and quotation marks and dashes of print, which it takes for letters.
_SPLIT = str.maketrans(
    dict.fromkeys('!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~', " ")
    | dict.fromkeys("\u201c\u201d\u201e\u2018\u00ab\u00bb\u2013\u2014\u2026", " ")
    | {"\u2019": "'"}
)


class EmbeddedModel:
    """Scores a text for the six Jigsaw labels, in one network run for each look at it."""

    version = VERSION
    labels = LABELS
    reach = Reach(min=200, max=320, before=100, after=50)
    """About 60 words, one look; a sentence cut by one core's end is nearly whole in a window."""
    budget = 5.0  # A batch of 32 takes about 10 ms.

    def __init__(self, session: Session, vocabulary: Mapping[str, int]) -> None:
        self._session = session
        self._vocabulary = vocabulary

    def score(self, text: str) -> Sequence[float]:
        """The highest score of each label over all looks at the text."""
        looks = [self._run(look) for look in _looks(self._words(text))]
        return [max(scores) for scores in zip(*looks, strict=True)]

    def _words(self, text: str) -> list[int]:
        """The numbers of the words that the model knows; it never sees the others."""
        known = self._vocabulary
        words = text.lower().translate(_SPLIT).split()
        numbers = (known.get(word) or known.get(word.strip("'")) for word in words)
        return [number for number in numbers if number]

    def _run(self, words: Sequence[int]) -> list[float]:
        import numpy as np

        padded = np.zeros((_LENGTH, 1), np.int64)
        if words:
            padded[-len(words) :, 0] = words
        return self._session.run(None, {"words": padded})[0][0].tolist()


def load() -> EmbeddedModel:
    """The model out of the installed package, whose own code is never imported."""
    vocabulary = _vocabulary(_file(_TOKENIZER))
    return EmbeddedModel(opened(_graph(_file(_WEIGHTS))), vocabulary)


def _looks(words: Sequence[int]) -> Iterator[Sequence[int]]:
    """Pieces that the network can see at once, overlapping; the last ends where the text ends."""
    last = max(0, len(words) - _LENGTH)
    for start in (*range(0, last, _STEP), last):
        yield words[start : start + _LENGTH]


def _file(name: str) -> bytes:
    try:
        path = Path(str(metadata.distribution(_PACKAGE).locate_file(name)))
    except metadata.PackageNotFoundError as error:
        raise NotReady(
            f"toxicity needs the weights of {_PACKAGE}==0.3.0. Install requirements/run.txt."
        ) from error
    return checked(path, _SHA256[name])


def _vocabulary(tokenizer: bytes) -> dict[str, int]:
    """Each known word's number: its rank, from 1, by how often the tokenizer counted it.

    The counts are the first dictionary of the file: strings, each followed by its integer. Of
    words counted equally often the one seen first comes first, as Keras has it.
    """
    counts: dict[str, int] = {}
    word = ""
    for opcode, value, _ in pickletools.genops(io.BytesIO(tokenizer)):
        if value == "word_docs":  # The name of the next dictionary; this one is complete.
            break
        if isinstance(value, str):
            word = value
        elif isinstance(value, int) and opcode.name in {"BININT", "BININT1", "BININT2"}:
            counts[word] = value
    ranked = sorted(counts, key=lambda known: counts[known], reverse=True)
    return {known: number for number, known in enumerate(ranked[: _WORDS - 1], 1)}


def _graph(weights: bytes) -> bytes:
    """The network of the package's `model.py` as ONNX."""
    from onnx import TensorProto, helper, numpy_helper

    nodes = [
        helper.make_node("Gather", ["embedding", "words"], ["embedded"]),
        helper.make_node(
            "LSTM",
            ["embedded", "kernel", "recurrent", "bias"],
            ["states"],
            hidden_size=_UNITS,
            direction="bidirectional",
        ),
        helper.make_node("ReduceMax", ["states", "time"], ["strongest"], keepdims=0),
        helper.make_node("Reshape", ["strongest", "flat"], ["pooled"]),
        helper.make_node("Gemm", ["pooled", "dense_0", "dense_1"], ["inner"]),
        helper.make_node("Relu", ["inner"], ["active"]),
        helper.make_node("Gemm", ["active", "output_0", "output_1"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], ["scores"]),
    ]
    graph = helper.make_graph(
        nodes,
        "toxicity",
        [helper.make_tensor_value_info("words", TensorProto.INT64, [_LENGTH, 1])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, len(LABELS)])],
        [numpy_helper.from_array(value, name) for name, value in _tensors(weights).items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    return model.SerializeToString()


def _tensors(weights: bytes) -> dict[str, Any]:
    """The package's weights, in the order and shape that ONNX wants."""
    import h5py
    import numpy as np

    def gates(values: Any) -> Any:
        """Keras keeps the gates as input, forget, cell, output; ONNX wants i, o, f, c."""
        i, f, c, o = np.split(values, 4, axis=-1)
        return np.concatenate([i, o, f, c], axis=-1)

    with h5py.File(io.BytesIO(weights), "r") as file:
        kept = {name: np.asarray(file[f"layers/{path}/{index}"]) for name, path, index in _LAYERS}
    sides = ("forward", "backward")
    still = np.zeros(4 * _UNITS, np.float32)  # Keras has no second bias.
    return {
        **{name: kept[name] for name in kept if not name.startswith(sides)},
        "kernel": np.stack([gates(kept[f"{side}_0"]).T for side in sides]),
        "recurrent": np.stack([gates(kept[f"{side}_1"]).T for side in sides]),
        "bias": np.stack([np.concatenate([gates(kept[f"{side}_2"]), still]) for side in sides]),
        "time": np.array([0], np.int64),
        "flat": np.array([1, 2 * _UNITS], np.int64),
    }


_LAYERS = [
    ("embedding", "embedding/vars", 0),
    *((f"forward_{i}", "bidirectional/forward_layer/cell/vars", i) for i in range(3)),
    *((f"backward_{i}", "bidirectional/backward_layer/cell/vars", i) for i in range(3)),
    *((f"dense_{i}", "dense/vars", i) for i in range(2)),
    *((f"output_{i}", "dense_1/vars", i) for i in range(2)),
]
