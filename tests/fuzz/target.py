"""One target in its own process: `python -m tests.fuzz.target NAME FOLDER SECONDS [CRASH]`.

The gateway is instrumented as it is imported, so nothing here may import it first. libFuzzer ends the
process itself: 0 when the time is over, otherwise with what broke written beside the corpus.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import atheris

ONE_INPUT_SECONDS = 10
MEMORY_MB = 2048


def main(name: str, folder: Path, seconds: int, crash: str | None) -> None:
    planted = f"{__package__}.atheris_planted"
    with atheris.instrument_imports(include=["gateway", planted]):  # pyright: ignore[reportAttributeAccessIssue]
        module = importlib.import_module(f"tests.fuzz.atheris_{name}")
        seeds = importlib.import_module("tests.fuzz.seeds")
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(module.SEEDS):
        (corpus / f"seed-{number}").write_bytes(seed)
    dictionary = folder / "words.dict"
    dictionary.write_text("".join(f'"\\"{word}\\""\n' for word in seeds.words()))
    flags = [
        f"-max_total_time={seconds}",
        f"-timeout={ONE_INPUT_SECONDS}",
        f"-rss_limit_mb={MEMORY_MB}",
        "-max_len=4096",
        f"-dict={dictionary}",
        f"-artifact_prefix={folder}/",
    ]
    atheris.Setup([sys.argv[0], *flags, crash or str(corpus)], module.look)
    atheris.Fuzz()


if __name__ == "__main__":
    given = sys.argv[1:]
    main(given[0], Path(given[1]), int(given[2]), given[3] if len(given) > 3 else None)
