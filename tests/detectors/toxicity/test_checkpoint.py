"""Which checkpoints are taken, and that the real Detoxify reads them with no network."""

import importlib.util

import pytest

from gateway.detectors.toxicity import checkpoint
from gateway.detectors.toxicity.checkpoint import CheckpointRefused, Source, loaded, quiet
from tests.detoxify_checkpoint import UNBIASED, make_checkpoint


class RunsCode:
    """What a hostile checkpoint holds: read by pickle, it calls what it likes."""

    def __reduce__(self):
        return (print, ("the checkpoint ran code",))


def load(made, workspace, *, is_trusted=False):
    with quiet():
        return loaded(Source(made.checkpoint, made.config, "tiny", is_trusted), workspace)


@pytest.mark.parametrize("name", ["torch", "transformers", "detoxify"])
def test_the_extra_is_installed_where_tests_run(name):
    assert importlib.util.find_spec(name), f"{name} is missing: `make test` installs it"


def test_the_real_detoxify_reads_it(made, tmp_path):
    found = load(made, tmp_path)

    assert type(found).__module__ == "detoxify.detoxify"
    assert found.class_names[0] == "toxicity"
    assert 0 <= found.predict("you idiot")["insult"] <= 1


def test_the_weights_are_those_of_the_checkpoint(made, tmp_path):
    import torch  # noqa: PLC0415 - heavy, and needed here alone

    saved = torch.load(made.checkpoint, weights_only=True)["state_dict"]

    held = load(made, tmp_path).model.state_dict()

    assert held.keys() == saved.keys()
    assert all(held[name].equal(saved[name]) for name in held)


def test_every_class_of_every_detoxify_model_has_a_label():
    assert set(UNBIASED) == checkpoint.LABELS.keys()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda saved: saved["state_dict"].pop("classifier.weight"), "classifier.weight"),
        (lambda saved: saved.pop("config"), "Detoxify's format"),
        (lambda saved: saved["config"].pop("dataset"), "Detoxify's format"),
        (lambda saved: saved.clear(), "Detoxify's format"),
        (lambda saved: saved["config"]["arch"]["args"].update(num_classes=9), "Detoxify cannot"),
        (lambda saved: saved["config"]["arch"]["args"].update(model_name="Nothing"), "cannot"),
        (lambda saved: saved["config"]["dataset"]["args"].update(classes=["rude"]), "`rude`"),
    ],
    ids=["no-head", "no-config", "no-classes", "empty", "too-wide", "unknown-model", "class"],
)
def test_what_is_not_whole_is_refused(tmp_path, change, said):
    made = make_checkpoint(tmp_path, change=change)
    room = tmp_path / "room"
    room.mkdir()

    with pytest.raises(CheckpointRefused, match=said):
        load(made, room)


def test_a_configuration_without_config_json_is_refused(tmp_path):
    made = make_checkpoint(tmp_path)
    (made.config / "config.json").unlink()
    room = tmp_path / "room"
    room.mkdir()

    with pytest.raises(CheckpointRefused, match=r"config\.json"):
        load(made, room)


def test_code_in_a_checkpoint_runs_only_when_it_is_trusted(tmp_path, capsys):
    def infect(saved):
        saved["config"]["extra"] = RunsCode()

    made = make_checkpoint(tmp_path, change=infect)
    rooms = [tmp_path / "first", tmp_path / "second"]
    for room in rooms:
        room.mkdir()

    with pytest.raises(CheckpointRefused, match="--trusted"):
        load(made, rooms[0])
    assert capsys.readouterr().out == ""

    load(made, rooms[1], is_trusted=True)
    assert "the checkpoint ran code" in capsys.readouterr().out
