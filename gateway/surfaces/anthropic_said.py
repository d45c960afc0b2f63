"""Says the body of a Messages call as a Conversation, for engines of another dialect.

The body has been walked, so its shape is known. What asks for nothing in an answer (`cache_control`,
`eager_input_streaming`) has no words there; what has no meaning elsewhere stays an option by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import orjson

from gateway.core.conversation import (
    Answered,
    AnswerFormat,
    Called,
    Conversation,
    Option,
    Piece,
    Said,
    Shown,
    Thought,
    Tool,
    ToolChoice,
    Turn,
)
from gateway.core.errors import Unsupported
from gateway.core.model import Role
from gateway.surfaces.adjacent import as_one

_RENAMED: Final[Mapping[str, str]] = {
    "max_tokens": "max_tokens",
    "stop_sequences": "stop",
    "temperature": "temperature",
    "top_k": "top_k",
    "top_p": "top_p",
    "user_profile_id": "user_profile_id",
}
"""Options, by the names that core gives them."""
_CHOICES: Final[Mapping[str, str]] = {"any": "required", "tool": "named"}
_ROLES: Final[Mapping[str, Role]] = {"system": Role.SYSTEM, "assistant": Role.ASSISTANT}


def conversation(body: Mapping[str, Any]) -> Conversation:
    """Raise Unsupported for what only this dialect can say."""
    choice = _below(body, "tool_choice")
    return Conversation(
        turns=tuple(turns(body)),
        tools=tuple(_tool(tool, at) for at, tool in enumerate(body.get("tools") or ())),
        tool_choice=_choice(choice) if choice else None,
        format=_format(body),
        options=tuple(_options(body)),
    )


def turns(body: Mapping[str, Any]) -> Iterator[Turn]:
    """The system prompt, then every message; a tool's results before what was said beside them."""
    if body.get("system"):
        yield Turn(Role.SYSTEM, tuple(_pieces(body["system"], "system")))
    for at, message in enumerate(body["messages"]):
        role, content = _ROLES.get(message["role"], Role.USER), message["content"]
        pieces = tuple(_pieces(content, f"messages.{at}.content"))
        answers = tuple(piece for piece in pieces if isinstance(piece, Answered))
        others = tuple(piece for piece in pieces if not isinstance(piece, Answered))
        if answers:
            yield Turn(Role.TOOL, answers)
        if others or not answers:
            yield Turn(role, tuple(as_one(others)) if role is Role.ASSISTANT else others)


def _pieces(content: str | Sequence[Mapping[str, Any]], path: str) -> Iterator[Piece]:
    if isinstance(content, str):
        yield Said(content)
        return
    for at, block in enumerate(content):
        match block["type"]:
            case "thinking":
                yield Thought(block["thinking"])
            case "tool_use":
                yield Called(block["id"], block["name"], _json(block["input"]))
            case "tool_result":
                parts = tuple(_shown(block.get("content") or (), f"{path}.{at}.content"))
                yield Answered(block["tool_use_id"], parts, failed=block.get("is_error") is True)
            case _:
                yield from _shown([block], f"{path}.{at}")


def _shown(content: str | Sequence[Mapping[str, Any]], path: str) -> Iterator[Said | Shown]:
    """What stands in a user's message and in a tool's result alike."""
    if isinstance(content, str):
        yield Said(content)
        return
    for block in content:
        match block["type"]:
            case "text":
                yield Said(block["text"])
            case "image":
                if block.get("transformations"):
                    raise unsupported(f"{path}.transformations")
                source = block["source"]
                yield Shown("image", source["media_type"], source["data"])
            case _:
                yield from _document(block, path)


def _document(block: Mapping[str, Any], path: str) -> Iterator[Said | Shown]:
    """A document: a file under its title, or texts, of which the title is the first."""
    source = block["source"]
    if source["type"] == "base64":
        if block.get("context"):
            yield Said(block["context"])
        yield Shown("file", source["media_type"], source["data"], block.get("title"))
        return
    yield from (Said(block[name]) for name in ("title", "context") if block.get(name))
    if source["type"] == "text":
        yield Said(source["data"])
    else:
        yield from _shown(source["content"], path)


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _tool(tool: Mapping[str, Any], at: int) -> Tool:
    for name in ("defer_loading", "input_examples"):
        if tool.get(name):
            raise unsupported(f"tools.{at}.{name}")
    return Tool(tool["name"], tool.get("description"), tool["input_schema"], tool.get("strict"))


def _choice(choice: Mapping[str, Any]) -> ToolChoice:
    sort: str = choice["type"]
    return ToolChoice(_CHOICES.get(sort, sort), choice.get("name"))


def _format(body: Mapping[str, Any]) -> AnswerFormat | None:
    wanted = _below(body, "output_config").get("format")
    return AnswerFormat(wanted["schema"], strict=True) if wanted else None


def _below(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """What stands under a name that may be missing or null."""
    return body.get(name) or {}


def _options(body: Mapping[str, Any]) -> Iterator[Option]:
    _check(body)
    for name, meant in _RENAMED.items():
        if body.get(name) is not None:
            yield Option(meant, body[name], name)
    if user := _below(body, "metadata").get("user_id"):
        yield Option("user", user, "metadata.user_id")
    if effort := _below(body, "output_config").get("effort"):
        yield Option("reasoning_effort", effort, "output_config.effort")
    if _below(body, "tool_choice").get("disable_parallel_tool_use"):
        yield Option("parallel_tool_calls", False, "tool_choice.disable_parallel_tool_use")
    if body.get("service_tier") == "standard_only":
        yield Option("service_tier", "default", "service_tier")


def _check(body: Mapping[str, Any]) -> None:
    """A budget for thinking cannot be said elsewhere. `adaptive` leaves it to the model, as silence does."""
    if body.get("max_tokens") == 0:
        # It asks for no answer, but to have the prompt cached.
        raise unsupported("max_tokens")
    if body.get("speed") == "fast":
        raise unsupported("speed")
    thinking = _below(body, "thinking")
    if thinking.get("type", "disabled") not in ("disabled", "adaptive"):
        raise unsupported("thinking")
    if thinking.get("display"):
        raise unsupported("thinking.display")


def unsupported(path: str) -> Unsupported:
    return Unsupported(f"`{path}` cannot be said to this model's engine.", path=path)
