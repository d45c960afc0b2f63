"""Child processes on a core of their own, and what they cost: CPU of the whole tree, and memory."""

from __future__ import annotations

import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GATEWAY_CORE, LOAD_CORE = (0, 1) if len(os.sched_getaffinity(0)) > 1 else (0, 0)


@dataclass(frozen=True, slots=True)
class Child:
    """A process that this run started, and that ends with it."""

    name: str
    process: subprocess.Popen[str]
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def cpu(self) -> float:
        """Seconds of CPU that the process and its children have used, all threads, ended ones too."""
        return sum(_cpu_of(pid) for pid in tree(self.pid))

    def rss(self) -> float:
        """Megabytes resident, of the process and its children."""
        return sum(_rss_of(pid) for pid in tree(self.pid))


def tree(pid: int) -> list[int]:
    """The process and all its living descendants."""
    found = [pid]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*"):
            found.extend(int(child) for child in (task / "children").read_text().split())
    return found


def _cpu_of(pid: int) -> float:
    # The kernel's CPU clock of another process: nanoseconds, whereas /proc/PID/stat counts ticks of 10 ms
    # and schedstat forgets the threads that ended. The id is clock_getcpuclockid(3)'s.
    return time.clock_gettime((~pid << 3) | 2)


def _rss_of(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def environment(**more: str) -> dict[str, str]:
    """The environment of a child. Bytecode is written: without it every start compiles anew."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}  # noqa: TID251
    return {**kept, "PYTHONPATH": str(ROOT), **more}


@contextmanager
def child(
    name: str,
    command: Sequence[str | Path],
    core: int,
    folder: Path,
    env: Mapping[str, str] | None = None,
) -> Iterator[Child]:
    """The command at work on one core while the block runs; its words go into a file of the folder."""
    log = folder / f"{name}.log"
    pinned = ["taskset", "-c", str(core), *map(str, command)]
    with log.open("w") as told:
        process = subprocess.Popen(
            pinned,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=told,
            text=True,
            cwd=folder,
            env=dict(env or environment()),
        )
    # taskset becomes the command (exec), so this pid is the command's own.
    with process:
        try:
            yield Child(name, process, log)
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


def answers(url: str, one: Child, within: float = 90) -> float:
    """Wait for a 200; seconds that it took. Raise RuntimeError with the log's end when it never comes."""
    began = time.perf_counter()
    while time.perf_counter() - began < within and one.process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2) as reply:  # noqa: S310 - loopback
                if reply.status == 200:
                    return time.perf_counter() - began
        except (urllib.error.URLError, OSError):
            time.sleep(0.01)
    raise RuntimeError(f"{one.name} does not answer: {one.log.read_text()[-2000:]}")
