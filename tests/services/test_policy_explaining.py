import re
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.core.canonical import OPEN
from gateway.core.model import Form
from gateway.core.ports import InForce, Reach
from gateway.core.redact import Replace, Span, clusters
from gateway.core.strand import GRAPHEME, Strand
from gateway.core.windows import NUDGE
from gateway.services.policies import PolicySet
from gateway.services.policy_explaining import Bound, Explanation, explain
from tests.services.policy_fakes import WordDetector, service, written

BASE = """version: 1
name: base
applies_to: {}
priority: -1
detectors: {pii: {}, keywords: {lists: {a: [x]}}}
rules:
- {id: contact, label: pii.email_address, action: redact}
- {id: words, label: keyword, stage: input, action: block}
"""


@pytest.fixture
def policies(tmp_path):
    return service().read(
        written(
            tmp_path,
            base=BASE,
            blue="version: 1\nname: blue\napplies_to: {teams: [blue], models: [big]}\n",
            glob="version: 1\nname: glob\napplies_to: {teams: ['r*']}\n",
            red="version: 1\nname: red\nextends: [base]\napplies_to: {teams: [red]}\n",
            part="version: 1\nname: part\n",
        )
    )


def test_every_policy_has_its_reason(policies):
    found = explain(policies, "red", "m", "openai.chat")
    assert found.winner is not None
    assert found.winner.startswith("red@")
    assert {each.policy: each.why for each in found.candidates} == {
        "base": "priority -1 is below 0 of `red`",
        "blue": "team `red` is none of blue",
        "glob": "`red` names this call more literally",
        "part": "has no `applies_to`: only to be extended",
        "red": "holds",
    }
    assert [each.policy for each in found.candidates if each.matches] == ["base", "glob", "red"]


def test_a_model_that_does_not_match_is_named(policies):
    found = explain(policies, "blue", "small", "openai.chat")
    assert "model `small` is none of big" in [each.why for each in found.candidates]


def test_rules_say_where_they_are_written_and_which_is_implied(policies):
    rules = explain(policies, "red", "m", "r").rules
    assert [(rule.id, (rule.file or "")[-9:], rule.line) for rule in rules] == [
        ("contact", "base.yaml", 7),
        ("words", "base.yaml", 8),
        ("detector-failed", "", None),
    ]


def test_detectors_say_how_long_a_stream_waits_and_for_which_rule(policies):
    pii, keywords = explain(policies, "red", "m", "r").detectors
    assert (pii.delay, pii.because) == (20 + NUDGE + 7, ("contact",))
    assert (keywords.delay, keywords.because) == (None, ())


def test_when_no_policy_holds_there_is_no_winner(tmp_path):
    found = explain(
        service().read(written(tmp_path, part="version: 1\nname: part\n")), "t", "m", "r"
    )
    assert (found.winner, found.rules, found.detectors) == (None, (), ())
    assert (found.bound, found.media) == (None, ())


def test_media_say_what_becomes_of_them_and_where_that_is_written(tmp_path):
    base = "version: 1\nname: q\nmedia: {image: allow}\n"
    own = "version: 1\nname: p\nextends: q\napplies_to: {}\nmedia:\n  file.pdf: block\n"
    found = explain(service().read(written(tmp_path, q=base, p=own)), "t", "m", "r")
    assert [(m.label, m.action, m.file[-6:], m.line) for m in found.media] == [
        ("image", "allow", "q.yaml", 3),
        ("file.pdf", "block", "p.yaml", 6),
    ]


FAST = WordDetector("keywords", {"x": "keyword.a"}, reach=Reach(4, 8, 3, 2, run_on=50))
SLOW = WordDetector("pii", {"y": "pii.email_address"}, reach=Reach(10, 20, 5, 7, run_on=3))


def explained(tmp_path, rules: str, detectors=(FAST, SLOW)) -> Explanation:
    """A policy of these rules, with detectors of known reach in the place of its own."""
    text = "applies_to: {}\ndetectors: {pii: {}, keywords: {lists: {a: [x]}}}\n" + rules
    (each,) = service().read(written(tmp_path, p=f"version: 1\nname: p\n{text}")).policies
    force = InForce(each.force.policy, detectors)
    return explain(PolicySet((replace(each, force=force),)), "t", "m", "r")


def test_the_slowest_detector_and_its_rules_are_the_policys_bound(tmp_path):
    found = explained(
        tmp_path,
        "rules:\n- {id: a, label: keyword, action: flag}\n- {id: b, label: pii, action: block}\n"
        "- {id: c, label: pii.email_address, action: hold}\n",
    )
    assert [each.delay for each in found.detectors] == [8 + NUDGE + 2, 20 + NUDGE + 7]
    assert found.bound == Bound(20 + NUDGE + 7, ("pii",), ("b", "c"))


