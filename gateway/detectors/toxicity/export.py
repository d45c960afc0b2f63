"""A Detoxify model as ONNX: exported, quantised, compared with torch, and only then added.

The real `detoxify` package is the measure of what comes out. Only `wardgate models add detoxify`
comes here, with torch at hand. Nothing may be added that was not compared first.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, TypeAlias

from gateway.detectors.toxicity import exported
from gateway.detectors.toxicity.checkpoint import LABELS, CheckpointRefused, Source, loaded, quiet
from gateway.detectors.toxicity.exported import ExportedModel, Locked, Manifest
from gateway.detectors.toxicity.session import opened

Precision: TypeAlias = Literal["int8", "fp32"]

FP32_BOUND = 1e-4
"""fp32 differs from torch by rounding alone; more than this is another model."""

SAMPLES = (
    "Thank you for your help, that was kind of you.",
    "You are an idiot and nobody wants to hear from you.",
    "Please kill the process and restart the server.",
    "I will find you and I will hurt you.",
    "What a load of crap, who wrote this rubbish?",
    "As a woman I was not welcome in that meeting.",
    "The patient was given 40 mg twice a day and recovered.",
    "\u00bfD\u00f3nde est\u00e1 la biblioteca? \u56fe\u4e66\u9986\u5728\u54ea\u91cc\uff1f",
)
"""Texts to compare on when the operator gives none."""


@dataclass(frozen=True, slots=True)
class Added:
    """What was added, and how it compared on how many texts."""

    manifest: Manifest
    folder: Path
    texts: int


def add(
    source: Source, data: Path, *, texts: Sequence[str], precision: Precision, bound: float
) -> Added:
    """Export the checkpoint, compare it with torch, and only then put it under `data`."""
    folder = data / exported.FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".export-", dir=folder) as room, quiet():
        workspace = Path(room)
        detoxify = loaded(source, workspace)
        manifest = _manifest(source, detoxify, precision)
        models = _export(detoxify, workspace)
        tokenizer = workspace / exported.TOKENIZER
        detoxify.tokenizer.backend_tokenizer.save(str(tokenizer))
        compared = list(texts or SAMPLES)
        compared.append(_long(compared, detoxify))
        runnable = {kind: _opened(path, tokenizer, manifest) for kind, path in models.items()}
        manifest.differences.update(_differences(detoxify, runnable, compared))
        _within(manifest.differences, precision, bound)
        manifest = _install(models[precision], tokenizer, folder, manifest)
    return Added(manifest, folder, len(compared))


def _manifest(source: Source, detoxify: Any, precision: Precision) -> Manifest:
    """All that is known before the files are: the rest is filled in later."""
    lengths = (detoxify.tokenizer.model_max_length, detoxify.model.config.max_position_embeddings)
    nothing = Locked("", "")
    return Manifest(
        name=source.name,
        labels=tuple(LABELS[name] for name in detoxify.class_names),
        max_length=min(exported.LONGEST, *lengths),
        precision=precision,
        model=nothing,
        tokenizer=nothing,
        checkpoint=_sha256(source.checkpoint),
        differences={},
        made_with={name: metadata.version(name) for name in _MAKERS},
    )


_MAKERS = ("detoxify", "onnxruntime", "torch", "transformers")


def _export(detoxify: Any, workspace: Path) -> dict[Precision, Path]:
    """The model as ONNX, from token numbers to scores, and the same with int8 weights."""
    import torch
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Scores(torch.nn.Module):
        """A model may have more outputs than classes; Detoxify reads the first ones."""

        def __init__(self) -> None:
            super().__init__()
            self.inner = detoxify.model

        def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
            logits = self.inner(input_ids=input_ids)[0]
            return torch.sigmoid(logits)[:, : len(detoxify.class_names)]

    fp32, shaped, int8 = (workspace / f"{name}.onnx" for name in ("fp32", "shaped", "int8"))
    # The exporter that traces: the newer one needs onnxscript and gave the same model, slower.
    torch.onnx.export(
        Scores().eval(),
        (torch.ones((2, 9), dtype=torch.int64),),
        str(fp32),
        input_names=["input_ids"],
        output_names=["scores"],
        dynamic_axes={"input_ids": {0: "batch", 1: "sequence"}, "scores": {0: "batch"}},
        opset_version=18,
        dynamo=False,
    )
    # Without this step int8 does nothing for ALBERT. Symbolic shapes fail on BERT's positions.
    quant_pre_process(str(fp32), str(shaped), skip_symbolic_shape=True)
    quantize_dynamic(str(shaped), str(int8), weight_type=QuantType.QInt8)
    return {"fp32": fp32, "int8": int8}


def _opened(model: Path, tokenizer: Path, manifest: Manifest) -> ExportedModel:
    from tokenizers import Tokenizer

    read = Tokenizer.from_file(str(tokenizer))
    return ExportedModel(opened(model.read_bytes()), read, manifest)


def _long(texts: Sequence[str], detoxify: Any) -> str:
    """One text of several windows: what was traced short must hold at full length."""
    joined = " ".join(texts)[: 4 * exported.LONGEST]
    tokens = len(detoxify.tokenizer(joined, truncation=True)["input_ids"])
    return " ".join([joined] * (1 + exported.LONGEST // tokens))


def _differences(
    detoxify: Any, models: Mapping[str, ExportedModel], texts: Sequence[str]
) -> dict[str, float]:
    """The largest absolute difference of any score of any text from Detoxify's own, by precision."""
    wide = dict[str, float].fromkeys(models, 0.0)
    for text in texts:
        theirs = _reference(detoxify, models["fp32"], text)
        for kind, model in models.items():
            pairs = zip(model.score(text), theirs, strict=True)
            apart = [abs(ours - their) for ours, their in pairs]
            # What is not a number compares with nothing, and would slip under every bound.
            wide[kind] = max(wide[kind], *apart) if all(map(math.isfinite, apart)) else math.inf
    return wide


