"""Every field of a Messages request (anthropic 2.9.0) but its messages, and what becomes of each.

Text is looked at, values are typed and bounded, the rest is refused. Whoever adds a field here says
which; nothing may pass because nobody thought of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from gateway.core.model import Kind, Role
from gateway.surfaces.anthropic_blocks import CACHE, TOOL_NAME, message, system
from gateway.surfaces.census import (
    MODEL,
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

_MAX_INT = 2**63 - 1
_ABOUT_CALLER = Text(Kind.METADATA, Role.USER)
_STOP = Text(Kind.TEXT, Role.USER)


def request(limits: Limits) -> Object:
    """The body of `POST /messages`. Unknown top-level names are the model's `extra` to admit."""
    return Object(
        {
            **_prompt(limits),
            "max_tokens": Whole(0, _MAX_INT),
            "metadata": Object({"user_id": _ABOUT_CALLER}),
            "service_tier": Word(("auto", "standard_only")),
            "stop_sequences": Items(_STOP, most=limits.stops),
            "stream": Flag(),
            **_SAMPLING,
            **_REFUSED,
        },
        required=("messages", "model", "max_tokens"),
    )


def count_request(limits: Limits) -> Object:
    """The body of `POST /messages/count_tokens`: what of a request makes its prompt."""
    return Object(_prompt(limits), required=("messages", "model"))


def _prompt(limits: Limits) -> dict[str, Node]:
    return {
        "messages": Items(message(limits), most=limits.messages, least=1),
        "model": Token(MODEL),
        "cache_control": CACHE,
        "output_config": _OUTPUT_CONFIG,
        "speed": Word(("standard", "fast")),
        "system": system(limits),
        "thinking": _THINKING,
        "tool_choice": _TOOL_CHOICE,
        "tools": Items(_tool(limits), most=limits.tools),
        "user_profile_id": _ABOUT_CALLER,
        "workspace_id": Refused("whose account is used, the operator says"),
    }


# Not in this release's types any more, but in the API's reference, and every other client sends
# them. The reference ends temperature at 1; engines that people run themselves take 2.
_SAMPLING: Mapping[str, Node] = {
    "temperature": Number(0, 2),
    "top_k": Whole(0, _MAX_INT),
    "top_p": Number(0, 1),
}

_REFUSED: Mapping[str, Node] = {
    "container": Refused("what runs in a container is not looked at"),
    "diagnostics": Refused("nothing is kept here", ({"previous_message_id": None}, {})),
    "inference_geo": Refused("where a call is run, the operator says"),
    "mcp_servers": Refused("the model server would call what a client names", ([],)),
}

_FORMAT = Object(
    {"type": Word(("json_schema",)), "schema": Free(Kind.RESPONSE_FORMAT, Role.SYSTEM)},
    required=("type", "schema"),
)
_OUTPUT_CONFIG = Object(
    {
        "effort": Word(("low", "medium", "high", "xhigh", "max")),
        "format": Tagged("type", {"json_schema": _FORMAT}),
    }
)

_DISPLAY = Word(("summarized", "omitted"))
_THINKING = Tagged(
    "type",
    {
        "enabled": Object(
            {
                "type": Word(("enabled",)),
                "budget_tokens": Whole(1, _MAX_INT),
                "display": _DISPLAY,
            },
            required=("type", "budget_tokens"),
        ),
        "disabled": Object({"type": Word(("disabled",))}, required=("type",)),
        "between_tools": Object({"type": Word(("between_tools",))}, required=("type",)),
        "adaptive": Object({"type": Word(("adaptive",)), "display": _DISPLAY}, required=("type",)),
    },
)


def _choice(tag: str, fields: Mapping[str, Node], *required: str) -> Object:
    return Object({"type": Word((tag,)), **fields}, required=("type", *required))


_ONE_AT_A_TIME: Mapping[str, Node] = {"disable_parallel_tool_use": Flag()}
_CHOSEN = Text(Kind.TOOL_NAME, Role.SYSTEM, pattern=TOOL_NAME, named=True)
_TOOL_CHOICE = Tagged(
    "type",
    {
        "auto": _choice("auto", _ONE_AT_A_TIME),
        "any": _choice("any", _ONE_AT_A_TIME),
        "tool": _choice("tool", {"name": _CHOSEN, **_ONE_AT_A_TIME}, "name"),
        "none": _choice("none", {}),
    },
)

_SERVER_TOOL = Refused(
    "what a model server's own tools bring in is not looked at; define the tool yourself"
)
_SERVER_TOOLS = (
    *("bash_20250124", "memory_20250818", "browser_toolset_20260801", "computer_toolset_20260801"),
    *("text_editor_20250124", "text_editor_20250429", "text_editor_20250728"),
    *("code_execution_20250522", "code_execution_20250825"),
    *("code_execution_20260120", "code_execution_20260521"),
    *("web_search_20250305", "web_search_20260209", "web_search_20260318"),
    *("web_fetch_20250910", "web_fetch_20260209", "web_fetch_20260309", "web_fetch_20260318"),
    *("tool_search_tool_bm25", "tool_search_tool_bm25_20251119"),
    *("tool_search_tool_regex", "tool_search_tool_regex_20251119"),
)


def _tool(limits: Limits) -> Tagged:
    """A client's own tool, which says its type or leaves it out."""
    defined = Text(Kind.TOOL_DEFINITION, Role.SYSTEM)
    examples = Free(Kind.TOOL_DEFINITION, Role.SYSTEM)
    own = Object(
        {
            "type": Word(("custom",)),
            "name": Text(Kind.TOOL_DEFINITION, Role.SYSTEM, pattern=TOOL_NAME),
            "description": defined,
            "input_schema": Free(Kind.TOOL_DEFINITION, Role.SYSTEM),
            "input_examples": Items(examples, most=limits.parts),
            "strict": Flag(),
            "cache_control": CACHE,
            "defer_loading": Flag(),
            "eager_input_streaming": Flag(),
            "allowed_callers": Refused("a model server's own tools call none here", (["direct"],)),
        },
        required=("name", "input_schema"),
    )
    server = dict.fromkeys(_SERVER_TOOLS, _SERVER_TOOL)
    return Tagged("type", {"custom": own, **server}, default="custom")