def test_a_rule_that_redacts_adds_what_its_detectors_words_may_go_on(tmp_path):
    found = explained(
        tmp_path,
        "rules:\n- {id: a, label: keyword, action: redact}\n- {id: b, label: pii, action: block}\n",
    )
    assert found.bound == Bound(8 + NUDGE + 2 + 50, ("keywords",), ("a",))


def test_detectors_that_are_equally_slow_are_both_told(tmp_path):
    twin = replace(SLOW, name="twin")
    rules = "rules: [{id: b, label: pii, action: flag}]\n"
    found = explained(tmp_path, rules, (SLOW, FAST, twin))
    assert found.bound == Bound(20 + NUDGE + 7, ("pii", "twin"), ("b",))


@pytest.mark.parametrize(
    "scope", ["stage: input", "roles: [user]", "kinds: [tool_result, tool_definition, metadata]"]
)
def test_what_does_not_look_at_answers_delays_none(tmp_path, scope):
    rules = f"rules: [{{id: a, label: [pii, keyword], action: redact, {scope}}}]\n"
    assert explained(tmp_path, rules).bound is None


# The bound against the strand that holds text back.


def longest_wait(text: str, reaches: list[Reach], secret: str = "") -> tuple[int, int]:
    """Most characters that had come and not left, and the longest stretch redacted, one by one."""
    strand, left, most = Strand(Form.PLAIN, reaches, b""), 0, 0
    spans: list[Span] = []
    for came, character in enumerate(text, 1):
        strand.feed(character)
        for due in strand.due():
            window = due.window
            assert window is not None
            found = re.finditer(re.escape(secret), window.text) if secret else ()
            own = [
                Span(
                    window.start + max(one.start(), window.core_start),
                    window.start + one.end(),
                    "pii",
                    1.0,
                    Replace(),
                )
                for one in found
                if one.start() < window.core_end and one.end() > window.core_start
            ]
            spans += own
            strand.decide(due, own)
        released = strand.release()
        left += len(released.text) if released else 0
        most = max(most, came - left)
    return most, max((group.end - group.start for group in clusters(spans)), default=0)


@pytest.fixture(scope="module")
def bound(tmp_path_factory):
    """The bound told of a policy whose detectors have these reaches."""
    text = "applies_to: {}\ndetectors: {pii: {}}\nrules: [{id: a, label: pii, action: redact}]\n"
    folder = written(tmp_path_factory.mktemp("p"), p=f"version: 1\nname: p\n{text}")
    (each,) = service().read(folder).policies

    def told(reaches: list[Reach]) -> int:
        detectors = tuple(replace(SLOW, reach=reach) for reach in reaches)
        force = InForce(each.force.policy, detectors)
        found = explain(PolicySet((replace(each, force=force),)), "t", "m", "r").bound
        assert found is not None
        return found.delay

    return told


REACHES = st.lists(
    st.builds(
        lambda low, more, before, after: Reach(low, low + more, before, after),
        st.integers(1, 12),
        st.integers(0, 12),
        st.integers(0, 8),
        st.integers(0, 8),
    ),
    min_size=1,
    max_size=3,
)


@given(REACHES, st.text("ab ", max_size=200))
def test_text_leaves_when_as_many_characters_have_come_as_told(bound, reaches, text):
    most, _ = longest_wait(text, reaches)
    assert most < bound(reaches)


@given(REACHES, st.text("ab \u0301", max_size=200))
@example([Reach(1, 1, 0, 0)], "x" + "\u0301" * 200)
def test_characters_that_join_leave_together_and_wait_so_much_longer(bound, reaches, text):
    most, _ = longest_wait(text, reaches)
    assert most < bound(reaches) + GRAPHEME + OPEN


@pytest.mark.parametrize("reach", [Reach(10, 20, 5, 7), Reach(4, 8, 3, 1)])
def test_no_smaller_bound_would_be_true(bound, reach):
    """No white space to cut at, and marks that join wherever a hard cut would fall."""
    text = ("x" * reach.max + "\u0301" * NUDGE) * 4
    assert longest_wait(text, [reach])[0] >= bound([reach]) - 1


@given(REACHES, st.text("ab ", max_size=200), st.sampled_from(["ab", "a b", "bb", "aab"]))
def test_what_is_redacted_waits_for_its_own_end_besides_and_no_longer(bound, reaches, text, secret):
    most, longest = longest_wait(text, reaches, secret)
    assert most < bound(reaches) + longest
