"""Which models clients may name, and what runs each. It opens no connection itself."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.core.errors import ModelNotFound, Unsupported
from gateway.core.model import NOTHING
from gateway.core.ports import Provider


@dataclass(frozen=True, slots=True)
class Model:
    """One entry of `models:`. `alias` may be a glob; `extra` is this engine's own fields by type.

    `serves` names the surfaces that its engine can be asked on.
    """

    alias: str
    provider: Provider
    serves: frozenset[str]
    extra: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    catalogue: str | None = None


@dataclass(frozen=True, slots=True)
class Models:
    """`allowed` is each team's globs; None: any team may use all models."""

    models: tuple[Model, ...]
    allowed: Mapping[str, tuple[str, ...]] | None = None

    def find(self, name: str, team: str, surface: str) -> Model:
        """A literal alias before a pattern, patterns in the order of the file.

        Raise ModelNotFound, or Unsupported where its engine cannot be asked on this surface.
        """
        model = self.named(name, team)
        if surface not in model.serves:
            raise Unsupported(
                f"The engine of this model does not serve {surface}. It serves: "
                f"{', '.join(sorted(model.serves))}.",
                path="model",
            )
        return model

    def named(self, name: str, team: str) -> Model:
        """Whatever it serves. Raise ModelNotFound."""
        if not self._may(team, name):
            raise ModelNotFound
        for model in self.models:
            if model.alias == name:
                return model
        for model in self.models:
            if "*" in model.alias and fnmatch.fnmatchcase(name, model.alias):
                return model
        raise ModelNotFound

    def names(self, team: str) -> list[str]:
        """The literal aliases that a team may use; a pattern has no names to list."""
        return [
            model.alias
            for model in self.models
            if "*" not in model.alias and self._may(team, model.alias)
        ]

    def _may(self, team: str, name: str) -> bool:
        if self.allowed is None:
            return True
        return any(fnmatch.fnmatchcase(name, glob) for glob in self.allowed.get(team, ()))
