"""Judgements for surfaces that answer with them: rulings as a guard would make them."""

from gateway.core.model import Action, Call, Finding
from gateway.core.policy import Judged, Judgement, Ruling
from gateway.core.redact import Replace

SCANNED = {"pii": "scanned", "toxicity": "cached"}


def ruling(
    label: str,
    action: str = "flag",
    score: float = 0.9,
    span: tuple[int, int] = (0, 2),
    detector: str = "pii",
) -> Ruling:
    finding = Finding(label, score, *span, detector, "v1")
    return Ruling(f"rule-{label}", Action[action.upper()], finding, Replace())


def judgement(call: Call, *rulings: tuple[Ruling, ...], coverage=SCANNED) -> Judgement:
    """`rulings` of the first passages in order; the others met no rule."""
    given = [*rulings, *[()] * (len(call.passages) - len(rulings))]
    judged = tuple(
        Judged(passage, own, coverage) for passage, own in zip(call.passages, given, strict=True)
    )
    strictest = max((one.action for own in given for one in own), default=Action.ALLOW)
    return Judgement("house@0123456789ab", strictest, judged)
