"""Writes a Conversation as the body of a chat completion, for engines that speak this dialect.

What the dialect cannot say is refused by the name that the client used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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

OPTIONS: Final = frozenset(
    {
        "frequency_penalty",
        "logit_bias",
        "max_completion_tokens",
        "max_tokens",
        "metadata",
        "n",
        "parallel_tool_calls",
        "presence_penalty",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning_effort",
        "safety_identifier",
        "seed",
        "service_tier",
        "stop",
        "temperature",
        "top_p",
        "user",
        "verbosity",
    }
)
"""Options that go by the same name here. `top_k` is vLLM's and others': see `BEYOND`."""
BEYOND: Final = frozenset({"top_k"})
"""Not in OpenAI's reference, but the engines that people run themselves take it."""


def body(said: Conversation, model: str, *, stream: bool) -> dict[str, Any]:
    """The engine's body. Raise Unsupported for what chat completions cannot say."""
    written: dict[str, Any] = {
        "model": model,
        "messages": [message for turn in said.turns for message in _messages(turn)],
    }
    if said.tools:
        written["tools"] = [_tool(tool) for tool in said.tools]
    if said.tool_choice:
        written["tool_choice"] = _choice(said.tool_choice)
    if said.format:
        written["response_format"] = _format(said.format)
    for option in said.options:
        written[_name(option)] = option.value
    if stream:
        written["stream"] = True
        written["stream_options"] = {"include_usage": True}
    return written


def _name(option: Option) -> str:
    if option.name not in OPTIONS | BEYOND:
        raise Unsupported(
            f"`{option.path}` cannot be said to this model's engine, which speaks chat completions.",
            path=option.path,
        )
    return option.name


def _messages(turn: Turn) -> Iterator[dict[str, Any]]:
    if turn.role is Role.TOOL:
        for piece in turn.pieces:
            assert isinstance(piece, Answered), "a tool's turn has answers alone"
            yield {"role": "tool", "tool_call_id": piece.id, "content": _answer(piece)}
    elif turn.role is Role.ASSISTANT:
        _check_all_text(turn.pieces, "an assistant's message")
        yield _assistant(turn)
    else:
        if turn.role is Role.SYSTEM:
            _check_all_text(turn.pieces, "a system message")
        content = _content([p for p in turn.pieces if isinstance(p, Said | Shown)])
        yield {"role": str(turn.role), "content": content, **_named(turn)}


def _check_all_text(pieces: Iterable[Piece], where: str) -> None:
    if any(isinstance(piece, Shown) for piece in pieces):
        raise Unsupported(
            f"What is no text, in {where}, cannot be said to this model's engine,"
            " which speaks chat completions."
        )


def _named(turn: Turn) -> dict[str, Any]:
    return {} if turn.name is None else {"name": turn.name}


_BETWEEN: Final = "\n\n"
"""Pieces were looked at one by one, so they must not run together: see `adjacent`."""


def _assistant(turn: Turn) -> dict[str, Any]:
    """One message: texts as one, reasoning and tool calls beside them."""
    message: dict[str, Any] = {"role": "assistant", "content": None, **_named(turn)}
    for name, sort in (("content", Said), ("reasoning_content", Thought), ("refusal", Declined)):
        texts = [piece.text for piece in turn.pieces if isinstance(piece, sort) and piece.text]
        if texts:
            message[name] = _BETWEEN.join(texts)
    calls = [_call(piece) for piece in turn.pieces if isinstance(piece, Called)]
    if calls:
        message["tool_calls"] = calls
    elif message["content"] is None:
        message["content"] = ""
    return message


def _call(piece: Called) -> dict[str, Any]:
    function = {"name": piece.name, "arguments": piece.arguments}
    return {"id": piece.id, "type": "function", "function": function}


def _answer(piece: Answered) -> str | list[dict[str, Any]]:
    _check_all_text(piece.parts, "a tool's result")
    content = _content(piece.parts)
    if not piece.failed:
        return content
    # The dialect has no field for it; engines read the word.
    return f"Error: {content}" if isinstance(content, str) else [_part(Said("Error:")), *content]


def _content(pieces: list[Said | Shown] | tuple[Said | Shown, ...]) -> str | list[dict[str, Any]]:
    """A plain string where there is nothing but one text: every engine reads that."""
    if not pieces:
        return ""
    if len(pieces) == 1 and isinstance(pieces[0], Said):
        return pieces[0].text
    return [_part(piece) for piece in pieces]


def _part(piece: Piece) -> dict[str, Any]:
    match piece:
        case Said():
            return {"type": "text", "text": piece.text}
        case Shown(kind="image"):
            url = f"data:{piece.type};base64,{piece.data}"
            return {"type": "image_url", "image_url": {"url": url}}
        case Shown(kind="audio"):
            sound = {"data": piece.data, "format": piece.type.partition("/")[2]}
            return {"type": "input_audio", "input_audio": sound}
        case Shown():
            file: dict[str, Any] = {"file_data": f"data:{piece.type};base64,{piece.data}"}
            if piece.name:
                file["filename"] = piece.name
            return {"type": "file", "file": file}
        case _:
            raise AssertionError(type(piece).__name__)


def _tool(tool: Tool) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    if tool.schema is not None:
        function["parameters"] = tool.schema
    if tool.strict is not None:
        function["strict"] = tool.strict
    return {"type": "function", "function": function}


def _choice(choice: ToolChoice) -> str | dict[str, Any]:
    if choice.mode != "named":
        return choice.mode
    return {"type": "function", "function": {"name": choice.name}}


def _format(wanted: AnswerFormat) -> dict[str, Any]:
    if wanted.schema is None:
        return {"type": "json_object"}
    schema: Mapping[str, Any] = {
        name: value
        for name, value in (
            ("name", wanted.name or "answer"),
            ("description", wanted.description),
            ("schema", wanted.schema),
            ("strict", wanted.strict),
        )
        if value is not None
    }
    return {"type": "json_schema", "json_schema": schema}
