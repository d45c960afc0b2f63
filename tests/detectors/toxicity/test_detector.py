"""The detector: which windows it reports, under which name, and that no neighbour matters."""

import asyncio
import random
import threading
import time
from collections.abc import Sequence

import pytest

from gateway.core.model import Finding, Window
from gateway.core.ports import Reach
from gateway.core.windows import NUDGE
from gateway.detectors.lane import JobFailed
from gateway.detectors.toxicity.detector import LABELS, Engine
from tests.detectors.contract import DetectorContract, windows_of

pytestmark = pytest.mark.anyio

TEXTS = (
    "You are a worthless piece of shit.",
    "Thank you for your help.",
    "I hate you so much!",
    "",
    "   \n\t ",
    "you idiot " * 300,
    "\ud800\u0000\U000e0041\u202e zalgo\u0335\u0321 \U0001f92c",
    "\u4f60\u662f\u4e2a\u767d\u75f4",
)


KIND = "Thank you for the kind help with my garden, it grows well this year. "
INSULT = "You are a worthless piece of shit."


class TestEmbedded(DetectorContract):
    text = KIND * 9 + INSULT + " " + KIND * 4
    exact = False

    @pytest.fixture
    def detector(self, embedded_model):
        engine = Engine(embedded_model)
        yield engine.build({})
        engine.close()

    @pytest.mark.parametrize("place", range(0, 400, 13))
    async def test_no_cut_hides_an_insult(self, detector, place):
        text = (KIND * 6)[:place] + " " + INSULT + " " + KIND * 6

        windows = windows_of(text, detector)

        found = await detector.detect(windows)
        assert not any(await detector.detect(windows_of(KIND * 12, detector)))
        assert any(
            window.start + window.core_start <= place + len(INSULT)
            and place < window.start + window.core_end
            for window, findings in zip(windows, found, strict=True)
            if findings
        )


class TestDetoxify(DetectorContract):
    text = KIND * 20
    exact = False

    @pytest.fixture
    def detector(self, detoxify_model):
        engine = Engine(detoxify_model)
        yield engine.build({"min_score": 0.0})  # Random weights: what it reports means nothing.
        engine.close()


def window(text: str, before: int = 0, after: int = 0) -> Window:
    return Window(text, start=0, core_start=before, core_end=len(text) - after)


class Slow:
    """A model that waits to be let go, or fails."""

    version = "slow"
    labels = ("toxic",)
    reach = Reach(min=200, max=320, before=100, after=50)
    budget = 1.0

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go = threading.Event()
        self.scored: list[str] = []
        self.threads: set[str] = set()

    def score(self, text: str) -> Sequence[float]:
        self.threads.add(threading.current_thread().name)
        self.begun.set()
        self.go.wait(5)
        if text == "secret":
            raise ValueError(text)
        self.scored.append(text)
        return [1.0]


async def test_a_finding_is_the_whole_core_and_says_which_model(engine):
    detector = engine.build({"min_score": 0.0})

    (findings,) = await detector.detect([window("  You are an idiot. ", before=2, after=1)])

    assert [finding.label for finding in findings] == list(detector.emits)
    assert {(found.start, found.end) for found in findings} == {(2, 19)}
    assert {(found.detector, found.version) for found in findings} == {
        ("toxicity", engine.model.version)
    }
    assert all(0 <= found.score <= 1 for found in findings)


async def test_only_labels_that_reach_min_score_are_reported(embedded_model):
    engine = Engine(embedded_model)
    texts = [window("You are a worthless piece of shit."), window("What is a cell?")]

    plain = await engine.build({}).detect(texts)
    strict = await engine.build({"min_score": 0.99}).detect(texts)

    assert [[found.label for found in findings] for findings in plain] == [
        ["toxicity.toxic", "toxicity.obscene", "toxicity.insult"],
        [],
    ]
    assert [[found.label for found in findings] for findings in strict] == [["toxicity.toxic"], []]


async def test_a_window_scores_the_same_alone_batched_and_reordered(engine):
    detector = engine.build({"min_score": 0.0})
    windows = [window(text) for text in TEXTS]
    order = random.Random(3).sample(range(len(windows)), len(windows))

    alone = [(await detector.detect([each]))[0] for each in windows]
    batched = await detector.detect(windows)
    reordered = await detector.detect([windows[place] for place in order])

    assert batched == alone
    assert reordered == [alone[place] for place in order]


async def test_white_space_and_nothing_are_no_finding(engine):
    detector = engine.build({"min_score": 0.0})

    assert await detector.detect([window(""), window(" \n\t ")]) == [[], []]
    assert await detector.detect([]) == []


async def test_the_loop_stays_free_and_one_thread_does_the_work():
    model = Slow()
    detector = Engine(model).build({})

    async with asyncio.TaskGroup() as tasks:
        looks = [tasks.create_task(detector.detect([window("a")])) for _ in range(3)]
        await asyncio.to_thread(model.begun.wait, 5)
        before = time.perf_counter()
        await asyncio.sleep(0)
        assert time.perf_counter() - before < 1
        model.go.set()

    expected = [[Finding("toxicity.toxic", 1.0, 0, 1, "toxicity", "slow")]]
    assert [look.result() for look in looks] == [expected] * 3
    assert model.threads == {"toxicity-0"}


async def test_who_stops_waiting_stops_the_work():
    model = Slow()
    engine = Engine(model)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await engine.build({}).detect([window("a"), window("b"), window("c")])
    model.go.set()
    await engine.scores(["d"])

    assert "c" not in model.scored
    assert model.scored[-1] == "d"


async def test_a_failure_is_raised_without_its_words():
    model = Slow()
    model.go.set()

    with pytest.raises(JobFailed) as failure:
        await Engine(model).build({}).detect([window("secret")])

    assert "secret" not in str(failure.value)


async def test_labels_are_those_of_the_contract(engine):
    emits = engine.build({}).emits

    assert set(emits) <= {f"toxicity.{label}" for label in LABELS}
    assert len(emits) == len(set(emits))


async def test_equal_options_have_equal_fingerprints(engine):
    plain, same, other = (
        engine.build(options) for options in ({}, {"min_score": 0.5}, {"min_score": 0.6})
    )

    assert plain.fingerprint == same.fingerprint != other.fingerprint
    assert plain.version in plain.fingerprint


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"min_scor": 0.4}, "min_scor"),
        ({"min_score": 1.1}, "from 0 to 1"),
        ({"min_score": "0.4"}, "from 0 to 1"),
        ({"min_score": True}, "from 0 to 1"),
        ({"min_score": float("nan")}, "from 0 to 1"),
    ],
    ids=["unknown", "too-high", "text", "boolean", "nan"],
)
async def test_a_wrong_option_is_refused(options, said):
    with pytest.raises(ValueError, match=said):
        Engine(Slow()).build(options)


async def test_an_added_model_is_used_and_else_the_embedded_one(added, tmp_path):
    assert Engine.load(added.folder.parents[1]).model.version.startswith("detoxify/tiny@")
    assert Engine.load(tmp_path).model.version == "toxic-comment-classifier-0.3.0/embedded"


def test_a_window_is_one_run_of_a_detoxify_model(detoxify_model):
    reach = detoxify_model.reach
    longest = reach.before + reach.max + NUDGE + reach.after

    assert len(detoxify_model.windows("\u00e9" * longest)) == 1
    assert len(detoxify_model.windows("! " * (longest // 2))) == 1
    assert len(detoxify_model.windows("!" * longest)) == 1
