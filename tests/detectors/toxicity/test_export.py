"""From checkpoint to a model that runs: only what was compared with torch is ever added."""

import hashlib
import json

import pytest

from gateway.detectors.toxicity import exported
from gateway.detectors.toxicity.checkpoint import CheckpointRefused, Source, loaded, quiet
from gateway.detectors.toxicity.export import FP32_BOUND, SAMPLES, add
from tests.detoxify_checkpoint import UNBIASED, make_checkpoint


def run(made, data, **changes):
    arguments = {"texts": (), "precision": "int8", "bound": 0.05, **changes}
    return add(Source(made.checkpoint, made.config, "tiny"), data, **arguments)


def _loaded(data):
    model = exported.load(data / exported.FOLDER)
    assert model
    return model


def test_it_measures_both_precisions_against_torch(added):
    differences = added.manifest.differences

    assert differences.keys() == {"fp32", "int8"}
    assert 0 < differences["fp32"] < FP32_BOUND
    assert differences["fp32"] < differences["int8"] < 0.05
    assert added.texts == len(SAMPLES) + 1


def test_what_runs_scores_as_the_real_detoxify(made, tmp_path):
    room = tmp_path / "room"
    room.mkdir()
    with quiet():
        detoxify = loaded(Source(made.checkpoint, made.config, "tiny"), room)
    data = tmp_path / "data"
    added = run(made, data, precision="fp32", texts=("hello",))
    model = _loaded(data)

    for text in ("you are an idiot", "thank you for the help!", "\u00e9t\u00e9", "a" * 400):
        assert model.score(text) == pytest.approx(list(detoxify.predict(text).values()), abs=1e-5)
    assert added.texts == 2


def test_the_manifest_says_what_it_is_and_what_it_was_made_from(added, made):
    written = json.loads((added.folder / "manifest.json").read_text())

    assert written["name"] == "tiny"
    assert written["precision"] == "int8"
    assert written["max_length"] == 512
    assert written["checkpoint"] == hashlib.sha256(made.checkpoint.read_bytes()).hexdigest()
    assert written["made_with"].keys() == {"detoxify", "onnxruntime", "torch", "transformers"}


def test_outputs_beyond_the_classes_are_left_out(tmp_path):
    made = make_checkpoint(tmp_path, classes=UNBIASED, outputs=16)

    run(made, tmp_path / "data")

    model = _loaded(tmp_path / "data")
    assert model.labels[0] == "toxic"
    assert model.labels[-1] == "sexual_explicit"
    assert len(model.score("you idiot")) == 7


@pytest.mark.parametrize("precision", ["int8", "fp32"])
def test_int8_beyond_the_bound_adds_nothing_and_fp32_still_can(made, tmp_path, precision):
    if precision == "fp32":
        run(made, tmp_path, precision="fp32", bound=1e-9)
        assert _loaded(tmp_path)
        return

    with pytest.raises(CheckpointRefused, match="--precision fp32"):
        run(made, tmp_path, bound=1e-9)
    assert list((tmp_path / exported.FOLDER).iterdir()) == []


def test_a_model_that_scores_no_numbers_is_refused(tmp_path):
    def spoil(saved):
        saved["state_dict"]["classifier.bias"][2] = float("nan")

    made = make_checkpoint(tmp_path, change=spoil)

    with pytest.raises(CheckpointRefused):
        run(made, tmp_path / "data")


def test_another_model_takes_over_in_one_step(made, tmp_path):
    first = run(made, tmp_path)
    second = run(made, tmp_path, precision="fp32")

    model = _loaded(tmp_path)
    assert model.version == second.manifest.version != first.manifest.version
    assert sorted(file.name for file in second.folder.iterdir() if file.is_file()) == [
        "manifest.json"
    ]
    assert not list(second.folder.glob(".export-*"))
