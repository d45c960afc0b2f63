"""A Detoxify checkpoint, opened by the real `detoxify` package with no network and all its weights.

Only `wardgate models add detoxify` comes here: torch, transformers and detoxify are of the extra
`detoxify` and never needed to serve. Nothing here may ask a hub, or take noise for weights.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false

from __future__ import annotations

import json
import os
import shutil
import warnings
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LABELS = {
    "toxicity": "toxic",
    "severe_toxicity": "severe_toxic",
    "obscene": "obscene",
    "threat": "threat",
    "insult": "insult",
    "identity_attack": "identity_hate",
    "sexual_explicit": "sexual_explicit",
}
"""Detoxify's names of its classes, and ours."""


class CheckpointRefused(ValueError):
    """The checkpoint was not added. Says what is wrong with it and how to mend it."""


@dataclass(frozen=True, slots=True)
class Source:
    """A checkpoint in Detoxify's own format and the folder with its config.json and tokenizer."""

    checkpoint: Path
    config: Path
    name: str
    is_trusted: bool = False
    """Whether the checkpoint may run code as it is read."""


@contextmanager
def quiet() -> Generator[None]:
    """No hub, no progress bars, and no warnings of libraries about themselves."""
    os.environ["HF_HUB_OFFLINE"] = "1"  # noqa: TID251 - said to huggingface_hub, before its import
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from transformers.utils import logging

        logging.set_verbosity_error()
        logging.disable_progress_bar()
        yield


def loaded(source: Source, workspace: Path) -> Any:
    """The checkpoint in the real Detoxify class, every weight of it as it was saved.

    Detoxify asks the hub for `model_type` even when it is given a local configuration, so a copy
    of the checkpoint names that configuration instead.
    """
    import torch
    from detoxify import Detoxify

    saved = _saved(source)
    local = str(_configuration(source.config, workspace, saved))
    saved["config"]["arch"]["args"]["model_type"] = local
    copy = workspace / "checkpoint"
    torch.save(saved, copy)
    try:
        detoxify = Detoxify(checkpoint=str(copy), huggingface_config_path=local)
    except Exception as error:
        raise CheckpointRefused(
            f"Detoxify cannot load the checkpoint with this configuration: {error}"
        ) from error
    detoxify.model.eval()
    _same_weights(detoxify.model.state_dict(), saved["state_dict"])
    if unknown := [name for name in detoxify.class_names if name not in LABELS]:
        raise CheckpointRefused(f"class `{unknown[0]}` is none of: {', '.join(LABELS)}.")
    return detoxify


def _saved(source: Source) -> dict[str, Any]:
    """What Detoxify needs of the checkpoint. Detoxify itself would let any pickle run."""
    import torch

    try:
        saved = torch.load(
            source.checkpoint, map_location="cpu", weights_only=not source.is_trusted
        )
    except Exception as error:
        raise CheckpointRefused(
            "the checkpoint cannot be read as plain tensors. If you trust where it comes from, "
            "give --trusted: it may then run code while it is read."
        ) from error
    try:
        kept = {name: saved[name] for name in ("config", "state_dict")}
        _ = kept["config"]["arch"]["args"]["num_classes"], kept["config"]["dataset"]["args"]
    except (KeyError, TypeError) as error:
        raise CheckpointRefused(
            "the checkpoint is not in Detoxify's format: it needs `state_dict` and `config` "
            "with arch.args and dataset.args, as Detoxify's training saves them."
        ) from error
    return kept


def _configuration(config: Path, workspace: Path, saved: Mapping[str, Any]) -> Path:
    """A copy of the configuration, without weights, that has as many labels as the checkpoint."""
    local = workspace / "config"
    local.mkdir()
    for file in config.iterdir():
        if file.is_file() and file.suffix in {".json", ".txt", ".model"}:
            shutil.copy(file, local)
    try:
        settings = json.loads((local / "config.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointRefused("the configuration folder has no readable config.json.") from error
    classes = saved["config"]["arch"]["args"]["num_classes"]
    labels = [f"LABEL_{number}" for number in range(classes)]
    settings.pop("num_labels", None)
    settings["id2label"] = dict(enumerate(labels))
    settings["label2id"] = {label: number for number, label in enumerate(labels)}
    (local / "config.json").write_text(json.dumps(settings), "utf-8")
    return local


def _same_weights(model: Mapping[str, Any], checkpoint: Mapping[str, Any]) -> None:
    """Refuse what transformers does: it fills what a checkpoint lacks with noise, and logs it."""
    for name, tensor in model.items():
        given = checkpoint.get(name)
        if given is None or not tensor.equal(given):
            raise CheckpointRefused(f"the checkpoint has no weights for `{name}` of this model.")
