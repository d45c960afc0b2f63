"""`make bench`: every comparison in one run, interleaved, and one table. It never fails a build."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.bench import analyzer
from tests.bench.conversing import conversing
from tests.bench.crowding import crowding
from tests.bench.figures import Row, table
from tests.bench.flowing import SETS, flowing
from tests.bench.gateways import gateway
from tests.bench.guarding import guarding
from tests.bench.pace import FULL, QUICK, Pace
from tests.bench.passing import passing, streaming
from tests.bench.processes import GATEWAY_CORE, LOAD_CORE, ROOT, child
from tests.bench.proxies import bare_relay, collector, compile_venv, litellm, model_server
from tests.bench.starting import starting

PARTS = ("passing", "streaming", "flowing", "crowding", "guarding", "conversing", "starting")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--only", choices=PARTS, action="append", help="one part; may be repeated")
    asked = parser.parse_args()
    began = time.perf_counter()
    compile_venv(ROOT / ".venv")
    # On the disk of the checkout: /tmp may be memory, and the records of a gateway are fsynced.
    (ROOT / "var").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=ROOT / "var") as folder:
        rows = run(Path(folder), QUICK if asked.quick else FULL, asked.only or PARTS)
    print(f"\n{conditions()}; {time.perf_counter() - began:.0f} s\n\n{table(rows)}\n")


def conditions() -> str:
    """What the figures depend on."""
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return (
        f"Python {platform.python_version()}, {os.cpu_count()} cores (gateways on {GATEWAY_CORE}, load and "
        f"model server on {LOAD_CORE}), load average {load}. Medians of interleaved rounds; the note has "
        "the least and the largest round. A busy machine moves wall times first, CPU ratios less"
    )


def run(folder: Path, pace: Pace, parts: Sequence[str]) -> list[Row]:
    rows: list[Row] = []
    with ExitStack() as stack:
        # The load runs in this process.
        os.sched_setaffinity(0, {LOAD_CORE})
        upstream = stack.enter_context(model_server(folder))
        if "starting" in parts:
            _say("starting")
            rows += starting(upstream, folder, pace)
        if {"passing", "streaming"} & set(parts):
            rows += _calls(upstream, folder, pace, parts)
        if {"flowing", "crowding"} & set(parts):
            rows += _streams(upstream, folder, pace, parts)
        if "guarding" in parts:
            _say("guarding")
            rows += _detection(upstream, folder, pace)
        if "conversing" in parts:
            _say("conversing")
            with gateway("conversing", upstream, folder, ("pii", "pass")) as ours:
                rows += conversing(ours, pace)
    return rows


def _calls(upstream: str, folder: Path, pace: Pace, parts: Sequence[str]) -> list[Row]:
    """Calls that are looked at by no detector."""
    rows: list[Row] = []
    with ExitStack() as stack:
        floor = stack.enter_context(bare_relay(upstream, folder))
        plain = stack.enter_context(gateway("plain", upstream, folder, ("pass",)))
        if "streaming" in parts:
            _say("streaming")
            rows += streaming(floor, plain, pace)
        if "passing" in parts:
            _say("passing")
            endpoint = stack.enter_context(collector(folder))
            traced = stack.enter_context(
                gateway(
                    "traced", upstream, folder, ("pass",), telemetry={"otlp_endpoint": endpoint}
                )
            )
            proxy = stack.enter_context(litellm(upstream, folder)) if pace.proxy else None
            rows += passing(floor, plain, traced, proxy, pace)
            rows.append(Row("memory of one worker, no detectors", plain.child.rss(), unit=" MB"))
    return rows


def _streams(upstream: str, folder: Path, pace: Pace, parts: Sequence[str]) -> list[Row]:
    """Streams that are looked at; nothing is cached."""
    rows: list[Row] = []
    with ExitStack() as stack:
        ours = stack.enter_context(
            gateway("streams", upstream, folder, SETS, scan_cache_bytes=1, action="flag")
        )
        if "flowing" in parts:
            _say("flowing")
            floor = stack.enter_context(bare_relay(upstream, folder))
            rows += flowing(floor, ours, pace)
        if "crowding" in parts:
            _say("crowding")
            rows += crowding(ours)
    return rows


def _detection(upstream: str, folder: Path, pace: Pace) -> list[Row]:
    with ExitStack() as stack:
        command = [sys.executable, "-m", "tests.bench.analyzer"]
        floor = stack.enter_context(child("analyzer", command, GATEWAY_CORE, folder))
        # One byte holds no entry: every window is looked at, as if it were the first time.
        ours = stack.enter_context(
            gateway("guarding", upstream, folder, ("pii", "patterns"), scan_cache_bytes=1)
        )
        analyzer.ready(floor.process)
        return guarding(ours, floor, pace)


def _say(part: str) -> None:
    print(f"{part} ...", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
