"""All the surfaces there are, and in which dialect each engine can be asked what they ask.

A surface that an engine does not speak reaches it by way of core's Conversation, or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from gateway.core.ports import Codec, Surface
from gateway.surfaces.anthropic_count import AnthropicCountTokens
from gateway.surfaces.anthropic_messages import AnthropicMessages
from gateway.surfaces.census import Object
from gateway.surfaces.guard import GuardText
from gateway.surfaces.intake import Limits
from gateway.surfaces.openai_chat import OpenAIChat
from gateway.surfaces.openai_completions import OpenAICompletions
from gateway.surfaces.openai_embeddings import OpenAIEmbeddings
from gateway.surfaces.openai_moderations import OpenAIModerations
from gateway.surfaces.openai_responses import OpenAIResponses
from gateway.surfaces.rerank import Rerank
from gateway.surfaces.translated import Translated


class Dialect(Surface, Protocol):
    """A surface with the table of its fields."""

    @property
    def census(self) -> Object: ...


@dataclass(frozen=True, slots=True)
class Dialects:
    """`codecs` are by engine, then by surface."""

    surfaces: Mapping[str, Dialect]
    codecs: Mapping[str, Mapping[str, Codec]]


def dialects(limits: Limits | None = None) -> Dialects:
    """Every dialect, with these limits on the shape of requests."""
    limits = limits or Limits()
    chat, messages = OpenAIChat(limits), AnthropicMessages(limits)
    count, responses = AnthropicCountTokens(limits), OpenAIResponses(limits)
    completions, embeddings = OpenAICompletions(limits), OpenAIEmbeddings(limits)
    rerank = Rerank(limits)
    conversing: dict[str, Codec] = {
        chat.name: chat,
        responses.name: Translated(responses, chat),
        messages.name: Translated(messages, chat),
        count.name: Translated(count, chat),
    }
    completing: dict[str, Codec] = {**conversing, completions.name: completions}
    serving: dict[str, Codec] = {**completing, embeddings.name: embeddings, rerank.name: rerank}
    on_messages: dict[str, Codec] = {
        messages.name: messages,
        count.name: count,
        chat.name: Translated(chat, messages),
        responses.name: Translated(responses, messages),
    }
    surfaces: tuple[Dialect, ...] = (
        chat,
        completions,
        responses,
        embeddings,
        OpenAIModerations(limits),
        messages,
        count,
        rerank,
        GuardText(limits),
    )
    return Dialects(
        {surface.name: surface for surface in surfaces},
        {
            "openai": serving,
            "anthropic": on_messages,
            "litellm": conversing,
            "local": completing,
            "fake": completing,
        },
    )
