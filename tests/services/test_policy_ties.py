import fnmatch
import itertools

from hypothesis import example, given
from hypothesis import strategies as st

from gateway.core.policy import AppliesTo, Policy, choose
from gateway.services.policy_ties import meet, ties


def policy(name: str, *teams: str, models=("*",), priority: int = 0) -> Policy:
    return Policy(name, "0" * 64, applies_to=AppliesTo(teams, tuple(models)), priority=priority)


def test_two_policies_for_everybody_tie():
    (tie,) = ties([policy("a", "*"), policy("b", "*")])
    assert (tie.first, tie.second) == ("a", "b")


def test_globs_that_meet_tie_on_a_name_that_both_match():
    (tie,) = ties([policy("a", "x-*"), policy("b", "*-y")])
    assert fnmatch.fnmatchcase(tie.team, "x-*")
    assert fnmatch.fnmatchcase(tie.team, "*-y")


def test_a_priority_or_a_more_literal_name_settles():
    assert not list(ties([policy("a", "*"), policy("b", "*", priority=1)]))
    assert not list(ties([policy("a", "*"), policy("b", "x")]))
    assert not list(ties([policy("a", "x*"), policy("b", "x")]))


def test_policies_for_different_calls_never_tie():
    assert not list(ties([policy("a", "x"), policy("b", "y")]))
    assert not list(ties([policy("a", "*", models=["m"]), policy("b", "*", models=["n"])]))


def test_a_policy_that_is_only_extended_never_ties():
    assert not list(ties([Policy("a", "0"), policy("b", "*")]))


_GLOB = st.text(alphabet="ab*?", min_size=1, max_size=4)
_NAMES = ["".join(letters) for n in range(1, 5) for letters in itertools.product("ab", repeat=n)]


@given(_GLOB, _GLOB)
def test_globs_meet_exactly_when_some_name_matches_both(one, other):
    met = meet(one, other)
    both = [
        n for n in ["", *_NAMES] if fnmatch.fnmatchcase(n, one) and fnmatch.fnmatchcase(n, other)
    ]
    if both:
        assert met is not None
        assert len(met) <= min(map(len, both))
    if met is not None:
        assert fnmatch.fnmatchcase(met, one)
        assert fnmatch.fnmatchcase(met, other)


_GLOBS = st.lists(_GLOB, min_size=1, max_size=3)


@given(_GLOBS, _GLOBS)
@example(["a*"], ["a*", "a"])
@example(["*"], ["?"])
def test_every_tie_that_some_name_shows_is_told_and_every_tie_told_is_one(ones, others):
    pair = [policy("a", *ones), policy("b", *others)]
    told = list(ties(pair))
    shown = [name for name in _NAMES if len(choose(pair, name, "m", "r")) == 2]
    assert not shown or told
    for tie in told:
        assert len(choose(pair, tie.team, tie.model, tie.route)) == 2
