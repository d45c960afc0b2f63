"""What was counted is read by label when somebody asks."""

from __future__ import annotations

import pytest

from gateway.services.tally import Tally
from gateway.telemetry import set_up


def test_counts_are_kept_by_their_labels() -> None:
    telemetry = set_up("wardgate")
    tally = Tally(telemetry.meter, "seen", ("who", "what"), "What was seen.")

    tally.add(1, "ann", "fox")
    tally.add(2, "ann", "fox")
    tally.add(5, "bob", "owl")

    lines = [line for line in telemetry.page().decode().splitlines() if line.startswith("seen")]
    assert [line.rsplit(" ", 1)[1] for line in sorted(lines)] == ["3.0", "5.0"]
    assert all('who="' in line and 'what="' in line for line in lines)


def test_a_label_without_its_value_is_a_mistake() -> None:
    telemetry = set_up("wardgate")
    tally = Tally(telemetry.meter, "seen", ("who", "what"), "What was seen.")

    with pytest.raises(AssertionError, match="each label"):
        tally.add(1, "ann")
