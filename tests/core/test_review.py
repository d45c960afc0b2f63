"""What a review is before anyone has looked at it."""

from gateway.core.model import Stage
from gateway.core.review import Choice, Review, ReviewState, Verdict


def test_a_review_begins_open_and_undecided() -> None:
    review = Review("r1", "c1", Stage.OUTPUT, "default", "p@0", ("threats",), ("toxicity.threat",))

    assert review.state is ReviewState.OPEN
    assert review.choice is None


def test_a_verdict_is_one_of_three_and_names_who_gave_it() -> None:
    assert {choice.value for choice in Choice} == {"approve", "edit", "block"}
    assert Verdict(Choice.APPROVE, by="cli").edits == ()
