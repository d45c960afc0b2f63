"""Coverage-guided fuzzing runs on every parser, and a run that finds a fault says so and keeps the input."""

from __future__ import annotations

from pathlib import Path

import atheris
import pytest

from tests.fuzz import __main__ as fuzzing


def test_the_engine_is_here() -> None:
    """Where it is not, this file fails and does not skip: the engine is in the lock of tests."""
    assert atheris.Fuzz


@pytest.mark.parametrize("name", fuzzing.TARGETS)
def test_a_second_of_fuzzing_breaks_no_parser(name: str, tmp_path: Path) -> None:
    ran = fuzzing.run(name, 1, tmp_path)

    assert ran.well, ran.told[-4000:]
    assert ran.executions > 50


def test_a_planted_fault_is_found_and_its_input_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fuzzing, "KEPT", tmp_path / "kept")

    ran = fuzzing.run("planted", 30, tmp_path)

    assert not ran.well
    assert ran.crash is not None
    assert ran.crash.read_bytes().startswith(b"WG!")
    assert "PlantedError" in ran.told


def test_every_target_has_its_turn() -> None:
    here = Path(fuzzing.__file__).parent
    files = {path.stem.removeprefix("atheris_") for path in here.glob("atheris_*.py")}

    assert files == {*fuzzing.TARGETS, "planted"}
