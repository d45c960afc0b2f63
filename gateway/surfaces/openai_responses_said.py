"""Says the body of a `responses` request as a Conversation, for engines that speak other dialects.

The body has been walked, so its shape is known; what has no meaning elsewhere stays an option by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
from gateway.core.errors import InvalidField
from gateway.core.model import Role
from gateway.surfaces.adjacent import as_one
from gateway.surfaces.openai_responses_census import REFUSED

_SAID: Final = frozenset(
    {
        "input",
        "instructions",
        "model",
        "reasoning",
        "stream",
        "stream_options",
        "text",
        "tool_choice",
        "tools",
    }
)
"""Fields that are said in the Conversation's own words, or that are asked of this surface alone."""
_ROLES: Final[Mapping[str, Role]] = {
    "developer": Role.SYSTEM,
    "system": Role.SYSTEM,
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
}
_RENAMED: Final[Mapping[str, str]] = {"max_output_tokens": "max_tokens"}
_INNER: Final = (
    ("reasoning", "effort", "reasoning_effort"),
    ("text", "verbosity", "verbosity"),
)
"""Options that stand below the top level, and their names."""


def conversation(body: Mapping[str, Any]) -> Conversation:
    """Raise InvalidField where `tool_choice` allows a tool that is not among `tools`."""
    tools: list[dict[str, Any]] = body.get("tools") or []
    choice: Any = body.get("tool_choice")
    if choice and not isinstance(choice, str) and choice["type"] == "allowed_tools":
        # The others are kept from the model, which comes to the same.
        tools, choice = _allowed(tools, choice["tools"]), choice["mode"]
    text: Mapping[str, Any] = body.get("text") or {}
    return Conversation(
        turns=tuple(_turns(body)),
        tools=tuple(_tool(tool) for tool in tools),
        tool_choice=_choice(choice),
        format=_format(text.get("format")),
        options=tuple(_options(body)),
    )


def _options(body: Mapping[str, Any]) -> Iterator[Option]:
    for name, value in body.items():
        if value is not None and name not in _SAID and name not in REFUSED:
            yield Option(_RENAMED.get(name, name), value, name)
    for place, inner, name in _INNER:
        holder: Mapping[str, Any] = body.get(place) or {}
        if holder.get(inner) is not None:
            yield Option(name, holder[inner], f"{place}.{inner}")


# -- turns


def _turns(body: Mapping[str, Any]) -> Iterator[Turn]:
    """One for each item, but for what an assistant said in a row: that is one."""
    if body.get("instructions"):
        yield Turn(Role.SYSTEM, (Said(body["instructions"]),))
    items = body["input"]
    if isinstance(items, str):
        yield Turn(Role.USER, (Said(items),))
        return
    said: list[Piece] = []
    begun = False
    for item in items:
        role, pieces = _item(item)
        if role is Role.ASSISTANT:
            said += pieces
            begun = True
            continue
        if begun:
            yield Turn(Role.ASSISTANT, tuple(said))
            said, begun = [], False
        yield Turn(role, tuple(pieces))
    if begun:
        yield Turn(Role.ASSISTANT, tuple(said))


def _item(item: Mapping[str, Any]) -> tuple[Role, list[Piece]]:
    match item.get("type"):
        case "function_call":
            return Role.ASSISTANT, [Called(item["call_id"], item["name"], item["arguments"])]
        case "function_call_output":
            told = tuple(p for p in _pieces(item["output"]) if isinstance(p, Said | Shown))
            return Role.TOOL, [Answered(item["call_id"], told)]
        case "reasoning":
            lists = (item.get("summary") or (), item.get("content") or ())
            thoughts = ([Thought(part["text"]) for part in parts] for parts in lists)
            return Role.ASSISTANT, [piece for one in thoughts for piece in as_one(one)]
        case _:
            role, pieces = _ROLES[item["role"]], _pieces(item["content"])
            return role, [*(as_one(pieces) if role is Role.ASSISTANT else pieces)]


def _pieces(content: Any) -> Iterator[Piece]:
    if isinstance(content, str):
        yield Said(content)
        return
    for part in content:
        match part["type"]:
            case "refusal":
                yield Declined(part["refusal"])
            case "input_image":
                yield Shown("image", *_data_url(part["image_url"]))
            case "input_file":
                yield Shown("file", *_data_url(part["file_data"]), part.get("filename"))
            case _:
                yield Said(part["text"])


def _data_url(url: str) -> tuple[str, str]:
    head, _, data = url.partition(",")
    return head.removeprefix("data:").removesuffix(";base64"), data


# -- tools and form


def _allowed(tools: list[dict[str, Any]], allowed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    known = {tool["name"] for tool in tools}
    for index, tool in enumerate(allowed):
        if tool["name"] not in known:
            path = f"tool_choice.tools.{index}.name"
            raise InvalidField(f"`{path}` must be the name of one of `tools`.", path=path)
    names = {tool["name"] for tool in allowed}
    return [tool for tool in tools if tool["name"] in names]


def _tool(tool: Mapping[str, Any]) -> Tool:
    return Tool(tool["name"], tool.get("description"), tool.get("parameters"), tool.get("strict"))


def _choice(choice: Any) -> ToolChoice | None:
    if choice is None:
        return None
    if isinstance(choice, str):
        return ToolChoice(choice)
    return ToolChoice("named", choice["name"])


def _format(wanted: Any) -> AnswerFormat | None:
    if wanted is None or wanted["type"] == "text":
        return None
    if wanted["type"] == "json_object":
        return AnswerFormat()
    return AnswerFormat(
        wanted["schema"], wanted["name"], wanted.get("description"), wanted.get("strict")
    )
