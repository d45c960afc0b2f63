"""Words in any case on word borders, patterns on RE2, offsets in code points."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.model import Window
from gateway.detectors.keywords import PATTERN_REACH, KeywordDetector, KeywordOptions, build
from gateway.detectors.lane import Lane
from tests.detectors.contract import DetectorContract, seen

LANE = Lane("keywords-tests")


def detector_of(lists=None, patterns=None) -> KeywordDetector:
    return build(KeywordOptions(lists=lists or {}, patterns=patterns or {}), LANE)


def spans(detector: KeywordDetector, text: str) -> list[tuple[str, int, int]]:
    (found,) = detector._look([Window(text, 0, 0, len(text))])
    return [(finding.label, finding.start, finding.end) for finding in found]


def words(detector: KeywordDetector, text: str) -> list[str]:
    return [text[start:end] for _, start, end in spans(detector, text)]


class TestKeywordsKeepTheContract(DetectorContract):
    text = "Project Bluebird TCK-123456 is late, says \u00c9lan Vital.  Nothing here; " * 20

    @pytest.fixture
    def detector(self) -> KeywordDetector:
        return detector_of(
            {"projects": ["bluebird", "\u00e9lan vital"]}, {"ticket": "TCK-[0-9]{6}"}
        )


@pytest.mark.parametrize(
    ("word", "text", "found"),
    [
        ("bluebird", "BlueBird, BLUEBIRD.", ["BlueBird", "BLUEBIRD"]),
        ("bluebird", "bluebirds xbluebird blue_bluebird", []),
        ("bluebird", "bluebird bluebird\nbluebird", ["bluebird"] * 3),
        ("blue bird", "a blue \t\u00a0bird", ["blue \t\u00a0bird"]),
        ("blue bird", "bluebird", []),
        ("c++", "C++ and c++11, not c+", ["C++", "c++"]),
        (".env", "my.env and .env", [".env", ".env"]),
        ("\u00e9lan", "\u00c9LAN \u00e9lans", ["\u00c9LAN"]),
        ("cafe", "cafe\u0301 cafe", ["cafe"]),
        (
            "\u043c\u043e\u0441\u043a\u0432\u0430",
            "\u041c\u041e\u0421\u041a\u0412\u0410!",
            ["\u041c\u041e\u0421\u041a\u0412\u0410"],
        ),
        ("x", "\U0001f600x\U0001f600 x", ["x", "x"]),
        ("a.c", "abc a.c", ["a.c"]),
    ],
)
def test_a_word_stands_for_itself(word, text, found) -> None:
    assert words(detector_of({"list": [word]}), text) == found


def test_words_that_overlap_are_all_found() -> None:
    detector = detector_of({"list": ["blue bird", "bird house", "blue", "blue-bird", "blue-birds"]})
    assert words(detector, "blue bird house") == ["blue bird", "bird house"]
    assert words(detector, "blue-birdsong") == ["blue"]


def test_labels_name_the_list_or_the_pattern() -> None:
    detector = detector_of({"names": ["ann"]}, {"ticket": "T-[0-9]+"})
    assert spans(detector, "Ann T-12") == [("keyword.names", 0, 3), ("pattern.ticket", 4, 8)]
    assert detector.emits == ("keyword.names", "pattern.ticket")


def test_a_pattern_that_matches_nothing_at_all_is_no_finding() -> None:
    assert spans(detector_of(patterns={"maybe": "x*"}), "abxxc") == [("pattern.maybe", 2, 4)]


@pytest.mark.parametrize("pattern", ["(?=x)", "a(", r"(a)\1", "a{2000}", "[z-a]"])
def test_a_pattern_that_is_not_re2_is_refused_by_name(pattern) -> None:
    with pytest.raises(ValueError, match=r"pattern 'odd' is not an RE2 expression: \w+"):
        detector_of(patterns={"fine": "x", "odd": pattern})


def test_a_pattern_that_is_too_long_is_refused_by_name() -> None:
    detector_of(patterns={"fits": "x" * 2048})
    with pytest.raises(ValueError, match="pattern 'long' has 2049 bytes; at most 2048"):
        detector_of(patterns={"long": "x" * 2049})


def test_an_evil_pattern_takes_linear_time() -> None:
    assert spans(detector_of(patterns={"evil": "(a+)+$"}), "a" * 20_000 + "b") == []


def test_five_hundred_patterns_are_the_most() -> None:
    detector_of(patterns={f"p{number}": "x" for number in range(500)})
    with pytest.raises(ValueError, match="500"):
        KeywordOptions(patterns={f"p{number}": "x" for number in range(501)})


def test_a_big_list_compiles_and_finds() -> None:
    detector = detector_of({"big": [f"codename {number}" for number in range(5_000)]})
    assert words(detector, "Codename  4711.") == ["Codename  4711"]


@pytest.mark.parametrize("lists", [{"List": ["x"]}, {"a.b": ["x"]}, {"a": []}, {"a": [" "]}])
def test_lists_have_plain_names_and_words_that_are_not_blank(lists) -> None:
    with pytest.raises(ValueError):
        KeywordOptions(lists=lists)


def test_the_reach_holds_the_longest_word_and_what_patterns_are_promised() -> None:
    assert detector_of({"a": ["blue bird"]}).reach.before > len("blue") + len("bird") + 8
    assert detector_of(patterns={"p": "x"}).reach.after == PATTERN_REACH


def test_a_word_is_looked_for_in_the_form_that_text_is_looked_at_in() -> None:
    detector = detector_of({"a": ["\uff42ird", "o\ufb03ce\u00ad-x"]})
    assert words(detector, "bird office-x") == ["bird", "office-x"]


def test_a_word_that_nobody_can_see_is_refused_by_its_list() -> None:
    with pytest.raises(ValueError, match="list 'a' has a word that nobody can see"):
        detector_of({"a": ["\u200b"]})


def test_what_patterns_match_is_followed_out_of_the_window() -> None:
    assert detector_of(patterns={"p": "x"}).reach.run_on == 512
    assert detector_of({"a": ["x"]}).reach.run_on == 0


async def test_equal_options_have_equal_fingerprints_and_others_do_not() -> None:
    one, same, other = (detector_of({"a": [word]}) for word in ("x", "x", "y"))
    assert one.fingerprint == same.fingerprint != other.fingerprint
    assert [f.score for f in await seen(one, "x")] == [1.0]


@given(
    st.lists(
        st.text("ab\u00e9-+ ", min_size=1, max_size=5).filter(str.strip), max_size=4, min_size=1
    ),
    st.text("abAB\u00e9\u00c9\u0301-+ \U0001f600", max_size=40),
)
def test_words_are_found_where_a_plain_reading_finds_them(keywords, text) -> None:
    found = set(spans(detector_of({"l": keywords}), text))
    assert found == {("keyword.l", *span) for span in _plainly(keywords, text)}


def _plainly(keywords, text):
    """Where Python's own `re`, with borders looked at by category, finds the longest at each place."""
    for start in range(len(text)):
        ends = [end for word in keywords if (end := _match_at(word, text, start))]
        if ends:
            yield start, max(ends)


def _match_at(word: str, text: str, start: int) -> int | None:
    parts = [re.escape(part) for part in word.split()]
    match = re.compile(r"\s{1,8}".join(parts), re.IGNORECASE).match(text, start)
    word = word.strip()
    if not match or (_wordlike(word[0]) and start > 0 and _wordlike(text[start - 1])):
        return None
    end = match.end()
    return None if _wordlike(word[-1]) and end < len(text) and _wordlike(text[end]) else end


def _wordlike(character: str) -> bool:
    return character == "_" or unicodedata.category(character)[0] in "LNM"
