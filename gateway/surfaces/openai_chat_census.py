"""Every field of a chat completions request (openai 2.54.0), and what becomes of each.

Text is looked at, values are typed and bounded, the rest is refused. Whoever adds a field here says
which; nothing may pass because nobody thought of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.core.model import Form, Kind, Role
from gateway.surfaces.census import (
    BASE64,
    MODEL,
    TOOL_NAME,
    Blob,
    Either,
    Flag,
    Free,
    Items,
    Keyed,
    Node,
    Number,
    Object,
    Refused,
    Tagged,
    Text,
    Token,
    Whole,
    Word,
)
from gateway.surfaces.intake import Limits
from gateway.surfaces.media_types import FILE, IMAGE

_LEGACY = "it is superseded; use `tools` and `tool_choice`"
_CUSTOM = Refused("custom tools are free text that no schema bounds; use a function tool")
_MEDIA = Refused("only text is looked at")
_ALTERNATIVES = "alternative tokens repeat text that was redacted"
_MAX_INT = 2**63 - 1

_NAME = Text(Kind.NAME)
_ABOUT_CALLER = Text(Kind.METADATA, Role.USER)
_STOP = Text(Kind.TEXT, Role.USER)


def _variant(tag: str, fields: Mapping[str, Node], *optional: str) -> Object:
    """An object of this `type`; its fields are required but for those named."""
    required = tuple(name for name in fields if name not in optional)
    return Object({"type": Word((tag,)), **fields}, required=("type", *required))


def _part(kind: Kind) -> Object:
    marks = Object({"mode": Word(("explicit",))}, required=("mode",))
    fields = {"text": Text(kind), "prompt_cache_breakpoint": marks}
    return _variant("text", fields, "prompt_cache_breakpoint")


_KEPT = Refused("nothing is kept here; send the data itself")
_IMAGE = Object({"url": IMAGE, "detail": Word(("auto", "low", "high"))}, required=("url",))
_SOUND = Object({"data": Blob(BASE64), "format": Word(("wav", "mp3"))}, required=("data", "format"))
_FILE = Object(
    {"file_data": FILE, "filename": Text(Kind.NAME), "file_id": _KEPT},
    required=("file_data",),
)


def _media(tag: str, media: str, held: Object, typed_by: str) -> Object:
    """A part that is no text. Addresses are refused: the engine would fetch what a client names."""
    marks = Object({"mode": Word(("explicit",))}, required=("mode",))
    return Object(
        {"type": Word((tag,)), tag: held, "prompt_cache_breakpoint": marks},
        required=("type", tag),
        media=media,
        typed_by=(tag, typed_by),
    )


_USER_PARTS = {
    "text": _part(Kind.TEXT),
    "image_url": _media("image_url", "image", _IMAGE, "url"),
    "input_audio": _media("input_audio", "audio", _SOUND, "format"),
    "file": _media("file", "file", _FILE, "file_data"),
}
_ASSISTANT_PARTS = {
    "text": _part(Kind.TEXT),
    "refusal": _variant("refusal", {"refusal": Text(Kind.REFUSAL)}),
}
_SYSTEM_PARTS = {"text": _part(Kind.TEXT)}
_RESULT_PARTS = {"text": _part(Kind.TOOL_RESULT)}


def request(limits: Limits) -> Object:
    """The whole request body. Unknown top-level names are the model's `extra` to admit."""
    return Object(
        {
            "messages": Items(_message(limits), most=limits.messages, least=1),
            "model": Token(MODEL),
            "frequency_penalty": Number(-2, 2),
            "logit_bias": Keyed(re.compile(r"[0-9]{1,9}"), Number(-100, 100)),
            "max_completion_tokens": Whole(1, _MAX_INT),
            "max_tokens": Whole(1, _MAX_INT),
            "n": Whole(1, limits.choices),
            "parallel_tool_calls": Flag(),
            "prediction": _prediction(limits),
            "presence_penalty": Number(-2, 2),
            "reasoning_effort": Word(("none", "minimal", "low", "medium", "high", "xhigh", "max")),
            "response_format": _RESPONSE_FORMAT,
            "seed": Whole(-_MAX_INT - 1, _MAX_INT),
            "stop": Either(_STOP, Items(_STOP, most=limits.stops)),
            "stream": Flag(),
            "stream_options": _STREAM_OPTIONS,
            "temperature": Number(0, 2),
            "tool_choice": _tool_choice(limits),
            "tools": Items(_TOOL, most=limits.tools),
            "top_p": Number(0, 1),
            "verbosity": Word(("low", "medium", "high")),
            **_ABOUT_THE_CALL,
            **_REFUSED,
        },
        required=("messages", "model"),
    )


_ABOUT_THE_CALL: Mapping[str, Node] = {
    "metadata": Free(Kind.METADATA, Role.USER),
    "prompt_cache_key": _ABOUT_CALLER,
    "prompt_cache_options": Object({"mode": Word(("implicit", "explicit")), "ttl": Word(("30m",))}),
    "prompt_cache_retention": Word(("in_memory", "in-memory", "24h")),
    "safety_identifier": _ABOUT_CALLER,
    "service_tier": Word(("auto", "default", "flex", "scale", "priority", "fast")),
    "user": _ABOUT_CALLER,
}

_REFUSED: Mapping[str, Node] = {
    "audio": _MEDIA,
    "function_call": Refused(_LEGACY),
    "functions": Refused(_LEGACY, ([],)),
    "logprobs": Refused(_ALTERNATIVES, (False,)),
    "modalities": Refused("only text is looked at", (["text"],)),
    "moderation": Refused("what is moderated here, the policy says"),
    "store": Refused("the model server would keep the text", (False,)),
    "top_logprobs": Refused(_ALTERNATIVES, (0,)),
    "web_search_options": Refused("what a search brings in is not looked at"),
}

