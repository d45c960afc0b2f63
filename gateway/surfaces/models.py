"""Writes the answers to GET /v1/models. Which models a caller sees is decided elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson


def models_page(names: Sequence[str], created: int) -> bytes:
    """The list of models, in the given order; `created` in Unix seconds."""
    return orjson.dumps({"object": "list", "data": [_card(name, created) for name in names]})


def model_card(name: str, created: int) -> bytes:
    """One model; `created` in Unix seconds."""
    return orjson.dumps(_card(name, created))


def _card(name: str, created: int) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": created, "owned_by": "wardgate"}
