"""Every block that a message of the Messages dialect may hold, and what becomes of each.

Text is looked at; what is no text is for the policy; what a model server would fetch, run or bring in
by itself is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from gateway.core.model import Kind, Role
from gateway.surfaces.census import (
    BASE64,
    Blob,
    Either,
    Flag,
    Free,
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

TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
SIGNATURE = re.compile(r"[A-Za-z0-9+/_-]{0,16384}={0,2}")
"""What a model server signs its reasoning with, for itself to read again; engines that sign nothing
send, and get back, an empty one."""
CACHE = Object(
    {"type": Word(("ephemeral",)), "ttl": Word(("5m", "1h"))},
    required=("type",),
)

Blocks = Mapping[str, Object | Refused]

_FETCHED = Refused("the model server would fetch what a client names; send the data itself")
_KEPT = Refused("nothing is kept here; send the data itself")
_CITED = Refused("citations are not looked at", ([], {"enabled": False}))
_SEARCHED = Refused("what a search brings in is not looked at; send it as text")
_SERVED = Refused("what a model server's own tools did is not looked at")
_TOOLSET = Refused("what a model server's own tools did is not looked at")
_USERS = Refused("it stands in a user's message alone")
_ASSISTANTS = Refused("it stands in an assistant's message alone")

_SERVED_BLOCKS: Blocks = {
    "search_result": _SEARCHED,
    "redacted_thinking": Refused("nobody can look at it"),
    "server_tool_use": _SERVED,
    "web_search_tool_result": _SERVED,
    "web_fetch_tool_result": _SERVED,
    "code_execution_tool_result": _SERVED,
    "bash_code_execution_tool_result": _SERVED,
    "text_editor_code_execution_tool_result": _SERVED,
    "tool_search_tool_result": _SERVED,
    "container_upload": _KEPT,
    "mcp_tool_use": _SERVED,
    "mcp_tool_result": _SERVED,
}


def _block(tag: str, fields: Mapping[str, Node], *optional: str) -> Object:
    """A block of this `type`; its fields are required but for those named."""
    required = tuple(name for name in fields if name not in optional)
    return Object(
        {"type": Word((tag,)), **fields, "cache_control": CACHE}, required=("type", *required)
    )


def _text(kind: Kind) -> Object:
    return _block("text", {"text": Text(kind), "citations": _CITED}, "citations")


_PICTURE = Object(
    {
        "type": Word(("base64",)),
        "media_type": Word(("image/jpeg", "image/png", "image/gif", "image/webp")),
        "data": Blob(BASE64),
    },
    required=("type", "media_type", "data"),
)
_IMAGE = Object(
    {
        "type": Word(("image",)),
        "source": Tagged("type", {"base64": _PICTURE, "url": _FETCHED, "file": _KEPT}),
        "cache_control": CACHE,
        "transformations": Object({"oversized_image": Word(("downsize", "error"))}),
    },
    required=("type", "source"),
    media="image",
    typed_by=("source", "media_type"),
)
_PDF = Object(
    {
        "type": Word(("base64",)),
        "media_type": Word(("application/pdf",)),
        "data": Blob(BASE64),
    },
    required=("type", "media_type", "data"),
    media="file",
    typed_by=("media_type",),
)


def _document(kind: Kind, limits: Limits) -> Object:
    """A file for the policy, or text in a document's clothes."""
    parts: Blocks = {"text": _text(kind), "image": _IMAGE}
    plain = Object(
        {"type": Word(("text",)), "media_type": Word(("text/plain",)), "data": Text(kind)},
        required=("type", "media_type", "data"),
    )
    content = Object(
        {"type": Word(("content",)), "content": _content(kind, limits, parts)},
        required=("type", "content"),
    )
    sources: Blocks = {
        "base64": _PDF,
        "text": plain,
        "content": content,
        "url": _FETCHED,
        "file": _KEPT,
    }
    fields: Mapping[str, Node] = {
        "source": Tagged("type", sources),
        "title": Text(Kind.NAME),
        "context": Text(kind),
        "citations": _CITED,
    }
    return _block("document", fields, "title", "context", "citations")


def _content(kind: Kind, limits: Limits, blocks: Blocks) -> Either:
    return Either(Text(kind), Items(Tagged("type", blocks), most=limits.parts, joined=True))


def system(limits: Limits) -> Either:
    """The system prompt. Its text is the system's."""
    spoken = Object(
        {
            "type": Word(("text",)),
            "text": Text(Kind.TEXT, Role.SYSTEM),
            "cache_control": CACHE,
            "citations": _CITED,
        },
        required=("type", "text"),
    )
    blocks = Items(Tagged("type", {"text": spoken}), most=limits.parts, joined=True)
    return Either(Text(Kind.TEXT, Role.SYSTEM), blocks)


def message(limits: Limits) -> Tagged:
    """One message. Tools' results stand in users' messages and speak for themselves."""
    text = _text(Kind.TEXT)
    users: Blocks = {
        "text": text,
        "image": _IMAGE,
        "document": _document(Kind.TEXT, limits),
        "tool_result": _tool_result(limits),
        "tool_use": _ASSISTANTS,
        "thinking": _ASSISTANTS,
        **_SERVED_BLOCKS,
    }
    assistants: Blocks = {
        "text": text,
        "thinking": _THOUGHT,
        "tool_use": _TOOL_USE,
        "tool_result": _USERS,
        "image": _USERS,
        "document": _USERS,
        **_SERVED_BLOCKS,
    }
    return Tagged(
        "role",
        {
            "user": _said("user", Role.USER, users, limits),
            "assistant": _said("assistant", Role.ASSISTANT, assistants, limits),
            "system": _said("system", Role.SYSTEM, {"text": text}, limits),
        },
    )


def _said(role: str, speaker: Role, blocks: Blocks, limits: Limits) -> Object:
    return Object(
        {"role": Word((role,)), "content": _content(Kind.TEXT, limits, blocks)},
        required=("role", "content"),
        speaker=speaker,
    )


_THOUGHT = Object(
    {
        "type": Word(("thinking",)),
        "thinking": Text(Kind.REASONING),
        "signature": Token(SIGNATURE),
    },
    required=("type", "thinking"),
)
_TOOL_USE = Object(
    {
        "type": Word(("tool_use",)),
        "id": Token(),
        "name": Text(Kind.TOOL_NAME, pattern=TOOL_NAME),
        "input": Free(Kind.TOOL_ARGUMENTS, Role.ASSISTANT),
        "cache_control": CACHE,
        "caller": Refused("a model server's own tools call none here", ({"type": "direct"},)),
        "toolset_name": _TOOLSET,
    },
    required=("type", "id", "name", "input"),
    calls=("name",),
)


def _tool_result(limits: Limits) -> Object:
    blocks: Blocks = {
        "text": _text(Kind.TOOL_RESULT),
        "image": _IMAGE,
        "document": _document(Kind.TOOL_RESULT, limits),
        "search_result": _SEARCHED,
        "tool_reference": _SERVED,
        "browser_state": _SERVED,
    }
    return Object(
        {
            "type": Word(("tool_result",)),
            "tool_use_id": Token(),
            "content": _content(Kind.TOOL_RESULT, limits, blocks),
            "is_error": Flag(),
            "cache_control": CACHE,
            "toolset_name": _TOOLSET,
        },
        required=("type", "tool_use_id"),
        speaker=Role.TOOL,
        answers="tool_use_id",
    )