_STREAM_OPTIONS = Object(
    {
        "include_usage": Flag(),
        "include_obfuscation": Refused("events are written anew, without padding", (False,)),
    }
)


def _content(kind: Kind, limits: Limits, parts: Mapping[str, Object | Refused]) -> Either:
    return Either(Text(kind), Items(Tagged("type", parts), most=limits.parts, joined=True))


def _message(limits: Limits) -> Tagged:
    return Tagged(
        "role",
        {
            "developer": _said("developer", Role.SYSTEM, _SYSTEM_PARTS, limits),
            "system": _said("system", Role.SYSTEM, _SYSTEM_PARTS, limits),
            "user": _said("user", Role.USER, _USER_PARTS, limits),
            "assistant": _assistant(limits),
            "tool": _tool_result(limits),
            "function": Refused(_LEGACY),
        },
    )


def _said(
    role: str, speaker: Role, parts: Mapping[str, Object | Refused], limits: Limits
) -> Object:
    return Object(
        {
            "role": Word((role,)),
            "content": _content(Kind.TEXT, limits, parts),
            "name": _NAME,
        },
        required=("role", "content"),
        speaker=speaker,
    )


def _assistant(limits: Limits) -> Object:
    """An earlier answer, with what only engines' answers carry: clients send answers back."""
    return Object(
        {
            "role": Word(("assistant",)),
            "content": _content(Kind.TEXT, limits, _ASSISTANT_PARTS),
            "name": _NAME,
            "refusal": Text(Kind.REFUSAL),
            "reasoning_content": Text(Kind.REASONING),
            "reasoning": Text(Kind.REASONING),
            # Where the LiteLLM SDK keeps what it does not know of an answer, and sends it back.
            "provider_specific_fields": Free(Kind.TEXT, Role.ASSISTANT),
            "tool_calls": Items(_TOOL_CALL, most=limits.parts),
            "function_call": Refused(_LEGACY),
            "audio": _MEDIA,
            "annotations": Refused("citations are not looked at", ([],)),
        },
        required=("role",),
        speaker=Role.ASSISTANT,
    )


def _tool_result(limits: Limits) -> Object:
    return Object(
        {
            "role": Word(("tool",)),
            "content": _content(Kind.TOOL_RESULT, limits, _RESULT_PARTS),
            "tool_call_id": Token(),
            # No longer in the reference, but older clients send it.
            "name": _NAME,
        },
        required=("role", "content", "tool_call_id"),
        speaker=Role.TOOL,
        answers="tool_call_id",
    )


_CALLED = Object(
    {
        "name": Text(Kind.TOOL_NAME, pattern=TOOL_NAME),
        "arguments": Text(Kind.TOOL_ARGUMENTS, form=Form.JSON_TEXT),
    },
    required=("name", "arguments"),
)
_TOOL_CALL = Tagged(
    "type",
    {
        "function": Object(
            {
                "type": Word(("function",)),
                "id": Token(),
                "function": _CALLED,
                # Some engines number the calls of an answer, and clients send the answer back.
                "index": Whole(0, 10_000),
            },
            required=("type", "id", "function"),
            calls=("function", "name"),
        ),
        "custom": _CUSTOM,
    },
)

_DEFINED = Object(
    {
        "name": Text(Kind.TOOL_DEFINITION, Role.SYSTEM, pattern=TOOL_NAME),
        "description": Text(Kind.TOOL_DEFINITION, Role.SYSTEM),
        "parameters": Free(Kind.TOOL_DEFINITION, Role.SYSTEM),
        "strict": Flag(),
    },
    required=("name",),
)
_TOOL = Tagged(
    "type", {"function": _variant("function", {"function": _DEFINED}), "custom": _CUSTOM}
)

_CHOSEN = Object(
    {"name": Text(Kind.TOOL_NAME, Role.SYSTEM, pattern=TOOL_NAME, named=True)}, required=("name",)
)
_CHOICE = _variant("function", {"function": _CHOSEN})


def _tool_choice(limits: Limits) -> Either:
    allowed = Object(
        {
            "mode": Word(("auto", "required")),
            "tools": Items(Tagged("type", {"function": _CHOICE}), most=limits.tools),
        },
        required=("mode", "tools"),
    )
    variants: Mapping[str, Object | Refused] = {
        "function": _CHOICE,
        "allowed_tools": _variant("allowed_tools", {"allowed_tools": allowed}),
        "custom": _CUSTOM,
    }
    return Either(Word(("none", "auto", "required")), Tagged("type", variants))


_SCHEMA = Object(
    {
        "name": Text(Kind.RESPONSE_FORMAT, Role.SYSTEM, pattern=TOOL_NAME),
        "description": Text(Kind.RESPONSE_FORMAT, Role.SYSTEM),
        "schema": Free(Kind.RESPONSE_FORMAT, Role.SYSTEM),
        "strict": Flag(),
    },
    required=("name",),
)
_RESPONSE_FORMAT = Tagged(
    "type",
    {
        "text": _variant("text", {}),
        "json_object": _variant("json_object", {}),
        "json_schema": _variant("json_schema", {"json_schema": _SCHEMA}),
    },
)


def _prediction(limits: Limits) -> Tagged:
    """The answer as the client expects it: text that the model may repeat, so in its role."""
    content = Object(
        {
            "type": Word(("content",)),
            "content": _content(Kind.TEXT, limits, _SYSTEM_PARTS),
        },
        required=("type", "content"),
        speaker=Role.ASSISTANT,
    )
    return Tagged("type", {"content": content})
