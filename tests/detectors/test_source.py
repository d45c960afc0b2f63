"""Detectors by name: options are checked, what is heavy loads late and once."""

import subprocess
import sys

import pytest

from gateway.detectors.keywords import KeywordOptions
from gateway.detectors.lane import LaneClosed
from gateway.detectors.source import Detectors, read
from tests.detectors.contract import seen


@pytest.fixture
def detectors(tmp_path):
    detectors = Detectors(tmp_path)
    yield detectors
    detectors.close()


def test_it_knows_the_detectors_of_this_version(detectors) -> None:
    assert set(detectors.names()) == {"keywords", "obfuscation", "pii", "toxicity"}


async def test_a_built_detector_works(detectors) -> None:
    detector = detectors.build("keywords", {"lists": {"a": ["canary"]}})
    assert [finding.label for finding in await seen(detector, "a Canary")] == ["keyword.a"]


def test_equal_options_share_a_detector(detectors) -> None:
    options = {"lists": {"a": ["x"]}, "patterns": {"p": "y"}}
    assert detectors.build("keywords", options) is detectors.build(
        "keywords", dict(reversed(options.items()))
    )
    assert detectors.build("keywords", {}) is not detectors.build("keywords", options)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        (
            "pi",
            {},
            "Unknown detector 'pi'. Did you mean 'pii'? Known: keywords, obfuscation, pii, toxicity.",
        ),
        ("obfuscation", {"min_score": 1}, "obfuscation: unknown option 'min_score'."),
        ("keywords", {"list": {}}, "keywords: unknown option 'list'. Did you mean 'lists'?"),
        ("keywords", {"zzz": 1}, "keywords: unknown option 'zzz'. Known: lists, patterns."),
        ("keywords", {"lists": {"a": "x"}}, "keywords: option 'lists.a':"),
        ("keywords", {"patterns": {"p": "(?=x)"}}, "keywords: pattern 'p' is not an RE2"),
        ("pii", {"min_scor": 1}, "pii: unknown option 'min_scor'. Did you mean 'min_score'?"),
        ("pii", {"min_score": 7}, "pii: option 'min_score':"),
        ("pii", {"languages": ["tlh"]}, "pii: option 'languages.0':"),
        (
            "pii",
            {"entities": ["EMAIL_ADRESS"]},
            "unknown entity 'EMAIL_ADRESS'. Did you mean EMAIL",
        ),
    ],
)
def test_what_is_wrong_is_said_with_what_was_expected(detectors, name, options, said) -> None:
    with pytest.raises(ValueError) as caught:
        detectors.build(name, options)
    assert said in str(caught.value)


def test_every_wrong_option_is_named_at_once() -> None:
    with pytest.raises(ValueError, match=r"(?s)'list'.*'pattern'"):
        read("keywords", KeywordOptions, {"list": {}, "pattern": {}})


async def test_a_closed_source_takes_no_more_work(detectors) -> None:
    detector = detectors.build("keywords", {"lists": {"a": ["x"]}})
    detectors.close()
    with pytest.raises(LaneClosed):
        await seen(detector, "x")


def test_importing_it_loads_nothing_heavy() -> None:
    heavy = "spacy presidio_analyzer onnxruntime numpy re2 phonenumbers torch tokenizers h5py"
    code = f"import sys, gateway.detectors.source; print([m for m in {heavy.split()!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "[]\n"
