"""Where `shared/` lies: beside this checkout, or beside the one that it was cloned from."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def shared() -> Path:
    """The folder; where there is none, the place beside this checkout, so that a failure names it."""
    beside = ROOT.parent / "shared"
    if beside.is_dir():
        return beside
    origin = subprocess.run(
        ["git", "-C", str(ROOT), "config", "remote.origin.url"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    there = Path(origin).parent / "shared"
    return there if origin.startswith("/") and there.is_dir() else beside
