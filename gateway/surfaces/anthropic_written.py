"""Writes a Conversation as the body of a Messages call, for engines that speak this dialect.

What the dialect cannot say is refused by the name that the client used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import groupby
from types import MappingProxyType
from typing import Any, Final, cast

import orjson

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

MAX_TOKENS: Final = 4096
"""Tokens of an answer where the client names no limit: this dialect has to be told one."""
_SAME: Final = frozenset({"max_tokens", "temperature", "top_k", "top_p", "user_profile_id"})
"""Options that go by the same name here."""
_NOTHING: Final[Mapping[str, tuple[Any, ...]]] = MappingProxyType(
    {
        "frequency_penalty": (0,),
        "logit_bias": ({},),
        "metadata": ({},),
        "n": (1,),
        "presence_penalty": (0,),
    }
)
"""Values of options that ask for nothing but what is done without them."""
_ROLES: Final[Mapping[Role, str]] = MappingProxyType(
    {Role.USER: "user", Role.TOOL: "user", Role.ASSISTANT: "assistant"}
)
_MODES: Final[Mapping[str, str]] = MappingProxyType(
    {"auto": "auto", "none": "none", "required": "any", "named": "tool"}
)
_EFFORTS: Final = frozenset({"low", "medium", "high", "xhigh", "max"})
_IMAGES: Final = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})


def body(said: Conversation, model: str, *, stream: bool) -> dict[str, Any]:
    """The engine's body. Raise Unsupported for what the dialect cannot say."""
    system = [turn for turn in said.turns if turn.role is Role.SYSTEM]
    others = [turn for turn in said.turns if turn.role is not Role.SYSTEM]
    _check_last(others)
    written: dict[str, Any] = {"model": model, "max_tokens": MAX_TOKENS}
    if system:
        written["system"] = "\n\n".join(_words(turn) for turn in system)
    written["messages"] = list(_messages(others))
    if said.tools:
        written["tools"] = [_tool(tool) for tool in said.tools]
    if said.tool_choice:
        written["tool_choice"] = _choice(said.tool_choice)
    if said.format:
        written["output_config"] = {"format": _format(said.format)}
    for option in said.options:
        _WRITERS.get(option.name, _same)(written, option)
    if stream:
        written["stream"] = True
    return written


def _check_last(turns: Sequence[Turn]) -> None:
    if not turns:
        raise _unsupported("messages", "what the system says alone is no question there")
    if turns[-1].role is Role.ASSISTANT:
        raise _unsupported("messages", "an engine of this dialect would go on with the last answer")


def _words(turn: Turn) -> str:
    _check_name(turn)
    return "".join(piece.text for piece in turn.pieces if isinstance(piece, Said))


def _messages(turns: Sequence[Turn]) -> Iterator[dict[str, Any]]:
    """Users and assistants in turn, as the dialect has it; what a tool gave, its user hands on."""
    for role, group in groupby(turns, lambda turn: _ROLES[turn.role]):
        blocks: list[dict[str, Any]] = []
        for turn in group:
            _check_name(turn)
            blocks += (_block(piece) for piece in turn.pieces if piece != Said(""))
        if blocks or role == "user":
            yield {"role": role, "content": _content(blocks)}


def _check_name(turn: Turn) -> None:
    if turn.name:
        raise _unsupported("messages", "a name of who speaks is not known there")


def _content(blocks: list[dict[str, Any]]) -> str | list[dict[str, Any]]:
    """A plain string where there is nothing but one text: every engine reads that."""
    if not blocks:
        return ""
    if len(blocks) == 1 and blocks[0]["type"] == "text":
        return blocks[0]["text"]
    return blocks


def _block(piece: Piece) -> dict[str, Any]:
    match piece:
        case Said() | Declined():
            return {"type": "text", "text": piece.text}
        case Thought():
            return {"type": "thinking", "thinking": piece.text, "signature": ""}
        case Called():
            called = {"id": piece.id, "name": piece.name, "input": _input(piece.arguments)}
            return {"type": "tool_use", **called}
        case Answered():
            content = _content([_block(part) for part in piece.parts])
            result = {"type": "tool_result", "tool_use_id": piece.id, "content": content}
            return {**result, "is_error": True} if piece.failed else result
        case Shown():
            return _shown(piece)


def _shown(piece: Shown) -> dict[str, Any]:
    source = {"type": "base64", "media_type": piece.type, "data": piece.data}
    if piece.kind == "image" and piece.type in _IMAGES:
        return {"type": "image", "source": source}
    if piece.kind == "file" and piece.type == "application/pdf":
        named = {"title": piece.name} if piece.name else {}
        return {"type": "document", "source": source, **named}
    raise _unsupported("messages", "of what is no text it takes JPEG, PNG, GIF, WebP and PDF alone")


def _input(text: str) -> dict[str, Any]:
    """Arguments as the object that they have to be here."""
    value: Any = None
    with suppress(orjson.JSONDecodeError):
        value = orjson.loads(text or "{}")
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {"arguments": text}


def _tool(tool: Tool) -> dict[str, Any]:
    written: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        written["description"] = tool.description
    written["input_schema"] = tool.schema or {"type": "object", "properties": {}}
    if tool.strict is not None:
        written["strict"] = tool.strict
    return written


def _choice(choice: ToolChoice) -> dict[str, Any]:
    named = {"name": choice.name} if choice.mode == "named" else {}
    return {"type": _MODES[choice.mode], **named}


def _format(wanted: AnswerFormat) -> dict[str, Any]:
    """The schema, with what was said about it as its description; its name says nothing."""
    if wanted.schema is None:
        raise _unsupported("response_format", "JSON without a schema cannot be asked for there")
    about = {"description": wanted.description} if wanted.description else {}
    return {"type": "json_schema", "schema": {**about, **wanted.schema}}


def _same(written: dict[str, Any], option: Option) -> None:
    if option.name in _SAME:
        written[option.name] = option.value
    elif option.value not in _NOTHING.get(option.name, ()):
        raise _unsupported(option.path)


def _stop(written: dict[str, Any], option: Option) -> None:
    written["stop_sequences"] = option.value


def _user(written: dict[str, Any], option: Option) -> None:
    written["metadata"] = {"user_id": option.value}


def _effort(written: dict[str, Any], option: Option) -> None:
    if option.value == "none":
        written["thinking"] = {"type": "disabled"}
    elif option.value in _EFFORTS:
        written.setdefault("output_config", {})["effort"] = option.value
    else:
        raise _unsupported(option.path)


def _parallel(written: dict[str, Any], option: Option) -> None:
    if option.value is False and "tools" in written:
        choice = written.setdefault("tool_choice", {"type": "auto"})
        if choice["type"] != "none":
            choice["disable_parallel_tool_use"] = True


def _tier(written: dict[str, Any], option: Option) -> None:
    if option.value not in ("auto", "default"):
        raise _unsupported(option.path)
    written["service_tier"] = {"auto": "auto", "default": "standard_only"}[option.value]


_WRITERS: Final[Mapping[str, Callable[[dict[str, Any], Option], None]]] = MappingProxyType(
    {
        "stop": _stop,
        "user": _user,
        "reasoning_effort": _effort,
        "parallel_tool_calls": _parallel,
        "service_tier": _tier,
    }
)
"""Options that this dialect says in other words."""


def _unsupported(path: str, why: str = "") -> Unsupported:
    told = f"`{path}` cannot be said to this model's engine, which speaks Messages"
    return Unsupported(f"{told}: {why}." if why else f"{told}.", path=path)
