"""How a policy names what is no text: `image`, `image.png`, or a media type such as `image/png`.

Words alone; what is allowed, core's `media_ruling` says.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator

from gateway.services.validation import UnfitError, kind_of, nearest

_KINDS = ("image", "audio", "file")
_SUBTYPE = r"[a-z0-9.+-]{1,64}"
"""As the surfaces read it out of a request."""
_LABEL = re.compile(rf"({'|'.join(_KINDS)})(?:\.({_SUBTYPE}))?")
_MEDIA_TYPE = re.compile(rf"(?:(image|audio)/(\*|{_SUBTYPE})|(?:application|text)/({_SUBTYPE}))")
_MEND = (
    "Write `image`, `audio` or `file`, one of them with a subtype such as `file.pdf`, or a media "
    "type such as `image/png` or `image/*`, all in lower case."
)


def media_label(written: str) -> str:
    """The label under `media` that a key stands for: `image/png` is `image.png`, `image/*` `image`.

    What is neither picture nor sound comes as a file: `application/pdf` is `file.pdf`. Raise
    UnfitError for a key that names no media.
    """
    if label := _LABEL.fullmatch(written):
        return label.group()
    found = _MEDIA_TYPE.fullmatch(written)
    if found is None:
        close = nearest(written, _KINDS) if written.isalpha() else None
        raise UnfitError(
            "expected a sort of media.", f"Did you mean `{close}`?" if close else _MEND
        )
    kind, subtype, of_file = found.groups()
    if kind is None:
        return f"file.{of_file}"
    return kind if subtype == "*" else f"{kind}.{subtype}"


def _key(value: Any) -> str:
    if not isinstance(value, str):
        raise UnfitError(f"expected a sort of media, got {kind_of(value)}.", _MEND)
    media_label(value)
    return value


MediaKey: TypeAlias = Annotated[str, BeforeValidator(_key)]
MediaWord: TypeAlias = Literal["allow", "block"]