def _reference(detoxify: Any, model: ExportedModel, text: str) -> list[float]:
    """Detoxify's scores: by its own `predict` where it reads all of the text, else by window."""
    import torch

    windows = model.windows(text)
    if len(windows) == 1:
        return list(detoxify.predict(text).values())
    with torch.no_grad():
        logits = [detoxify.model(input_ids=torch.tensor([window]))[0][0] for window in windows]
    scores = torch.stack(logits).sigmoid().amax(0)
    return scores[: len(detoxify.class_names)].tolist()


def _within(differences: Mapping[str, float], precision: Precision, bound: float) -> None:
    if differences["fp32"] > FP32_BOUND:
        raise CheckpointRefused(
            f"the export differs from torch by {differences['fp32']:.2g} in fp32, "
            f"where at most {FP32_BOUND:.0e} is rounding. Nothing was added."
        )
    if precision == "int8" and differences["int8"] > bound:
        raise CheckpointRefused(
            f"int8 differs from torch by {differences['int8']:.2g}, more than --max-difference "
            f"{bound:g}. Nothing was added. Give --precision fp32 for the slower, exact model."
        )


def _install(model: Path, tokenizer: Path, folder: Path, manifest: Manifest) -> Manifest:
    """Files first, under a name of their own; the manifest last and in one step.

    A start never sees half a model. Models added before stay where they are, unused.
    """
    hashes = _sha256(model), _sha256(tokenizer)
    home = folder / "-".join(digest[:12] for digest in hashes)
    home.mkdir(exist_ok=True)
    manifest = replace(
        manifest,
        model=Locked(f"{home.name}/{exported.MODEL}", hashes[0]),
        tokenizer=Locked(f"{home.name}/{exported.TOKENIZER}", hashes[1]),
    )
    model.replace(home / exported.MODEL)
    tokenizer.replace(home / exported.TOKENIZER)
    draft = home / exported.MANIFEST
    draft.write_text(manifest.written(), "utf-8")
    draft.replace(folder / exported.MANIFEST)
    return manifest


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
