"""`python -m tests.fuzz SECONDS [TARGET …]`: coverage-guided fuzzing, the time divided over the targets.

Each runs in a process of its own. It prints the executions of each, and fails if any target broke or
never ran. Inputs that broke one stay in `var/fuzz`.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "var" / "fuzz"
TARGETS = ("intake", "walkers", "sse", "views", "decoders")
START_SECONDS = 120
"""What a target may take beyond its time, to be imported and instrumented on a busy machine."""
_DONE = re.compile(r"Done (\d+) (?:runs )?in (\d+) second")


@dataclass(frozen=True, slots=True)
class Ran:
    """How a target's run went. `crash` is the input that broke it, or None."""

    name: str
    executions: int
    status: int
    crash: Path | None
    told: str

    @property
    def well(self) -> bool:
        return self.status == 0 and self.executions > 0


def run(name: str, seconds: int, folder: Path) -> Ran:
    """Fuzz one target for so long; what it finds lies in `folder`."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.target", name, str(folder), str(seconds)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=seconds + START_SECONDS,
        check=False,
    )
    lines = (done.stdout + done.stderr).splitlines(keepends=True)
    told = "".join(line for line in lines if "INFO: Instrumenting" not in line)
    count = _DONE.search(told)
    broke = [one for sort in ("crash", "timeout", "oom") for one in folder.glob(f"{sort}-*")]
    crash = kept(broke[0], name) if broke else None
    return Ran(name, int(count[1]) if count else 0, done.returncode, crash, told)


def kept(crash: Path, name: str) -> Path:
    """The input, where it outlives the run."""
    KEPT.mkdir(parents=True, exist_ok=True)
    return crash.rename(KEPT / f"{name}-{crash.name}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    asked = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    asked.add_argument("seconds", type=int, help="in all")
    asked.add_argument("targets", nargs="*", default=TARGETS, help=", ".join(TARGETS))
    given = asked.parse_args()
    wrong = 0
    for name in given.targets:
        with tempfile.TemporaryDirectory() as folder:
            ran = run(name, max(1, given.seconds // len(given.targets)), Path(folder))
        _say(f"{name:<10} {ran.executions:>9} executions")
        if not ran.well:
            wrong += 1
            _say(f"{ran.told[-4000:]}\n{name} broke; the input: {ran.crash}")
            _say(f"again: python -m tests.fuzz.target {name} var/fuzz/again 1 {ran.crash}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
