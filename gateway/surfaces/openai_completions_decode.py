"""Reads a model server's completions, whole or as events, into Chunks.

Nothing is trusted: the text of each choice, its end and the usage are taken, a wrong shape is
UpstreamFailed, and all else is dropped, for it could carry text that nobody looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.core.model import Chunk, Finished, Kind, Opened, Part, Text
from gateway.surfaces.openai_answer import envelope, index, listed, reason, unexpected, usage


def whole(body: Mapping[str, Any]) -> Chunk:
    """A whole reply: for each choice its opening, text and end; then the usage."""
    parts: list[Part] = []
    for position, choice in enumerate(listed(body, "choices")):
        place = index(choice.get("index"), position)
        parts.append(Opened(place))
        if text := _text(choice.get("text", False)):
            parts.append(Text(place, "content", Kind.TEXT, text))
        parts.append(Finished(place, reason(choice.get("finish_reason")) or "stop"))
    return _chunk(parts, body)


def event(event: Mapping[str, Any]) -> Chunk:
    """One event of a stream: what it adds to each choice. A choice that says nothing has begun."""
    parts: list[Part] = []
    choices = listed(event, "choices") if _has_choices(event) else []
    for position, choice in enumerate(choices):
        place = index(choice.get("index"), position)
        text = _text(choice.get("text"))
        parts.append(Text(place, "content", Kind.TEXT, text) if text else Opened(place))
        if (said := reason(choice.get("finish_reason"))) is not None:
            parts.append(Finished(place, said))
    return _chunk(parts, event)


def _has_choices(event: Mapping[str, Any]) -> bool:
    """Some engines leave them out of the event that tells the usage."""
    return not (
        event.get("choices") is None
        and event.get("usage") is not None
        and event.get("error") is None
    )


def _text(text: Any) -> str:
    if text is None:
        return ""
    if type(text) is not str:
        raise unexpected("choices.text")
    return text


def _chunk(parts: list[Part], body: Mapping[str, Any]) -> Chunk:
    if counted := usage(body):
        parts.append(counted)
    return Chunk(tuple(parts), envelope(body))
