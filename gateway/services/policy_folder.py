"""The policy files of a folder, read one by one; what is wrong with any is collected, not lost."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable, Sequence

from gateway.core.errors import InvalidDocument, Problem
from gateway.services.documents import read
from gateway.services.policy_reading import PolicyFile, read_policy

ENDINGS = frozenset({".yaml", ".yml"})


def list_files(folder: pathlib.Path) -> tuple[pathlib.Path, ...]:
    """All policy files of the folder, in order of name. Raise InvalidDocument if there is none."""
    try:
        found = sorted(each for each in folder.iterdir() if each.suffix in ENDINGS)
    except OSError as error:
        problem = Problem(str(folder), 1, f"cannot be read: {error.strerror}.", "Check the path.")
        raise InvalidDocument((problem,)) from None
    if not found:
        mend = "Run `wardgate init` for files to start from."
        raise InvalidDocument((Problem(str(folder), 1, "holds no policy (*.yaml).", mend),))
    return tuple(found)


def read_all(files: Sequence[pathlib.Path], problems: list[Problem]) -> list[PolicyFile]:
    """The policies that can be read, names once each; the problems of the rest are added."""
    known: dict[str, PolicyFile] = {}
    for path in files:
        try:
            file = read_policy(read(path))
        except InvalidDocument as error:
            problems.extend(error.problems)
            continue
        if file.name in known:
            what = f"policy `{file.name}` is in {known[file.name].document.file} already."
            problems.append(file.document.problem(("name",), what, "Give it another name."))
        known.setdefault(file.name, file)
    return list(known.values())


def unmet(files: Iterable[PolicyFile], around: Iterable[PolicyFile]) -> bool:
    """Whether something that these files extend, near or far, is not there."""
    files = list(files)
    known = {file.name: file for file in (*around, *files)}
    reached = {file.name for file in files}
    to_see = [parent for file in files for parent in file.section.extends]
    while to_see:
        name = to_see.pop()
        if name not in known:
            return True
        if name not in reached:
            reached.add(name)
            to_see.extend(known[name].section.extends)
    return False
