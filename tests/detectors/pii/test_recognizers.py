"""Presidio's recognizers: all English ones, none that reaches the network, none that logs text."""

import logging

import pytest

from gateway.detectors.pii.recognizers import NAMES, entity_names, shelf
from tests.detectors.pii.samples import STOCK_PATTERNS


@pytest.fixture(scope="module")
def recognizers():
    return shelf()


def test_every_entity_of_the_stock_registry_is_there_and_those_it_ships_switched_off(recognizers):
    known = set(entity_names(recognizers))
    assert set(STOCK_PATTERNS) | NAMES <= known
    assert {"UK_NINO", "US_NPI", "AU_TFN"} <= known
    assert "EMAIL" not in known


def test_an_entity_of_the_registry_is_found_by_the_registrys_recognizers_alone(recognizers) -> None:
    finders = [each for each in recognizers if "PHONE_NUMBER" in each.supported_entities]
    assert [type(each).__name__ for each in finders] == ["PhoneRecognizer"]


def test_no_recognizer_needs_a_model_or_a_service(recognizers) -> None:
    names = " ".join(type(each).__name__ for each in recognizers)
    assert not any(word in names for word in ("Spacy", "Azure", "LangExtract", "GLiNER", "Ner"))


def test_an_address_is_checked_with_the_suffixes_that_are_packaged(
    recognizers, socket_disabled
) -> None:
    (email,) = (each for each in recognizers if type(each).__name__ == "EmailRecognizer")
    assert email.validate_result("a@example.co.uk") is True
    assert email.validate_result("a@example.notasuffix1") is False


@pytest.mark.parametrize("address", ["bob@corp.example", "ann@mail.internal", "x@xn--p1ai.lan"])
def test_an_organisations_own_domain_is_an_address_with_the_patterns_score(
    recognizers, address: str
) -> None:
    (email,) = (each for each in recognizers if type(each).__name__ == "EmailRecognizer")

    [found] = email.analyze(f"write to {address} now", ["EMAIL_ADDRESS"])

    assert (found.start, found.end, found.score) == (9, 9 + len(address), 0.5)


@pytest.mark.parametrize(
    "address",
    ["bob@example.com1", "bob@example.com_x", "bob@example.com\u0332", "bob@उदाहरण.भारत"],
)
def test_what_is_stuck_to_an_address_does_not_hide_it(recognizers, address: str) -> None:
    (email,) = (each for each in recognizers if type(each).__name__ == "EmailRecognizer")

    [found] = email.analyze(f"write to {address} now", ["EMAIL_ADDRESS"])

    assert (found.start, found.end) == (9, 9 + len(address))


@pytest.mark.parametrize("version", ["react@18.2.0", "lib@1.2.0-beta", "lib@1.2.0.rc1", "x@1.2.b"])
def test_a_version_is_no_address(recognizers, version: str) -> None:
    (email,) = (each for each in recognizers if type(each).__name__ == "EmailRecognizer")

    assert email.analyze(f"npm i {version}", ["EMAIL_ADDRESS"]) == []


def test_presidio_says_nothing_of_what_it_reads(recognizers, caplog) -> None:
    (iban,) = (each for each in recognizers if type(each).__name__ == "IbanRecognizer")
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("presidio-analyzer").error("Failed to validate text %s", "CANARY")
        iban.analyze("IBAN DE89 3704 0044 0532 0130 00", ["IBAN_CODE"])
    assert caplog.text == ""
