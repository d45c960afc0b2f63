"""What a policy may say under `detectors: {pii: …}`."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

DEFAULT_ENTITIES = (
    "PERSON",
    "LOCATION",
    "EMAIL_ADDRESS",
    "PHONE_NUMBER",
    "CREDIT_CARD",
    "IBAN_CODE",
    "CRYPTO",
    "IP_ADDRESS",
    "US_SSN",
    "US_ITIN",
    "US_PASSPORT",
    "MEDICAL_LICENSE",
)
"""What most policies mean by personal data. Not DATE_TIME, NRP or URL, which are everywhere; not
UK_NHS or US_BANK_NUMBER, whose patterns take telephone and order numbers for theirs."""


class PiiOptions(BaseModel):
    """Checked options; entity names are checked against Presidio when the detector is built."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    languages: tuple[Literal["en"], ...] = Field(default=("en",), min_length=1)
    """Languages of the text. English is the one that recognizers and weights are here for."""
    entities: tuple[str, ...] = Field(default=DEFAULT_ENTITIES, min_length=1)
    """Presidio's names of entities. Only what is named is looked for."""
    min_score: float = Field(default=0.4, ge=0.0, le=1.0)
    """Below this nothing is reported."""
    allow: frozenset[str] = frozenset()
    """Exact texts that are not personal data here, such as the help desk's address."""
