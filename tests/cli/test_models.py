"""`wardgate models add detoxify`, from a checkpoint to the detector that a policy gets."""

import json
import sys

import pytest
from click.testing import CliRunner

from gateway.cli import main
from gateway.detectors.source import Detectors
from tests.detoxify_checkpoint import Made, make_checkpoint


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Made:
    return make_checkpoint(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture
def settings(tmp_path):
    file = tmp_path / "wardgate.yaml"
    file.write_text("data: kept/\n")
    return file


def run(made, settings, *more):
    named = ["--checkpoint", made.checkpoint, "--config", made.config, "--config", settings]
    return CliRunner().invoke(
        main, [str(word) for word in ("models", "add", "detoxify", *named, *more)]
    )


def test_an_added_checkpoint_is_what_the_detector_runs(made, settings):
    text = settings.with_name("texts.txt")
    text.write_text("thank you for the help\n\nyou idiot\n")

    done = run(made, settings, "--text", text, "--name", "house")

    assert done.exit_code == 0, done.output
    assert "Largest absolute difference from torch on 3 texts:" in done.output
    assert "fp32" in done.output
    assert "int8" in done.output
    detectors = Detectors(settings.with_name("kept"))
    version = detectors.build("toxicity", {}).version
    detectors.close()
    assert version.startswith("detoxify/house@")
    assert version in done.output


def test_data_is_json(made, settings):
    done = run(made, settings, "--json", "--precision", "fp32")

    found = json.loads(done.stdout)
    assert done.exit_code == 0
    assert found["version"].startswith("detoxify/tiny@")
    assert found["folder"] == str(settings.with_name("kept") / "models" / "toxicity")
    assert found["differences"].keys() == {"fp32", "int8"}


def test_too_large_a_difference_adds_nothing_and_exits_with_1(made, settings):
    done = run(made, settings, "--max-difference", "0.000000001")

    assert done.exit_code == 1
    assert "Nothing was added" in done.output
    assert not list(settings.with_name("kept").rglob("*.onnx"))


def test_what_is_no_checkpoint_exits_with_1(made, settings):
    done = run(Made(made.config / "config.json", made.config), settings)

    assert done.exit_code == 1
    assert "--trusted" in done.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--name", "../up"], "--name"),
        (["--text", "{made}"], "UTF-8"),
        (["--text", "{empty}"], "no text"),
        (["--config", "{made}"], "--config"),
        (["--max-difference", "2"], "--max-difference"),
        (["--precision", "int4"], "--precision"),
        (["--text", "nowhere.txt"], "nowhere.txt"),
    ],
    ids=["name", "binary-text", "empty-text", "files", "bound", "precision", "no-file"],
)
def test_misuse_exits_with_2(made, settings, words, said):
    empty = settings.with_name("empty.txt")
    empty.write_text(" \n")
    words = [word.format(made=made.checkpoint, empty=empty) for word in words]

    done = run(made, settings, *words)

    assert done.exit_code == 2
    assert said in done.output


def test_wrong_settings_are_told_and_exit_with_1(made, settings):
    settings.write_text("dota: x\n")

    done = run(made, settings)

    assert done.exit_code == 1
    assert "dota" in done.output


def test_without_the_extra_it_says_what_to_install(made, settings, monkeypatch):
    monkeypatch.setitem(sys.modules, "detoxify", None)  # As an import finds what is not there.

    done = run(made, settings)

    assert done.exit_code == 2
    assert "the extra `detoxify`" in done.output
