"""Says the body of a chat completion as a Conversation, for engines of another dialect.

The body has been walked, so its shape is known; what has no meaning elsewhere stays an option by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from gateway.core.conversation import (
    Answered,
    AnswerFormat,
    Called,
    Conversation,
    Declined,
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

_SAID: Final = frozenset(
    {
        "messages",
        "model",
        "response_format",
        "stream",
        "stream_options",
        "tool_choice",
        "tools",
    }
)
"""Fields that are said in the Conversation's own words; all others are options."""
_ASKS_NOTHING: Final = frozenset(
    {
        "audio",
        "function_call",
        "functions",
        "logprobs",
        "modalities",
        "moderation",
        "store",
        "top_logprobs",
        "web_search_options",
    }
)
"""Fields that the census lets pass with a neutral value alone."""
_ROLES: Final[Mapping[str, Role]] = {
    "developer": Role.SYSTEM,
    "system": Role.SYSTEM,
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
    "tool": Role.TOOL,
}
_RENAMED: Final[Mapping[str, str]] = {"max_completion_tokens": "max_tokens"}
_LIMITS: Final = ("max_completion_tokens", "max_tokens")
"""Two names of one option: they must not contradict each other."""


def conversation(body: Mapping[str, Any]) -> Conversation:
    """Raise Unsupported for what only this dialect can say."""
    return Conversation(
        turns=tuple(_turn(said, f"messages.{at}") for at, said in enumerate(body["messages"])),
        tools=tuple(_tool(tool["function"]) for tool in body.get("tools") or ()),
        tool_choice=_choice(body.get("tool_choice")),
        format=_format(body.get("response_format")),
        options=tuple(_options(body)),
    )


def _options(body: Mapping[str, Any]) -> Iterator[Option]:
    if len({body[name] for name in _LIMITS if body.get(name) is not None}) > 1:
        raise _unsupported("max_tokens")
    for name, value in body.items():
        if value is None or name in _SAID | _ASKS_NOTHING:
            continue
        as_list = name == "stop" and isinstance(value, str)
        yield Option(_RENAMED.get(name, name), [value] if as_list else value, name)


def _turn(message: Mapping[str, Any], path: str) -> Turn:
    role = _ROLES[message["role"]]
    pieces = tuple(_pieces(message.get("content"), role, f"{path}.content"))
    if role is Role.TOOL:
        # An older client's `name` repeats the tool's, which the call of this id has.
        told = tuple(piece for piece in pieces if isinstance(piece, Said | Shown))
        return Turn(role, (Answered(message["tool_call_id"], told),))
    if role is Role.ASSISTANT:
        beyond: Mapping[str, Any] = message.get("provider_specific_fields") or {}
        if any(value is not None for value in beyond.values()):
            raise _unsupported(f"{path}.provider_specific_fields")
        pieces = (*_around(message), *pieces, *_calls(message))
    return Turn(role, pieces, message.get("name"))


def _pieces(content: Any, role: Role, path: str) -> Iterator[Piece]:
    if isinstance(content, str):
        if content or role is not Role.ASSISTANT:
            yield Said(content)
        return
    parts: Sequence[Mapping[str, Any]] = content or ()
    for at, part in enumerate(parts):
        if part.get("prompt_cache_breakpoint"):
            raise _unsupported(f"{path}.{at}.prompt_cache_breakpoint")
        match part["type"]:
            case "text":
                yield Said(part["text"])
            case "refusal":
                yield Declined(part["refusal"])
            case _:
                yield _shown(part, f"{path}.{at}")


def _around(message: Mapping[str, Any]) -> Iterator[Piece]:
    thoughts = (message.get("reasoning_content"), message.get("reasoning"))
    # Some engines say it under both names.
    yield from (Thought(thought) for thought in dict.fromkeys(thoughts) if thought)
    if message.get("refusal"):
        yield Declined(message["refusal"])


def _calls(message: Mapping[str, Any]) -> Iterator[Piece]:
    for call in message.get("tool_calls") or ():
        function = call["function"]
        yield Called(call["id"], function["name"], function["arguments"])


def _shown(part: Mapping[str, Any], path: str) -> Shown:
    match part["type"]:
        case "image_url":
            if part["image_url"].get("detail") not in (None, "auto"):
                raise _unsupported(f"{path}.image_url.detail")
            kind, data = _data_url(part["image_url"]["url"])
            return Shown("image", kind, data)
        case "input_audio":
            sound = part["input_audio"]
            return Shown("audio", f"audio/{sound['format']}", sound["data"])
        case _:
            file = part["file"]
            kind, data = _data_url(file["file_data"])
            return Shown("file", kind, data, file.get("filename"))


def _data_url(url: str) -> tuple[str, str]:
    head, _, data = url.partition(",")
    return head.removeprefix("data:").removesuffix(";base64"), data


def _tool(function: Mapping[str, Any]) -> Tool:
    return Tool(
        function["name"],
        function.get("description"),
        function.get("parameters"),
        function.get("strict"),
    )


def _choice(choice: Any) -> ToolChoice | None:
    if choice is None:
        return None
    if isinstance(choice, str):
        return ToolChoice(choice)
    if choice["type"] == "function":
        return ToolChoice("named", choice["function"]["name"])
    raise _unsupported("tool_choice")


def _format(wanted: Any) -> AnswerFormat | None:
    if wanted is None or wanted["type"] == "text":
        return None
    if wanted["type"] == "json_object":
        return AnswerFormat()
    schema = wanted["json_schema"]
    # Left out, the schema is one that any JSON meets.
    return AnswerFormat(
        schema.get("schema") or {}, schema["name"], schema.get("description"), schema.get("strict")
    )


def _unsupported(path: str) -> Unsupported:
    return Unsupported(f"`{path}`, as it is set, cannot be said to this model's engine.", path=path)
