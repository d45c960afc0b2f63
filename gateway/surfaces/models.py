"""Writes the answers to GET /v1/models. Which models a caller sees is decided elsewhere.

OpenAI's clients and Anthropic's read the same page: it has the fields of both, and they do not clash.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson


def models_page(names: Sequence[str], created: int) -> bytes:
    """The list of models, in the given order and all at once; `created` in Unix seconds."""
    return orjson.dumps(
        {
            "object": "list",
            "data": [_card(name, created) for name in names],
            "has_more": False,
            "first_id": names[0] if names else None,
            "last_id": names[-1] if names else None,
        }
    )


def model_card(name: str, created: int) -> bytes:
    """One model; `created` in Unix seconds."""
    return orjson.dumps(_card(name, created))


def _card(name: str, created: int) -> dict[str, Any]:
    return {
        "id": name,
        "object": "model",
        "created": created,
        "owned_by": "wardgate",
        "type": "model",
        "display_name": name,
        "created_at": datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "lifecycle": "active",
    }
