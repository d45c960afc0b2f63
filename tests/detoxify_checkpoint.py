"""A small checkpoint in Detoxify's own format: a random BERT with a configuration and a tokenizer.

Its weights mean nothing; its format is what `Detoxify(checkpoint=…)` reads, down to a `model_type`
that names a model of the hub. Without torch this raises, and the tests that need it fail by name.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.detectors.toxicity.checkpoint import quiet

ORIGINAL = ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")
UNBIASED = (
    "toxicity",
    "severe_toxicity",
    "obscene",
    "identity_attack",
    "insult",
    "threat",
    "sexual_explicit",
)

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
VOCABULARY = (
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *_LETTERS,
    *(f"##{letter}" for letter in _LETTERS),
    *".,!?'\"-",
    *("you", "are", "thank", "help", "idiot", "kill", "the", "process"),
)


@dataclass(frozen=True)
class Made:
    checkpoint: Path
    config: Path


def make_checkpoint(
    folder: Path,
    *,
    classes: Sequence[str] = ORIGINAL,
    outputs: int | None = None,
    change: Callable[[dict[str, Any]], None] = lambda saved: None,
) -> Made:
    """Write `folder/tiny.ckpt` and `folder/config`; `change` may spoil what is saved."""
    with quiet():
        import torch  # noqa: PLC0415 - heavy, and quiet only from here on
        from transformers import BertConfig, BertForSequenceClassification  # noqa: PLC0415

        torch.manual_seed(7)
        sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
        shape: dict[str, Any] = {**sizes, "intermediate_size": 64, "vocab_size": len(VOCABULARY)}
        outputs = outputs or len(classes)
        model = BertForSequenceClassification(BertConfig(**{**shape, "num_labels": outputs}))
        with torch.no_grad():
            model.classifier.weight.mul_(30)  # Scores that differ from text to text.
        saved = {
            "config": {
                "arch": {"type": "BERT", "args": _arguments(outputs)},
                "dataset": {"type": "JigsawDataOriginal", "args": {"classes": list(classes)}},
            },
            "state_dict": model.state_dict(),
        }
        change(saved)
        made = Made(folder / "tiny.ckpt", folder / "config")
        # As it comes from the hub: it says nothing of six labels.
        BertConfig(**shape).save_pretrained(made.config)
        torch.save(saved, made.checkpoint)
    _write_tokenizer(made.config)
    return made


def _arguments(outputs: int) -> dict[str, Any]:
    return {
        "num_classes": outputs,
        "model_type": "bert-base-uncased",
        "model_name": "BertForSequenceClassification",
        "tokenizer_name": "BertTokenizer",
    }


def _write_tokenizer(config: Path) -> None:
    (config / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", "utf-8")
    settings = {"do_lower_case": True, "model_max_length": 512, "tokenizer_class": "BertTokenizer"}
    (config / "tokenizer_config.json").write_text(json.dumps(settings), "utf-8")
