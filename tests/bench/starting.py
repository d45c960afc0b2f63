"""How long a start takes, to what its own detectors take to load; and what a worker weighs."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.bench.figures import Row, median_ratio, spread
from tests.bench.gateways import WARDGATE, settings_file
from tests.bench.pace import Pace
from tests.bench.processes import GATEWAY_CORE, answers, child, environment

_LOAD = """
import pathlib, sys, yaml
from gateway.detectors.source import Detectors
source = Detectors(pathlib.Path(sys.argv[1]))
for name, options in yaml.safe_load(sys.stdin):
    source.build(name, options)
source.close()
"""


def starting(upstream: str, folder: Path, pace: Pace) -> list[Row]:
    """From exec to ready, with the shipped policies, against a process that only builds their detectors."""
    started: list[float] = []
    loaded: list[float] = []
    weight = 0.0
    wanted = _shipped_detectors()
    _load(folder, wanted)  # warms the disk's cache
    for number in range(pace.starts):
        loaded.append(_load(folder, wanted))
        took, weight = _start(upstream, folder / f"start-{number}")
        started.append(took)
    note = f"{spread(started, loaded)}; {min(started):.1f} s to {min(loaded):.1f} s at best"
    figure = median_ratio(started, loaded)
    return [
        Row("serve ready / loading its detectors", figure, at_most=10, unit=" x", note=note),
        Row("memory of one worker, shipped policies", weight, unit=" MB", note="RSS when ready"),
    ]


def _shipped_detectors() -> str:
    """Every detector of the shipped policies with its options, as YAML."""
    import yaml  # noqa: PLC0415

    from gateway.settings import shipped_policies  # noqa: PLC0415

    wanted: list[tuple[str, Any]] = []
    for file in sorted(shipped_policies().glob("*.yaml")):
        wanted += yaml.safe_load(file.read_text()).get("detectors", {}).items()
    return yaml.safe_dump([list(one) for one in wanted])


def _load(folder: Path, wanted: str) -> float:
    command = ["taskset", "-c", str(GATEWAY_CORE), sys.executable, "-c", _LOAD, str(folder)]
    began = time.perf_counter()
    subprocess.run(command, input=wanted, text=True, check=True, env=environment(), cwd=folder)
    return time.perf_counter() - began


def _start(upstream: str, home: Path) -> tuple[float, float]:
    """Seconds until ready, and megabytes then."""
    file, port = settings_file(upstream, home, own_policies=False)
    began = time.perf_counter()
    with child("serve", [*WARDGATE, "serve", "--config", file], GATEWAY_CORE, home) as one:
        answers(f"http://127.0.0.1:{port}/readyz", one)
        return time.perf_counter() - began, one.rss()
