"""`wardgate models`: bring a model that detectors run into the data directory.

Parses and prints; the work is done in `gateway.detectors`. Nothing is ever downloaded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click

from gateway.cli._configuration import json_option, print_json, settings_of
from gateway.detectors.toxicity.checkpoint import CheckpointRefused, Source
from gateway.detectors.toxicity.export import Added, Precision, add

_MISSING = (
    "torch, transformers or detoxify is missing ({name}). They are needed to read a checkpoint, "
    "not to serve it: install the extra `detoxify`."
)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def models() -> None:
    """Models that detectors run."""


@models.group(name="add")
def add_group() -> None:
    """Add a model to the data directory; it is used from the next start on."""


@dataclass(frozen=True, slots=True)
class Places:
    """What `--config` named: a checkpoint's own configuration, and perhaps wardgate.yaml."""

    model: Path
    settings: Path | None

    @classmethod
    def read(cls, paths: Sequence[Path]) -> Places:
        folders = [path for path in paths if path.is_dir()]
        files = [path for path in paths if not path.is_dir()]
        if len(folders) != 1 or len(files) > 1:
            raise click.UsageError(
                "--config is needed with the folder that holds the checkpoint's config.json and "
                "tokenizer, once; and may be given once more with a wardgate.yaml."
            )
        return cls(folders[0], files[0] if files else None)


@add_group.command()
@click.option(
    "--checkpoint", type=_FILE, required=True, help="The checkpoint, in Detoxify's own format."
)
@click.option(
    "--config",
    "configs",
    type=click.Path(exists=True, path_type=Path),
    required=True,
    multiple=True,
    help="The folder with the checkpoint's config.json and tokenizer; "
    "once more, with a file, to name another wardgate.yaml.",
)
@click.option("--text", type=_FILE, help="Texts to compare on, one on a line.")
@click.option("--name", help="What findings call the model. Default: the checkpoint's file name.")
@click.option(
    "--precision",
    type=click.Choice(["int8", "fp32"]),
    default="int8",
    show_default=True,
    help="int8 is a third of the work; fp32 is exact.",
)
@click.option(
    "--max-difference",
    type=click.FloatRange(0, 1),
    default=0.05,
    show_default=True,
    help="How far an int8 score may be from torch's.",
)
@click.option("--trusted", is_flag=True, help="Let the checkpoint run code while it is read.")
@json_option
def detoxify(
    *,
    checkpoint: Path,
    configs: tuple[Path, ...],
    text: Path | None,
    name: str | None,
    precision: Precision,
    max_difference: float,
    trusted: bool,
    as_json: bool,
) -> None:
    """Export a Detoxify checkpoint to ONNX, compare it with torch, and add it.

    Exits with 1, and adds nothing, when the two differ too much.
    """
    places = Places.read(configs)
    source = Source(checkpoint, places.model, _name(name or checkpoint.stem), is_trusted=trusted)
    data = settings_of(places.settings).data
    texts = _lines(text)
    try:
        added = add(source, data, texts=texts, precision=precision, bound=max_difference)
    except ModuleNotFoundError as error:
        raise click.UsageError(_MISSING.format(name=error.name)) from error
    except CheckpointRefused as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        print_json(_as_data(added))
    else:
        click.echo(_as_text(added))


def _name(name: str) -> str:
    if not (name.isascii() and name.replace("-", "").replace("_", "").replace(".", "").isalnum()):
        raise click.UsageError("--name is made of letters, digits, `-`, `_` and `.`.")
    return name


def _lines(file: Path | None) -> list[str]:
    try:
        lines = file.read_text("utf-8").splitlines() if file else []
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError("--text is a UTF-8 file with one text on a line.") from error
    texts = [line for line in lines if line.strip()]
    if file and not texts:
        raise click.UsageError("--text has no text in it.")
    return texts


def _as_data(added: Added) -> Mapping[str, Any]:
    found = {"version": added.manifest.version, "folder": str(added.folder), "texts": added.texts}
    return {**found, **asdict(added.manifest)}


def _as_text(added: Added) -> str:
    manifest = added.manifest
    rows = [
        f"Added {manifest.version} ({manifest.precision}) to {added.folder}.",
        f"Labels: {', '.join(manifest.labels)}.",
        f"Largest absolute difference from torch on {added.texts} texts:",
        *(f"  {kind}  {value:.2e}" for kind, value in sorted(manifest.differences.items())),
        "It is used from the next start on.",
    ]
    return "\n".join(rows)
