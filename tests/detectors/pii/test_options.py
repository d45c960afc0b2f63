"""A policy's options for pii: closed, bounded, with defaults that mean personal data."""

import pytest

from gateway.detectors.pii.options import DEFAULT_ENTITIES, PiiOptions


def test_absent_entities_are_what_most_policies_mean() -> None:
    assert PiiOptions().entities == DEFAULT_ENTITIES
    assert {"PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER", "CREDIT_CARD"} <= set(DEFAULT_ENTITIES)
    assert "UK_NHS" not in DEFAULT_ENTITIES


@pytest.mark.parametrize(
    "wrong",
    [
        {"languages": ["de"]},
        {"languages": []},
        {"entities": []},
        {"min_score": 1.1},
        {"min_score": -0.1},
        {"entity": ["PERSON"]},
        {"allow": "x"},
    ],
)
def test_anything_else_is_refused(wrong) -> None:
    with pytest.raises(ValueError):
        PiiOptions.model_validate(wrong)
