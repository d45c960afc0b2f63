"""Personal data that is written so that only a machine reads it goes the way of all personal data.

The real pii detector behind the real guard; the whole of what was encoded is replaced.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from itertools import cycle
from urllib.parse import quote

import pytest

from gateway.core.model import Action, Form, Kind, Stage
from gateway.core.policy import decide
from gateway.core.ports import Detector
from gateway.core.strand import Strand
from gateway.detectors.obfuscation import ObfuscationDetector
from gateway.detectors.pii.build import PiiWorkshop
from gateway.detectors.pii.options import PiiOptions
from gateway.services.guard import Examination, spans
from gateway.services.looking import Ask
from tests.factories import make_field, make_force, make_guard, make_passage, make_rule

SAID = "mail john.doe@example.com now"
BASE64 = base64.b64encode(SAID.encode()).decode()
RULES = (make_rule("pii", "redact"), make_rule("obfuscation", "flag"))


@pytest.fixture(scope="module")
def pii() -> Iterator[Detector]:
    workshop = PiiWorkshop()
    yield workshop.build(PiiOptions(entities=("EMAIL_ADDRESS", "US_SSN", "CREDIT_CARD")))
    workshop.close()


async def examined(text: str, *detectors: Detector, form: Form = Form.PLAIN) -> Examination:
    kind = Kind.TEXT if form is Form.PLAIN else Kind.TOOL_ARGUMENTS
    passage = make_passage(make_field(text, form=form, kind=kind), stage=Stage.OUTPUT)
    return await make_guard().examine(make_force(*RULES, detectors=detectors), [passage])


ENCODED = {
    "url": "john.doe%40example.com",
    "url, all of it": quote("john.doe@", safe="").replace(".", "%2E") + "example%2Ecom",
    "html": "john.doe&#64;example.com",
    "html, hexadecimal": "john.doe&#x40;example&period;com",
    "base64": BASE64,
    "base64url, unpadded": base64.urlsafe_b64encode(SAID.encode()).decode().rstrip("="),
    "hex": SAID.encode().hex(),
    "hex, spaced": SAID.encode().hex(" "),
    "hex, escaped": "".join(f"\\x{byte:02x}" for byte in SAID.encode()),
    "base64 in a url": quote(BASE64, safe=""),
    "url in base64": base64.b64encode(quote(SAID, safe="").encode()).decode(),
    "url in html": "john.doe&#37;40example.com",
    "zero width": "jo\u200bhn.doe@exam\u2060ple.com",
    "full width": "john.doe\uff20example.com",
}


@pytest.mark.parametrize("form", ENCODED)
@pytest.mark.parametrize(
    "lead", ["", "It was said again and again, and so it is repeated here: " * 3]
)
async def test_an_address_is_redacted_with_all_that_encodes_it(
    form: str, lead: str, pii: Detector
) -> None:
    found = await examined(f"{lead}<< {ENCODED[form]} >> and so on.", pii)

    assert list(found.texts.values()) == [f"{lead}<< <EMAIL_ADDRESS> >> and so on."]
    hidden = form != "full width"
    assert {one.finding.label for one in found.decision.rulings} == {
        "pii.email_address",
        *(["obfuscation"] if hidden else []),
    }


@pytest.mark.parametrize("before", range(0, 64, 7))
@pytest.mark.parametrize("after", [0, 40])
async def test_wherever_a_core_cuts_a_run_all_of_the_address_goes(
    before: int, after: int, pii: Detector
) -> None:
    said = f"{'.' * before} mail john.doe@example.com now{' x' * after}"
    run = base64.b64encode(said.encode()).decode()

    found = await examined(f"so {run} .", pii)

    (text,) = found.texts.values()
    left = "".join(
        base64.b64decode(word[phase:] + "=" * (-len(word[phase:]) % 4)).decode("latin-1")
        for word in text.replace("<", " ").replace(">", " ").replace("=", "").split()
        if word.isalnum() and word not in {"so", "EMAIL_ADDRESS"}
        for phase in range(4)
        if (len(word) - phase) % 4 != 1
    )
    assert "<EMAIL_ADDRESS>" in text
    assert "john" not in left
    assert "example" not in left


async def streamed(text: str, pieces: list[int], detector: Detector) -> str:
    """What leaves of a text that comes in pieces of these lengths, again and again."""
    strand = Strand(Form.PLAIN, [detector.reach], b"")
    passage, lookout = make_passage("", stage=Stage.OUTPUT), make_guard().lookout
    left: list[str] = []
    at, lengths = 0, cycle(pieces)
    while not strand.ended:
        step = next(lengths)
        strand.feed(text[at : at + step])
        at += step
        if at >= len(text):
            strand.end()
        dues = strand.due()
        asks = [Ask(detector, due.window) for due in dues if due.window]
        for due, looked in zip(dues, await lookout.look("red", asks), strict=True):
            strand.decide(due, spans(decide(RULES, passage, looked.findings).rulings))
            if released := strand.release():
                left.append(released.rewritten)
    return "".join(left)


@pytest.mark.parametrize("pieces", [[1], [7], [3, 64, 1, 19], [5000]], ids=str)
async def test_a_stream_reads_what_the_whole_reads_however_it_is_cut(
    pieces: list[int], pii: Detector
) -> None:
    long = base64.b64encode(f"{'.' * 333} {SAID} {'.' * 333}".encode()).decode()
    text = " and then ".join([*ENCODED.values(), long, "an ordinary end of it all"])

    whole = await streamed(text, [len(text)], pii)

    assert whole == next(iter((await examined(text, pii)).texts.values()))
    assert whole.count("<EMAIL_ADDRESS>") == len(ENCODED) + 1
    assert await streamed(text, pieces, pii) == whole


async def test_tool_arguments_stay_json_where_something_encoded_is_redacted(pii: Detector) -> None:
    found = await examined('{"to": "john.doe%40example.com", "n": 1}', pii, form=Form.JSON_TEXT)

    assert list(found.texts.values()) == ['{"to": "<EMAIL_ADDRESS>", "n": 1}']


async def test_hidden_characters_are_noted_without_any_other_detector() -> None:
    found = await examined("No\u200bbody se\u2060es it.", ObfuscationDetector())

    assert found.action is Action.FLAG
    assert [(one.finding.start, one.finding.end) for one in found.decision.rulings] == [
        (1, 4),
        (9, 12),
    ]


async def test_ordinary_text_with_escapes_and_long_words_is_left_alone(pii: Detector) -> None:
    text = (
        "See https://example.org/a%20page?title=R%26D&amp;x=1, commit "
        "da39a3ee5e6b4b0d3255bfef95601890afd80709, 100% of internationalization_of_everything."
    )

    found = await examined(text, pii, ObfuscationDetector())

    assert found.action is Action.ALLOW
