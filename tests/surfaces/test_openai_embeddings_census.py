"""Nothing of the current embeddings request is unknown: the official client is the judge."""

from openai.types import EmbeddingCreateParams
from typing_extensions import get_type_hints

from gateway.surfaces.census import rows
from gateway.surfaces.openai_embeddings_census import REQUEST
from tests.surfaces.test_openai_completions_census import unsaid

HINTS = get_type_hints(EmbeddingCreateParams)


def test_every_field_of_the_official_client_is_declared():
    assert [
        place for name, hint in HINTS.items() for place in unsaid(hint, REQUEST.fields[name], name)
    ] == []
    assert REQUEST.fields.keys() == HINTS.keys()


def test_every_place_of_free_text_is_guarded_or_refused():
    typed = {row.path for row in rows(REQUEST) if row.detail.startswith("a string")}
    assert typed == {"model"}
    assert {row.path: row.fate for row in rows(REQUEST) if row.fate != "typed"} == {
        "input": "guarded",
        "input[]": "guarded",
        "input[][]": "refused",
        "user": "guarded",
    }
