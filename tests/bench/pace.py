"""How long a run takes: all of it in under six minutes, the quick one in under ninety seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    rounds: int
    """Of every comparison; the median is told."""
    seconds: float
    """Of load in each round, for each target."""
    prompts: int
    """Of 221 words, in each round of detection."""
    conversations: int
    starts: int
    proxy: bool
    """Whether LiteLLM's proxy, which takes longest to start, is measured too."""


FULL = Pace(rounds=5, seconds=2.0, prompts=30, conversations=12, starts=3, proxy=True)
QUICK = Pace(rounds=3, seconds=0.7, prompts=10, conversations=3, starts=1, proxy=False)
