"""Texts with personal data in them, and how tests read a detector's answers. All data is invented."""

import json
from collections.abc import Iterator

from gateway.core.model import Window
from gateway.detectors.pii.detector import PiiDetector
from gateway.detectors.pii.hits import Hit
from tests.shared import shared

SEVEN = (
    "PERSON",
    "LOCATION",
    "EMAIL_ADDRESS",
    "PHONE_NUMBER",
    "CREDIT_CARD",
    "US_SSN",
    "IP_ADDRESS",
)
NAMED = ("PERSON", "LOCATION", "ORGANIZATION", "NRP", "DATE_TIME")
STOCK_PATTERNS = (
    "CREDIT_CARD",
    "CRYPTO",
    "EMAIL_ADDRESS",
    "IBAN_CODE",
    "IP_ADDRESS",
    "MAC_ADDRESS",
    "MEDICAL_LICENSE",
    "PHONE_NUMBER",
    "UK_NHS",
    "URL",
    "US_BANK_NUMBER",
    "US_DRIVER_LICENSE",
    "US_ITIN",
    "US_PASSPORT",
    "US_SSN",
    "UUID",
)
"""What Presidio's English registry finds without a model."""

TABLE = (
    "my ssn is 457-55-5462 and my card number 4111 1111 1111 1111.",
    "457-55-5462",
    "bank account 945456787654, routing; account 945456787654",
    "Please call (212) 555-0123 or +44 20 7946 0958 ext. 12 before noon, phone 030 23125 0",
    "He called 212-555-0123; she calls 212-555-0123; they were calling 212-555-0123.",
    "cell phones: 2125550123/2125550124, 12345 - 332-445-1234 is my number, 12(3): 211-227 (2003)",
    "write to maria.garcia@acme.org, o'neil+tag@sub.example.co.uk, not@valid, a@b.c",
    "IBAN DE89 3704 0044 0532 0130 00 and GB82WEST12345698765432 2 days from today",
    "hosts 192.168.10.77, 10.0.0.1/8, fe80::1ff:fe23:4567:890a, ::1 and 999.1.1.1",
    "wallet 1BoatSLRHtKNngkdXEeobR76b53LETtpyT, mac 00:1A:2B:3C:4D:5E, 0012.3456.789A",
    "driver license A123456, passport 912803456, itin 912-78-1234, taxpayer 912781234",
    "uuid 123e4567-e89b-12d3-a456-426614174000 see https://example.com/a?b=c and 'www.foo.org'",
    "NHS 943 476 5919; DEA BB1388568; dates 2012-01-02 08:00, 3/10/2011, 12-MAY-2020",
    "Zahl \u0664\u0661\u0661\u0661 \uff14111 e\u0301mail: j\u00fcrgen@b\u00fccher.de",
    "\U0001f600 +1\u00a0650\u2011253\u20110000",
    "the social security number, which was going to be given and had been said, is 457555462",
    "tel:+1-201-555-0123;ext=45 or 1-800-555-0199 x 12 34 56 78 or 0039 06 698 12345",
    "",
    " ",
    "\n\n4111111111111111\n",
)


def labelled(every: int, most: int = 1_500) -> Iterator[str]:
    """Each n-th text of the labelled sets, where they lie beside the project; else nothing."""
    folder = shared() / "evals" / "pii"
    for file in sorted(folder.glob("*.jsonl")):
        rows = file.read_text("utf-8").splitlines()
        yield from (json.loads(row)["text"][:most] for row in rows[::every])


def hits(detector: PiiDetector, text: str) -> set[Hit]:
    """What the detector finds in a text looked at whole, in Presidio's words."""
    (found,) = detector._look([Window(text, 0, 0, len(text))])
    return {
        Hit(each.label.removeprefix("pii.").upper(), each.start, each.end, round(each.score, 9))
        for each in found
    }
