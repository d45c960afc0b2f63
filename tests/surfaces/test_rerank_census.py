"""Nothing of a rerank request that clients send is unknown: LiteLLM's type, made of Cohere's, is the judge."""

from litellm.types.rerank import RerankRequest

from gateway.surfaces.census import rows
from gateway.surfaces.rerank_census import REQUEST

ENGINES_OWN = {"truncate_prompt_tokens", "truncation_side", "max_tokens_per_query"}
"""vLLM's: a model's `extra` admits them."""


def test_every_published_field_is_declared():
    assert RerankRequest.model_fields.keys() - REQUEST.fields.keys() == ENGINES_OWN


def test_every_place_of_free_text_is_guarded_or_refused():
    typed = {row.path for row in rows(REQUEST) if row.detail.startswith("a string")}
    assert typed == {"model"}
    assert {row.path: row.fate for row in rows(REQUEST) if row.fate != "typed"} == {
        "query": "guarded",
        "documents[]": "guarded",
        "documents[].text": "guarded",
        "documents[].image": "refused",
        "instruction": "guarded",
        "rank_fields": "refused",
        "user": "guarded",
    }
