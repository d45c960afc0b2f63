import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import InvalidDocument
from gateway.services.documents import parse
from gateway.services.policy_folding import DEEPEST, fold
from gateway.services.policy_reading import PolicyFile, read_policy


def file(name: str, text: str = "") -> PolicyFile:
    head = f"version: 1\nname: {name}\n"
    return read_policy(parse((head + text).encode(), f"{name}.yaml"))


def rules(*ids: str, action: str = "flag") -> str:
    each = (f"{{id: {i}, label: pii, action: {action}}}" for i in ids)
    return f"rules: [{', '.join(each)}]\n"


def folded(*files: PolicyFile):
    return fold(files[0], {each.name: each for each in files})


def refused(*files: PolicyFile):
    with pytest.raises(InvalidDocument) as error:
        folded(*files)
    (problem,) = error.value.problems
    return problem


def ids(*files: PolicyFile) -> list[str]:
    return [rule.section.id for rule in folded(*files).rules]


def test_own_rules_come_after_the_parents():
    assert ids(file("p", "extends: [q]\n" + rules("c")), file("q", rules("a", "b"))) == list("abc")


def test_a_rule_of_the_same_id_replaces_in_its_old_place():
    child = file("p", "extends: [q]\n" + rules("a", action="block"))
    result = folded(child, file("q", rules("a", "b")))
    assert [(r.section.id, r.section.action) for r in result.rules] == [
        ("a", "block"),
        ("b", "flag"),
    ]
    assert [r.written.place.file for r in result.rules] == ["p.yaml", "q.yaml"]


def test_a_later_parent_goes_over_an_earlier_one():
    child = file("p", "extends: [q, r]\n")
    result = folded(child, file("q", rules("a")), file("r", rules("a", action="block")))
    assert [rule.section.action for rule in result.rules] == ["block"]


def test_remove_drops_what_is_inherited():
    assert ids(file("p", "extends: [q]\nremove: [a]\n"), file("q", rules("a", "b"))) == ["b"]


def test_removing_what_is_not_there_is_a_mistake_with_its_line():
    problem = refused(file("p", "extends: [q]\nremove: [cotact]\n"), file("q", rules("contact")))
    assert (problem.file, problem.line, problem.mend) == ("p.yaml", 4, "Did you mean `contact`?")


def test_a_detectors_options_are_replaced_whole_and_others_stay():
    child = file("p", "extends: [q]\ndetectors: {pii: {b: 1}, new: {}}\n")
    parent = file("q", "detectors: {pii: {a: 1}, old: {x: 1}}\n")
    result = folded(child, parent)
    assert [(d.name, dict(d.options)) for d in result.detectors] == [
        ("pii", {"b": 1}),
        ("old", {"x": 1}),
        ("new", {}),
    ]


def test_hold_messages_and_audit_are_inherited_key_by_key():
    child = file("p", "extends: [q]\nhold: {wait: 5s}\nmessages: {held: h}\n")
    parent = file(
        "q", "hold: {queue: them, wait: 9s}\nmessages: {blocked: b, held: x}\naudit: {retain: 3d}\n"
    )
    result = folded(child, parent)
    assert (result.hold.queue, result.hold.wait) == ("them", 5)
    assert (result.messages.blocked, result.messages.held) == ("b", "h")
    assert result.audit.retain == 3 * 86_400


def test_media_are_inherited_key_by_key_however_they_are_written():
    child = file("p", "extends: [q]\nmedia: {image.png: block, audio/wav: allow}\n")
    parent = file("q", "media: {image: allow, image/png: allow}\n")
    told = [(each.label, each.action, each.written.place) for each in folded(child, parent).media]
    assert [(label, action, place.file) for label, action, place in told] == [
        ("image", "allow", "q.yaml"),
        ("image.png", "block", "p.yaml"),
        ("audio.wav", "allow", "p.yaml"),
    ]


def test_removing_rules_keeps_what_else_is_inherited():
    child = file("p", "extends: [q]\nremove: [a]\n")
    result = folded(child, file("q", "media: {image: allow}\ndetectors: {pii: {}}\n" + rules("a")))
    assert result.rules == ()
    assert [each.label for each in result.media] == ["image"]
    assert [each.name for each in result.detectors] == ["pii"]


def test_name_scope_and_cases_are_never_inherited():
    parent = file(
        "q",
        "applies_to: {}\npriority: 3\ncases: [{stage: input, text: x, action: allow}]\n",
    )
    section = folded(file("p", "extends: [q]\n"), parent).file.section
    assert (section.name, section.applies_to, section.priority, section.cases) == ("p", None, 0, ())


def test_an_unknown_parent_is_a_mistake_with_the_nearest_name():
    problem = refused(file("p", "extends: [bas]\n"), file("base"))
    assert (problem.line, problem.mend) == (3, "Did you mean `base`?")


def test_a_cycle_is_a_mistake():
    problem = refused(file("p", "extends: [q]\n"), file("q", "extends: [p]\n"))
    assert "p -> q -> p" in problem.what
    assert "p -> p" in refused(file("p", "extends: [p]\n")).what


def test_a_long_line_of_parents_is_a_mistake():
    line = [file(f"p{i}", f"extends: [p{i + 1}]\n") for i in range(DEEPEST + 1)]
    assert "parents deep" in refused(*line, file(f"p{DEEPEST + 1}")).what


_IDS = st.lists(st.sampled_from("abcdef"), unique=True, max_size=6)


@given(_IDS, _IDS, _IDS)
def test_folding_keeps_each_rule_once_and_own_rules_win(below, middle, own):
    child = file("p", "extends: [q, r]\n" + rules(*own, action="block"))
    result = folded(child, file("q", rules(*below)), file("r", rules(*middle, action="hold")))
    told = {rule.section.id: rule.section.action for rule in result.rules}
    assert len(told) == len(result.rules)
    assert told == (
        dict.fromkeys(below, "flag") | dict.fromkeys(middle, "hold") | dict.fromkeys(own, "block")
    )
    assert list(told) == list(dict.fromkeys([*below, *middle, *own]))
