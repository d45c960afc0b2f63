"""The policies in force: read a folder, refuse it whole when anything in it is wrong, match calls.

Detectors and the guard that runs the cases are injected; this file knows neither.
"""

from __future__ import annotations

import pathlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.core.errors import InvalidDocument, NoPolicy, Problem
from gateway.core.policy import choose
from gateway.core.ports import DetectorSource, InForce
from gateway.services.policy_cases import CaseResult, Judge, run_case
from gateway.services.policy_compiling import compile_policy
from gateway.services.policy_folder import list_files, read_all, unmet
from gateway.services.policy_folding import Folded, Written, fold
from gateway.services.policy_reading import PolicyFile
from gateway.services.policy_ties import ties


@dataclass(frozen=True, slots=True)
class LoadedPolicy:
    """A policy ready to rule, and where each of its lines was written."""

    force: InForce
    folded: Folded

    @property
    def name(self) -> str:
        return self.force.policy.name


@dataclass(frozen=True, slots=True)
class PolicySet:
    """All policies of a folder, valid together. `warnings` is what their author should know."""

    policies: tuple[LoadedPolicy, ...]
    warnings: tuple[Problem, ...] = ()

    def match(self, team: str, model: str, route: str) -> InForce:
        """The one policy for such a call. Raise NoPolicy when there is none, or several."""
        won = choose((each.force.policy for each in self.policies), team, model, route)
        if len(won) == 0:
            raise NoPolicy
        if len(won) > 1:
            names = ", ".join(sorted(policy.name for policy in won))
            raise NoPolicy(f"Several policies apply alike ({names}); one needs a higher priority.")
        (winner,) = won
        return next(each.force for each in self.policies if each.force.policy is winner)


@dataclass(frozen=True, slots=True)
class Policies:
    """Reads policy files. `shipped` holds packs that any folder's policies can extend by name."""

    source: DetectorSource
    judge: Judge
    shipped: pathlib.Path | None = None

    async def load(self, path: pathlib.Path) -> PolicySet:
        """The policies at `path`, their cases passed. Raise InvalidDocument."""
        found = self.read(path)
        failed = tuple(each.problem for each in await self.test(found) if not each.passed)
        if failed:
            raise InvalidDocument(failed)
        return found

    def read(self, path: pathlib.Path) -> PolicySet:
        """The policies of a folder, or of one file of it, their cases not run.

        Raise InvalidDocument with every problem found.
        """
        problems: list[Problem] = []
        wanted, around = self._files(path, problems)
        if problems:
            # Without a file of it, the folder would only seem to lack what that file holds.
            raise InvalidDocument(tuple(problems))
        known = {file.name: file for file in (*around, *wanted)}
        loaded, warnings = self._ready(wanted, known, problems)
        if not problems:
            problems.extend(_tied(loaded))
        if problems:
            raise InvalidDocument(tuple(dict.fromkeys(problems)))
        return PolicySet(tuple(loaded), tuple(dict.fromkeys(warnings)))

    def _files(
        self, path: pathlib.Path, problems: list[Problem]
    ) -> tuple[list[PolicyFile], list[PolicyFile]]:
        """The files asked for, and those that they may extend besides."""
        packs: list[PolicyFile] = []
        if self.shipped is not None and self.shipped.is_dir():
            packs = read_all(list_files(self.shipped), problems)
        if not path.is_file():
            return read_all(list_files(path), problems), packs
        beside: list[Problem] = []
        wanted = read_all([path], problems)
        others = read_all([each for each in list_files(path.parent) if each != path], beside)
        around = [*packs, *others]
        if unmet(wanted, around):
            problems.extend(beside)
        return wanted, around

    def _ready(
        self, files: Sequence[PolicyFile], known: Mapping[str, PolicyFile], problems: list[Problem]
    ) -> tuple[list[LoadedPolicy], list[Problem]]:
        loaded: list[LoadedPolicy] = []
        warnings: list[Problem] = []
        for file in files:
            try:
                folded = fold(file, known)
                compiled = compile_policy(folded, self.source)
            except InvalidDocument as error:
                problems.extend(error.problems)
                continue
            loaded.append(LoadedPolicy(compiled.force, folded))
            warnings.extend(compiled.warnings)
        return loaded, warnings

    async def test(self, policies: PolicySet) -> tuple[CaseResult, ...]:
        """Every case of every policy, those that are only extended included."""
        return tuple(
            [
                await run_case(
                    self.judge,
                    each.force,
                    case,
                    Written(each.folded.file.document, ("cases", index)),
                )
                for each in policies.policies
                for index, case in enumerate(each.force.policy.cases)
            ]
        )


def _tied(loaded: Sequence[LoadedPolicy]) -> Iterator[Problem]:
    by_name = {each.name: each.folded.file.document for each in loaded}
    for tie in ties([each.force.policy for each in loaded]):
        document = by_name[tie.second]
        what = (
            f"policy `{tie.second}` and policy `{tie.first}` apply alike to"
            f" team `{tie.team}`, model `{tie.model}`, route `{tie.route}`."
        )
        yield document.problem(("applies_to",), what, "Give one of them a higher `priority:`.")
