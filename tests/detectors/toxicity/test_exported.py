"""The exported model at run time: verified, windowed, and one window at a time."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import NotReady
from gateway.detectors.toxicity import exported

LONG = "you are an idiot, thank you for the help! " * 100


def test_no_manifest_is_no_model(tmp_path):
    assert exported.load(tmp_path) is None


def test_it_says_which_model_it_is(detoxify_model, added):
    assert detoxify_model.version == f"detoxify/tiny@{added.manifest.model.sha256[:12]}"
    assert detoxify_model.labels == added.manifest.labels


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_changed_file_is_not_ready(folder, name):
    (file,) = folder.glob(f"*/{name}")
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)

    with pytest.raises(NotReady, match="SHA-256"):
        exported.load(folder)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_a_missing_file_is_not_ready(folder, name):
    (file,) = folder.glob(f"*/{name}")
    file.unlink()

    with pytest.raises(NotReady, match=name):
        exported.load(folder)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:-5],
        lambda text: "[]",
        lambda text: text.replace('"labels"', '"lables"'),
        lambda text: text.replace('"max_length": 512', '"max_length": "many"'),
    ],
    ids=["cut", "a-list", "misspelt", "mistyped"],
)
def test_a_manifest_that_cannot_be_read_is_not_ready(folder, spoil):
    manifest = folder / exported.MANIFEST
    manifest.write_text(spoil(manifest.read_text()))

    with pytest.raises(NotReady, match="models add detoxify"):
        exported.load(folder)


def test_a_longer_window_than_512_is_never_believed(folder):
    manifest = folder / exported.MANIFEST
    fields = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**fields, "max_length": 4096}))

    model = exported.load(folder)

    assert model
    assert max(len(window) for window in model.windows(LONG)) == 512


def test_a_long_text_is_cut_into_overlapping_windows_that_miss_nothing(detoxify_model):
    windows = detoxify_model.windows(LONG)
    inner = [window[1:-1] for window in windows]  # Each has the model's own first and last token.
    joined = list(inner[0])
    for window in inner[1:]:
        overlap = min(len(window), 128)
        assert window[:overlap] == joined[-overlap:]
        joined += window[overlap:]

    detoxify_model._tokenizer.no_truncation()
    whole = detoxify_model.windows(LONG)[0][1:-1]
    detoxify_model._tokenizer.enable_truncation(512, stride=128)
    assert len(windows) > 2
    assert all(len(window) <= 512 for window in windows)
    assert joined == whole


def test_the_score_is_the_highest_of_the_windows(detoxify_model):
    rows = [detoxify_model.run(window) for window in detoxify_model.windows(LONG)]

    assert detoxify_model.score(LONG) == [max(column) for column in zip(*rows, strict=True)]


def test_scores_differ_from_text_to_text(detoxify_model):
    assert detoxify_model.score("you idiot") != detoxify_model.score("thank you for the help")


@given(st.text(st.characters(codec=None), max_size=300))
def test_any_text_has_scores_from_0_to_1(detoxify_model, text):
    scores = detoxify_model.score(text)

    assert len(scores) == 6
    assert all(0 <= score <= 1 for score in scores)
