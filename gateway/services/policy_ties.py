"""Which policies would tie for some call: found at load, not by the first client that meets it.

Pure. A pair is told even where a third policy would win: a priority is easily written.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from gateway.core.policy import AppliesTo, Policy


@dataclass(frozen=True, slots=True)
class Tie:
    """Two policies' names, and a call for which neither wins over the other."""

    first: str
    second: str
    team: str
    model: str
    route: str


def ties(policies: Sequence[Policy]) -> Iterator[Tie]:
    """One call for each pair of policies that neither priority nor literalness decides between."""
    scopes = [(policy, policy.applies_to) for policy in policies if policy.applies_to is not None]
    for (one, first), (other, second) in itertools.combinations(scopes, 2):
        if one.priority == other.priority:
            team = _even(first.teams, second.teams)
            model = _even(first.models, second.models)
            route = _even(first.routes, second.routes)
            if team and model and route:
                yield Tie(one.name, other.name, team, model, route)


def _even(ones: Sequence[str], others: Sequence[str]) -> str | None:
    """A name that both lists match, and match equally literally."""
    for one, other in itertools.product(ones, others):
        # A longer name too: the shortest may be a literal of one of the lists.
        for left, right in ((one, other), (_longer(one), other), (one, _longer(other))):
            met = meet(left, right)
            if met is not None:
                name = met or "any"
                level = _level(ones, name)
                if level is not None and level == _level(others, name):
                    return name
    return None


def _longer(pattern: str) -> str:
    return pattern.replace("*", "any*")


def _level(patterns: Sequence[str], name: str) -> int | None:
    scope = AppliesTo(teams=tuple(patterns))
    return scope.literalness(name, "", "")[0] if scope.matches(name, "", "") else None


def meet(one: str, other: str) -> str | None:
    """The shortest name that both globs match, as `*` and `?` go; None when there is none."""

    @cache
    def rest(i: int, j: int) -> str | None:
        left, right = one[i : i + 1], other[j : j + 1]
        if not left and not right:
            return ""
        found: list[str | None] = []
        if left == "*":
            found.append(rest(i + 1, j))
        if right == "*":
            found.append(rest(i, j + 1))
        if left == "*" and right not in {"", "*"}:
            found.append(_led_by(right, rest(i, j + 1)))
        if right == "*" and left not in {"", "*"}:
            found.append(_led_by(left, rest(i + 1, j)))
        if left and right and "*" not in {left, right} and (left == right or "?" in {left, right}):
            found.append(_led_by(right if left == "?" else left, rest(i + 1, j + 1)))
        return min((each for each in found if each is not None), key=len, default=None)

    return rest(0, 0)


def _led_by(character: str, following: str | None) -> str | None:
    return None if following is None else character.replace("?", "x") + following
