"""The items of a `responses` input: messages, reasoning, calls of functions and their results.

Items that a model gave are taken back as they came. Whatever points at something that is kept or
fetched elsewhere is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.core.model import Form, Kind, Role
from gateway.surfaces.census import (
    TOOL_NAME,
    Either,
    Items,
    Node,
    Object,
    Refused,
    Tagged,
    Text,
    Token,
    Word,
)
from gateway.surfaces.intake import Limits
from gateway.surfaces.media_types import FILE, IMAGE

_NOT_KEPT: Final = Refused("nothing is kept here; send the data itself")
_NOT_FETCHED: Final = Refused("the engine would fetch what a client names; send the data itself")
_NO_MARKS: Final = Refused("engines cannot be told where to cut a prompt for their cache")
_NO_DETAIL: Final = Refused("engines cannot be told how closely to look", ("auto",))
_ONLY_TEXT: Final = Refused("only text is looked at in this place")
_DIRECT: Final = Refused("the model alone calls tools", ({"type": "direct"},))
_PARSED: Final = Refused("it repeats in another form what is said beside it")
"""The official client adds it to what it got, null where nothing was parsed, and sends it back."""
_FLAT: Final = Refused("tools have no namespaces here")

_AS_GIVEN: Final[Mapping[str, Node]] = {
    "id": Token(),
    "status": Word(("in_progress", "completed", "incomplete")),
}
"""What an item has on it when it comes from an answer."""

_REFUSED_ITEMS: Final = (
    *("additional_tools", "apply_patch_call", "apply_patch_call_output", "code_interpreter_call"),
    *("compaction", "compaction_trigger", "computer_call", "computer_call_output"),
    *("custom_tool_call", "custom_tool_call_output", "file_search_call", "image_generation_call"),
    *("local_shell_call", "local_shell_call_output", "mcp_approval_request"),
    *("mcp_approval_response", "mcp_call", "mcp_list_tools", "program", "program_output"),
    *("shell_call", "shell_call_output", "tool_search_call", "tool_search_output"),
    "web_search_call",
)


def item(limits: Limits) -> Tagged:
    """One item. Without a `type` it is a message."""
    hosted = Refused("it belongs to tools that are not functions, and there are none here")
    variants: Mapping[str, Object | Refused | Tagged] = {
        "message": _message(limits),
        "function_call": _FUNCTION_CALL,
        "function_call_output": _function_call_output(limits),
        "reasoning": _reasoning(limits),
        "item_reference": Refused("nothing is kept here; send the item itself"),
        **dict.fromkeys(_REFUSED_ITEMS, hosted),
    }
    return Tagged("type", variants, default="message")


def _part(tag: str, name: str, kind: Kind, **more: Node) -> Object:
    """A part that is text, which stands in the field of this name."""
    fields = {"type": Word((tag,)), name: Text(kind), **more}
    return Object(fields, required=("type", name))


_INPUT_TEXT: Final = _part("input_text", "text", Kind.TEXT, prompt_cache_breakpoint=_NO_MARKS)
_IMAGE: Final = Object(
    {
        "type": Word(("input_image",)),
        "detail": _NO_DETAIL,
        "file_id": _NOT_KEPT,
        "image_url": IMAGE,
        "prompt_cache_breakpoint": _NO_MARKS,
    },
    required=("type", "image_url"),
    media="image",
    typed_by=("image_url",),
)
_FILE: Final = Object(
    {
        "type": Word(("input_file",)),
        "detail": _NO_DETAIL,
        "file_data": FILE,
        "file_id": _NOT_KEPT,
        "file_url": _NOT_FETCHED,
        "filename": Text(Kind.NAME),
        "prompt_cache_breakpoint": _NO_MARKS,
    },
    required=("type", "file_data"),
    media="file",
    typed_by=("file_data",),
)
_NO_MEDIA: Final[Mapping[str, Refused]] = {"input_image": _ONLY_TEXT, "input_file": _ONLY_TEXT}

_USER_PARTS: Final = {"input_text": _INPUT_TEXT, "input_image": _IMAGE, "input_file": _FILE}
_SYSTEM_PARTS: Final = {"input_text": _INPUT_TEXT, **_NO_MEDIA}
_ASSISTANT_PARTS: Final = {
    "output_text": _part(
        "output_text",
        "text",
        Kind.TEXT,
        annotations=Refused("citations are not looked at", ([],)),
        logprobs=Refused("alternative tokens repeat text that was redacted", ([],)),
        parsed=_PARSED,
    ),
    "refusal": _part("refusal", "refusal", Kind.REFUSAL),
    "input_text": _INPUT_TEXT,
    **_NO_MEDIA,
}
_RESULT_PARTS: Final = {
    "input_text": _part("input_text", "text", Kind.TOOL_RESULT, prompt_cache_breakpoint=_NO_MARKS),
    **_NO_MEDIA,
}


def _content(kind: Kind, limits: Limits, parts: Mapping[str, Object | Refused]) -> Either:
    return Either(Text(kind), Items(Tagged("type", parts), most=limits.parts, joined=True))


def _message(limits: Limits) -> Tagged:
    def said(role: str, speaker: Role, parts: Mapping[str, Object | Refused]) -> Object:
        return Object(
            {
                "type": Word(("message",)),
                "role": Word((role,)),
                "content": _content(Kind.TEXT, limits, parts),
                "phase": Refused("engines know no phases of an answer", ("final_answer",)),
                **_AS_GIVEN,
            },
            required=("role", "content"),
            speaker=speaker,
        )

    return Tagged(
        "role",
        {
            "user": said("user", Role.USER, _USER_PARTS),
            "system": said("system", Role.SYSTEM, _SYSTEM_PARTS),
            "developer": said("developer", Role.SYSTEM, _SYSTEM_PARTS),
            "assistant": said("assistant", Role.ASSISTANT, _ASSISTANT_PARTS),
        },
    )


_FUNCTION_CALL: Final = Object(
    {
        "type": Word(("function_call",)),
        "call_id": Token(),
        "name": Text(Kind.TOOL_NAME, pattern=TOOL_NAME),
        "arguments": Text(Kind.TOOL_ARGUMENTS, form=Form.JSON_TEXT),
        "caller": _DIRECT,
        "namespace": _FLAT,
        "parsed_arguments": _PARSED,
        **_AS_GIVEN,
    },
    required=("type", "call_id", "name", "arguments"),
    speaker=Role.ASSISTANT,
    calls=("name",),
    call_id="call_id",
)


def _function_call_output(limits: Limits) -> Object:
    return Object(
        {
            "type": Word(("function_call_output",)),
            "call_id": Token(),
            "output": _content(Kind.TOOL_RESULT, limits, _RESULT_PARTS),
            "caller": _DIRECT,
            "name": Refused("the call that it answers has the name"),
            "namespace": _FLAT,
            **_AS_GIVEN,
        },
        required=("type", "call_id", "output"),
        speaker=Role.TOOL,
        answers="call_id",
    )


def _thoughts(tag: str, limits: Limits) -> Items:
    part = _part(tag, "text", Kind.REASONING)
    return Items(Tagged("type", {tag: part}), most=limits.parts, joined=True)


def _reasoning(limits: Limits) -> Object:
    return Object(
        {
            "type": Word(("reasoning",)),
            "summary": _thoughts("summary_text", limits),
            "content": _thoughts("reasoning_text", limits),
            "encrypted_content": Refused("nobody can look at what is encrypted"),
            **_AS_GIVEN,
        },
        required=("type",),
        speaker=Role.ASSISTANT,
    )
