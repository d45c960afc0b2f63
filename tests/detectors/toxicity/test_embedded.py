"""The embedded model against the package that it was ported from."""

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.detectors.toxicity import embedded

LABELS = ("toxic", "severe_toxic", "obscene", "threat", "insult", "identity_hate")

# Computed by toxic-comment-classifier 0.3.0 itself (`ToxicCommentClassifier().classify`) with
# TensorFlow 2.21 and Keras on CPython 3.11, not by the code under test.
GOLDEN = {
    "": (0.067534, 0.0023729, 0.0293819, 0.0010057, 0.0153553, 0.0040062),
    "Thank you for your help, that was kind of you.": (
        *(0.0771348, 0.0003333, 0.012147, 0.0006813, 0.0262672, 0.0009192),
    ),
    "You are so dumb and stupid!": (
        *(0.9889403, 0.0725677, 0.6204292, 0.0193484, 0.8664075, 0.0407295),
    ),
    "I hate you so much!": (0.5565583, 0.0055265, 0.0464967, 0.0207058, 0.1310078, 0.076697),
    "Have a nice day :)": (0.0416102, 0.0003281, 0.0122548, 0.0002314, 0.0130209, 0.0016576),
    "I will kill you if you come near my house again.": (
        *(0.5391462, 0.0226773, 0.0931005, 0.0828304, 0.188215, 0.0847803),
    ),
    "You are a worthless piece of shit.": (
        *(0.9957151, 0.230905, 0.9643291, 0.0135192, 0.8919871, 0.0732814),
    ),
    "Please kill the zombie process and restart the server.": (
        *(0.324316, 0.0052021, 0.0440971, 0.0154668, 0.1048255, 0.0121919),
    ),
    "As a gay man I felt very welcome in that club.": (
        *(0.5860597, 0.011672, 0.079436, 0.0133248, 0.1743121, 0.3622243),
    ),
    "The patient was given 40 mg twice a day; bp 120/80, don't change it.": (
        *(0.0071527, 0.0000202, 0.0018298, 0.0000277, 0.0013321, 0.000167),
    ),
    "\u00bfD\u00f3nde est\u00e1 la biblioteca? \u56fe\u4e66\u9986\u5728\u54ea\u91cc\uff1f": (
        *(0.1019713, 0.0019545, 0.0306826, 0.001372, 0.0249276, 0.0052001),
    ),
    "the quick brown fox jumps over the lazy dog " * 9 + "you idiot": (
        *(0.961791, 0.0834602, 0.7241055, 0.0203741, 0.7750373, 0.0547899),
    ),
}
KIND = "thank you for the kind help with my garden "
INSULT = "You are a worthless piece of shit. "


@pytest.mark.parametrize("text", GOLDEN)
def test_it_scores_as_the_package_does(embedded_model, text):
    assert embedded_model.score(text) == pytest.approx(GOLDEN[text], abs=1e-6)


def test_it_has_the_labels_of_jigsaw(embedded_model):
    assert embedded_model.labels == LABELS
    assert embedded_model.version == "toxic-comment-classifier-0.3.0/embedded"


@pytest.mark.parametrize("place", [0, 10, 20, 40], ids=["first", "early", "middle", "last"])
def test_an_insult_anywhere_in_a_long_text_is_seen(embedded_model, place):
    text = KIND * place + INSULT + KIND * (40 - place)

    assert embedded_model.score(KIND * 40)[0] < 0.5
    assert embedded_model.score(text)[0] > 0.9


@pytest.mark.parametrize(
    "text",
    [
        "\u201cyou idiot\u201d",
        "'you' 'idiot'",
        "you\r\nidiot\r\n",
        "you\u2014idiot\u2026",
        "you\u00a0idiot",
    ],
    ids=["quoted", "single-quoted", "crlf", "dashed", "no-break-space"],
)
def test_print_hides_no_word(embedded_model, text):
    assert embedded_model.score(text) == embedded_model.score("you idiot")


def test_a_printed_apostrophe_is_an_apostrophe(embedded_model):
    assert embedded_model.score("don\u2019t") == embedded_model.score("don't")
    assert embedded_model.score("don't") != embedded_model.score("")


@given(st.text(st.characters(codec=None), max_size=300))
def test_any_text_has_six_scores_from_0_to_1(embedded_model, text):
    scores = embedded_model.score(text)

    assert len(scores) == 6
    assert all(0 <= score <= 1 for score in scores)


def test_what_is_looked_at_covers_every_word():
    for length in (0, 1, 99, 100, 101, 149, 150, 151, 1_000):
        looks = [list(look) for look in embedded._looks(range(length))]

        assert {word for look in looks for word in look} == set(range(length))
        assert all(len(look) <= 100 for look in looks)
        assert looks[-1][-1:] == list(range(length))[-1:]


def test_nothing_is_unpickled_and_the_package_never_imported():
    script = """if True:
        import json, sys
        found = []
        sys.addaudithook(lambda event, given: found.append(given[:2])
            if event == "pickle.find_class" else None)
        from gateway.detectors.toxicity import embedded
        embedded.load().score("you idiot")
        print(json.dumps([found, sorted({"toxic_classifier", "tensorflow"} & sys.modules.keys())]))
    """
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)

    assert json.loads(done.stdout) == [[], []]
