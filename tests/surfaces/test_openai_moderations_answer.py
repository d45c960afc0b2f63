"""What moderations answers: OpenAI's categories from the policy's rulings, and no claim without a look."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types import ModerationCreateResponse

from gateway.core.model import Call
from gateway.core.policy import Ruling
from gateway.surfaces.openai_moderations import OpenAIModerations
from tests.surfaces.judging import SCANNED, judgement, ruling

MODERATIONS = OpenAIModerations()
CATEGORIES = {
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "illicit",
    "illicit/violent",
    "self-harm",
    "self-harm/instructions",
    "self-harm/intent",
    "sexual",
    "sexual/minors",
    "violence",
    "violence/graphic",
}
LOOKED_AT = {
    "harassment",
    "harassment/threatening",
    "hate",
    "hate/threatening",
    "violence",
}


def parse(asked: Any) -> Call:
    return MODERATIONS.parse("c1", orjson.dumps({"input": asked}))


def answered(call: Call, *rulings: tuple[Ruling, ...], coverage=SCANNED) -> dict[str, Any]:
    body = orjson.loads(MODERATIONS.judged(call, judgement(call, *rulings, coverage=coverage)))
    ModerationCreateResponse.model_validate(body)
    return body


def result(*rulings: Ruling, coverage=SCANNED) -> dict[str, Any]:
    (only,) = answered(parse("hello"), rulings, coverage=coverage)["results"]
    return only


def true(answer: dict[str, Any]) -> set[str]:
    return {name for name, is_met in answer["categories"].items() if is_met}


def test_all_published_categories_are_answered():
    body = answered(parse("hello"))
    (one,) = body["results"]
    assert (body["id"], body["model"]) == ("modr-c1", "wardgate")
    for told in ("categories", "category_scores", "category_applied_input_types"):
        assert set(one[told]) == CATEGORIES
    assert not one["flagged"]
    assert one["wardgate"] == {"action": "allow", "labels": {}}


def test_the_list_of_categories_is_the_official_clients():
    (one,) = ModerationCreateResponse.model_validate(answered(parse("hello"))).results
    for told in (one.categories, one.category_scores, one.category_applied_input_types):
        named = {field.alias or name for name, field in type(told).model_fields.items()}
        assert named == CATEGORIES


@pytest.mark.parametrize(
    ("label", "met"),
    [
        ("toxicity.toxic", {"harassment"}),
        ("toxicity.insult", {"harassment"}),
        ("toxicity.obscene", {"harassment"}),
        ("toxicity.threat", {"harassment/threatening", "violence"}),
        ("toxicity.identity_hate", {"hate"}),
        ("toxicity.sexual_explicit", {"sexual"}),
        ("toxicity.severe_toxic", set()),
        ("pii.person", set()),
        ("detector.failed.toxicity", set()),
    ],
)
def test_each_label_meets_its_categories_and_flags(label, met):
    one = result(ruling(label, score=0.7))
    assert true(one) == met
    assert {name for name, score in one["category_scores"].items() if score == 0.7} == met
    assert one["flagged"]
    assert one["wardgate"] == {"action": "flag", "labels": {label: 0.7}}


def test_a_category_scores_as_its_surest_label():
    one = result(ruling("toxicity.insult", score=0.3), ruling("toxicity.toxic", score=0.8))
    assert one["category_scores"]["harassment"] == 0.8


def test_of_several_findings_of_one_label_the_surest_counts():
    one = result(*(ruling("toxicity.toxic", score=score) for score in (0.3, 0.8, 0.5)))
    assert one["category_scores"]["harassment"] == 0.8
    assert one["wardgate"]["labels"] == {"toxicity.toxic": 0.8}


def test_threatening_hate_needs_both_and_scores_as_the_lesser():
    one = result(ruling("toxicity.identity_hate", score=0.9), ruling("toxicity.threat", score=0.4))
    assert one["category_scores"]["hate/threatening"] == 0.4
    assert true(one) == {"hate", "hate/threatening", "harassment/threatening", "violence"}


def test_what_a_rule_allows_is_scored_but_not_flagged():
    one = result(ruling("toxicity.toxic", "allow", 0.6))
    assert (one["flagged"], true(one)) == (False, set())
    assert one["category_scores"]["harassment"] == 0.6


def test_a_finding_of_score_zero_that_is_ruled_on_counts():
    assert true(result(ruling("toxicity.toxic", "block", 0.0))) == {"harassment"}


@pytest.mark.parametrize("action", ["flag", "redact", "hold", "block"])
def test_any_action_but_allow_flags(action):
    one = result(ruling("keyword.projects", action))
    assert one["flagged"]
    assert one["wardgate"]["action"] == action


@pytest.mark.parametrize("looked", ["scanned", "cached"])
def test_only_what_is_looked_at_is_said_to_be_applied(looked):
    told = result(coverage={"toxicity": looked})["category_applied_input_types"]
    assert {name for name, types in told.items() if types == ["text"]} == LOOKED_AT
    assert all(told[name] == [] for name in CATEGORIES - LOOKED_AT)


def test_what_only_some_models_know_is_applied_where_one_has_seen_it():
    """The embedded model has no word for it: to say that it looked would be untrue."""
    seen = result(ruling("toxicity.sexual_explicit", "allow"))
    assert seen["category_applied_input_types"]["sexual"] == ["text"]
    assert result()["category_applied_input_types"]["sexual"] == []


@pytest.mark.parametrize(
    "coverage",
    [{}, {"toxicity": "failed"}, {"toxicity": "not_run"}, {"pii": "scanned"}],
)
def test_without_a_look_at_toxicity_no_category_is_applied(coverage):
    told = result(coverage=coverage)["category_applied_input_types"]
    assert set(map(tuple, told.values())) == {()}


def test_each_string_has_its_own_result_and_an_empty_one_was_not_looked_at():
    call = parse(["fine", "", "bad"])
    first, empty, last = answered(call, (), (ruling("toxicity.toxic"),))["results"]
    assert [one["flagged"] for one in (first, empty, last)] == [False, False, True]
    assert first["category_applied_input_types"]["hate"] == ["text"]
    assert empty["category_applied_input_types"]["hate"] == []


def test_the_parts_of_one_text_have_one_result():
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    (one,) = answered(parse(parts), (ruling("toxicity.toxic"),))["results"]
    assert one["flagged"]


LABELS = st.sampled_from(["toxicity.toxic", "toxicity.threat", "toxicity.identity_hate", "pii.x"])
RULINGS = st.lists(
    st.builds(ruling, LABELS, st.sampled_from(["allow", "flag", "block"]), st.floats(0, 1))
)


@given(st.lists(st.text(max_size=3), min_size=1, max_size=4), st.data())
def test_there_are_as_many_results_as_strings_and_none_is_true_that_is_not_flagged(texts, data):
    call = parse(texts)
    rulings = [tuple(data.draw(RULINGS)) for _ in call.passages]
    results = answered(call, *rulings)["results"]
    assert len(results) == len(texts)
    assert all(one["flagged"] for one in results if true(one))
