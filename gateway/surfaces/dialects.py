"""All the surfaces there are, and in which dialect each engine can be asked what they ask.

A surface that an engine does not speak reaches it by way of core's Conversation, or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gateway.core.ports import Codec, Surface
from gateway.surfaces.intake import Limits
from gateway.surfaces.openai_chat import OpenAIChat


@dataclass(frozen=True, slots=True)
class Dialects:
    """`codecs` are by engine, then by surface."""

    surfaces: Mapping[str, Surface]
    codecs: Mapping[str, Mapping[str, Codec]]


def dialects(limits: Limits | None = None) -> Dialects:
    """Every dialect, with these limits on the shape of requests."""
    chat = OpenAIChat(limits)
    talks: dict[str, Codec] = {chat.name: chat}
    surfaces: list[Surface] = [chat]
    return Dialects(
        {surface.name: surface for surface in surfaces},
        {"openai": talks, "litellm": talks, "local": talks, "fake": talks},
    )
