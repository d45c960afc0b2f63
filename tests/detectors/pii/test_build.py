"""Detectors of one workshop share what is heavy; spaCy's weights load only when names are asked for."""

import subprocess
import sys

import pytest

from gateway.detectors.pii.options import PiiOptions


def test_weights_are_shared_and_only_where_names_are_asked_for(workshop) -> None:
    one = workshop.build(PiiOptions(entities=("PERSON",)))
    two = workshop.build(PiiOptions(entities=("LOCATION", "URL")))
    none = workshop.build(PiiOptions(entities=("URL",)))
    assert one.names is two.names is not None
    assert none.names is None
    assert one.lane is two.lane is none.lane


def test_the_version_names_the_library_and_the_model(workshop) -> None:
    names = workshop.build(PiiOptions(entities=("PERSON",)))
    patterns = workshop.build(PiiOptions(entities=("URL",)))
    assert names.version == "presidio-2.2.366+core_web_sm-3.8.0"
    assert patterns.version == "presidio-2.2.366+patterns"


@pytest.mark.parametrize(
    ("entity", "hint"), [("EMAIL_ADRESS", "EMAIL_ADDRESS"), ("us_ssn", "US_SSN")]
)
def test_an_unknown_entity_is_named_with_the_nearest_known(workshop, entity, hint) -> None:
    with pytest.raises(ValueError, match=rf"unknown entity '{entity}'. Did you mean {hint}\?"):
        workshop.build(PiiOptions(entities=("URL", entity)))


OFFLINE = """
import socket, sys, asyncio
def refuse(*_, **__): raise AssertionError("asked the network")
socket.socket.connect = refuse; socket.getaddrinfo = refuse; socket.create_connection = refuse
from gateway.core.model import Window
from gateway.detectors.pii.build import PiiWorkshop
from gateway.detectors.pii.options import PiiOptions
assert "spacy" not in sys.modules and "presidio_analyzer" not in sys.modules
text = "Maria Garcia of Madrid: maria@example.co.uk, see example.com"
for entities, expected in ((("URL", "EMAIL_ADDRESS"), 2), (("PERSON", "LOCATION", "EMAIL_ADDRESS"), 3)):
    detector = PiiWorkshop().build(PiiOptions(entities=entities))
    (found,) = asyncio.run(detector.detect([Window(text, 0, 0, len(text))]))
    labels = {finding.label for finding in found}
    assert len(labels) == expected, labels
assert "torch" not in sys.modules and "transformers" not in sys.modules
print("done")
"""


def test_a_fresh_process_loads_and_looks_without_the_network_and_without_torch() -> None:
    done = subprocess.run(
        [sys.executable, "-c", OFFLINE], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.stdout == "done\n", done.stderr
    assert done.stderr == ""
