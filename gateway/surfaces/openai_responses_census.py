"""Every field of a `responses` request (openai 2.54.0), and what becomes of each.

Text is looked at, values are typed and bounded, the rest is refused. Engines get these calls in another
dialect's words, so what no Conversation can say is refused here and never dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.core.model import Kind, Role
from gateway.surfaces.census import (
    MODEL,
    TOOL_NAME,
    Either,
    Flag,
    Free,
    Items,
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
from gateway.surfaces.openai_responses_items import item

_MAX_INT: Final = 2**63 - 1
_KEPT: Final = "nothing is kept here; send the whole conversation"
_HOSTED: Final = "there are no hosted tools here; use a function tool"
_CALLER: Final = Text(Kind.METADATA, Role.USER)


def request(limits: Limits) -> Object:
    """The whole request body. Unknown top-level names are the model's `extra` to admit."""
    return Object(
        {
            "input": Either(
                Text(Kind.TEXT, Role.USER), Items(item(limits), most=limits.messages, least=1)
            ),
            "model": Token(MODEL),
            "instructions": Text(Kind.TEXT, Role.SYSTEM),
            "max_output_tokens": Whole(1, _MAX_INT),
            "parallel_tool_calls": Flag(),
            "reasoning": _REASONING,
            "stream": Flag(),
            "stream_options": _STREAM_OPTIONS,
            "temperature": Number(0, 2),
            "text": _TEXT,
            "tool_choice": _tool_choice(limits),
            "tools": Items(_tagged(_TOOL, _HOSTED_TOOLS), most=limits.tools),
            "top_p": Number(0, 1),
            **_ABOUT_THE_CALL,
            **REFUSED,
        },
        required=("input", "model"),
    )


_ABOUT_THE_CALL: Final[Mapping[str, Node]] = {
    "metadata": Free(Kind.METADATA, Role.USER),
    "prompt_cache_key": _CALLER,
    "prompt_cache_options": Object({"mode": Word(("implicit", "explicit")), "ttl": Word(("30m",))}),
    "prompt_cache_retention": Word(("in_memory", "24h")),
    "safety_identifier": _CALLER,
    "service_tier": Word(("auto", "default", "flex", "scale", "priority", "fast")),
    "user": _CALLER,
}

REFUSED: Final[Mapping[str, Node]] = {
    "background": Refused("an answer is given to the call that asked, or not at all", (False,)),
    "context_management": Refused("what a model is told is the client's to cut", ([],)),
    "conversation": Refused(_KEPT),
    "include": Refused(
        "there is nothing to include: no encrypted reasoning is made (reasoning comes as text),"
        " no hosted tools run, and log probabilities repeat text that was redacted",
        ([],),
    ),
    "max_tool_calls": Refused("it counts the calls of hosted tools, and there are none here"),
    "moderation": Refused("what is moderated here, the policy says"),
    "previous_response_id": Refused(_KEPT),
    "prompt": Refused(_KEPT),
    "store": Refused(_KEPT, (False,)),
    "top_logprobs": Refused("alternative tokens repeat text that was redacted", (0,)),
    "truncation": Refused("a conversation reaches the model whole or not at all", ("disabled",)),
}
"""Fields of the top level that pass with a neutral value alone, which asks for nothing."""

_STREAM_OPTIONS: Final = Object(
    {"include_obfuscation": Refused("events are written anew, without padding", (False,))}
)

_NO_SUMMARY: Final = Refused("no summaries are made; reasoning comes as it is")
_REASONING: Final = Object(
    {
        "effort": Word(("none", "minimal", "low", "medium", "high", "xhigh", "max")),
        "summary": _NO_SUMMARY,
        "generate_summary": _NO_SUMMARY,
        "context": Refused("earlier reasoning is the client's to send or leave out", ("auto",)),
        "mode": Refused("engines know one mode alone", ("standard",)),
    }
)

_FORMAT_WORDS: Final = Text(Kind.RESPONSE_FORMAT, Role.SYSTEM)
_TEXT: Final = Object(
    {
        "format": Tagged(
            "type",
            {
                "text": Object({"type": Word(("text",))}, required=("type",)),
                "json_object": Object({"type": Word(("json_object",))}, required=("type",)),
                "json_schema": Object(
                    {
                        "type": Word(("json_schema",)),
                        "name": Text(Kind.RESPONSE_FORMAT, Role.SYSTEM, pattern=TOOL_NAME),
                        "description": _FORMAT_WORDS,
                        "schema": Free(Kind.RESPONSE_FORMAT, Role.SYSTEM),
                        "strict": Flag(),
                    },
                    required=("type", "name", "schema"),
                ),
            },
        ),
        "verbosity": Word(("low", "medium", "high")),
    }
)

_CALLERS: Final = Refused("the model alone calls tools", (["direct"],))
_TOOL: Final = Object(
    {
        "type": Word(("function",)),
        "name": Text(Kind.TOOL_DEFINITION, Role.SYSTEM, pattern=TOOL_NAME),
        "description": Text(Kind.TOOL_DEFINITION, Role.SYSTEM),
        "parameters": Free(Kind.TOOL_DEFINITION, Role.SYSTEM),
        "strict": Flag(),
        "allowed_callers": _CALLERS,
        "defer_loading": Refused("every tool is shown to the model", (False,)),
        "output_schema": Refused("engines know no schema of a tool's result"),
    },
    required=("type", "name"),
)
_HOSTED_TOOLS: Final = (
    *("apply_patch", "code_interpreter", "computer", "computer_use", "computer_use_preview"),
    *("custom", "file_search", "image_generation", "local_shell", "mcp", "namespace"),
    *("programmatic_tool_calling", "shell", "tool_search", "web_search", "web_search_2025_08_26"),
    *("web_search_preview", "web_search_preview_2025_03_11"),
)
"""Tools that a server would run, those of MCP servers, and custom ones, which no schema bounds."""


def _tagged(function: Object, refused: tuple[str, ...], **more: Object) -> Tagged:
    hosted = Refused(_HOSTED)
    return Tagged("type", {"function": function, **more, **dict.fromkeys(refused, hosted)})


_CHOSEN: Final = Object(
    {
        "type": Word(("function",)),
        "name": Text(Kind.TOOL_NAME, Role.SYSTEM, pattern=TOOL_NAME, named=True),
    },
    required=("type", "name"),
)


def _tool_choice(limits: Limits) -> Either:
    allowed = Object(
        {
            "type": Word(("allowed_tools",)),
            "mode": Word(("auto", "required")),
            "tools": Items(_tagged(_CHOSEN, _HOSTED_TOOLS), most=limits.tools, least=1),
        },
        required=("type", "mode", "tools"),
    )
    named = _tagged(_CHOSEN, _HOSTED_TOOLS, allowed_tools=allowed)
    return Either(Word(("none", "auto", "required")), named)
