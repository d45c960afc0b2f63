"""Which tool call a delta of a stream belongs to, also where the engine's index is missing or always 0.

It keeps numbers, ids and names of calls, and nothing of their arguments.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Delta:
    """What one entry of `tool_calls` says. `index` is None, id and name are empty, where it does not."""

    index: int | None
    position: int
    """Among the entries of its event; `alone` where there is no other."""
    alone: bool
    id: str
    name: str
    argues: bool
    """It adds to the arguments."""


@dataclass(slots=True)
class _Call:
    number: int
    id: str
    name: str = ""
    argued: bool = False

    def is_left_by(self, delta: Delta) -> bool:
        """Whether the delta begins another call. Only what has a name can."""
        if not delta.name:
            return False
        if delta.id and self.id:
            return delta.id != self.id
        if delta.index is None:
            return self.argued or not delta.alone
        return self.argued and delta.name != self.name

    def is_told_again_by(self, delta: Delta) -> bool:
        """Whether the delta's name is the call's whole name once more, and no piece of it."""
        return delta.name == self.name and (self.argued or delta.id == self.id != "")


@dataclass(slots=True)
class Calls:
    """One choice's."""

    _all: list[_Call] = field(default_factory=list[_Call])
    _at: dict[int, _Call] = field(default_factory=dict[int, _Call])
    """By the engine's index: the last that it gave it to."""

    def place(self, delta: Delta) -> tuple[int, str]:
        """The number of the delta's call, and what the delta adds to its name."""
        call = self._known(delta)
        if call is None or call.is_left_by(delta):
            call = self._begin(delta)
        name = "" if call.is_told_again_by(delta) else delta.name
        call.name += name
        call.id = call.id or delta.id
        call.argued |= delta.argues
        return call.number, name

    def _known(self, delta: Delta) -> _Call | None:
        if delta.index is not None:
            return self._at.get(delta.index)
        if delta.id:
            found = next((one for one in self._all if one.id == delta.id), None)
            if found:
                return found
        elif not delta.alone and delta.position < len(self._all):
            return self._all[delta.position]
        return self._all[-1] if self._all else None

    def _begin(self, delta: Delta) -> _Call:
        taken = {one.number for one in self._all}
        number = delta.index
        if number is None or number in taken:
            number = max(taken, default=-1) + 1
        call = _Call(number, delta.id)
        self._all.append(call)
        if delta.index is not None:
            self._at[delta.index] = call
        return call
