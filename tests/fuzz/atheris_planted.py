"""No parser: a fault planted three bytes deep, to show that a run finds one and fails."""

from __future__ import annotations


class PlantedError(Exception):
    """What has to be found."""


def look(data: bytes) -> None:
    if data[:1] == b"W" and data[1:2] == b"G" and data[2:3] == b"!":
        raise PlantedError


SEEDS = (b"----",)
