"""The media types that a `data:` URL may name.

A closed list, because what a client writes there goes on to the engine and into labels and records: any
other word could be a message past the guard.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from gateway.surfaces.census import Blob

_IMAGES: Final = (
    *("apng", "avif", "bmp", "gif", "heic", "heif", "jp2", "jpeg", "jpg", "jxl", "png", "svg+xml"),
    *("tif", "tiff", "vnd.microsoft.icon", "webp", "x-icon", "x-ms-bmp", "x-png"),
)
_SOUNDS: Final = (
    *("aac", "flac", "m4a", "mp3", "mp4", "mpeg", "ogg", "opus", "pcm", "wav", "wave", "webm"),
    *("x-flac", "x-m4a", "x-wav"),
)
_MOVIES: Final = ("mp4", "mpeg", "ogg", "quicktime", "webm", "x-matroska", "x-msvideo")
_TEXTS: Final = (
    *("calendar", "css", "csv", "html", "javascript", "markdown", "plain", "rtf", "vcard", "xml"),
    *("tab-separated-values", "x-c", "x-c++", "x-csharp", "x-csv", "x-go", "x-java", "x-log"),
    *("x-markdown", "x-php", "x-python", "x-ruby", "x-rust", "x-script.python", "x-sh", "x-sql"),
    *("x-tex", "x-typescript", "x-yaml", "yaml"),
)
_OFFICE: Final = "vnd.openxmlformats-officedocument"
_OPEN: Final = "vnd.oasis.opendocument"
_FILES: Final = (
    *(
        "csv",
        "epub+zip",
        "gzip",
        "javascript",
        "json",
        "jsonl",
        "ld+json",
        "msword",
        "octet-stream",
    ),
    *("pdf", "rtf", "sql", "toml", "typescript", "xhtml+xml", "xml", "yaml", "zip"),
    *("vnd.ms-excel", "vnd.ms-outlook", "vnd.ms-powerpoint"),
    *(f"{_OFFICE}.{kind}" for kind in ("presentationml.presentation", "spreadsheetml.sheet")),
    f"{_OFFICE}.wordprocessingml.document",
    *(f"{_OPEN}.{kind}" for kind in ("presentation", "spreadsheet", "text")),
    *("x-7z-compressed", "x-gzip", "x-ipynb+json", "x-javascript", "x-json", "x-jsonlines"),
    *("x-latex", "x-ndjson", "x-pdf", "x-sh", "x-tar", "x-tex", "x-yaml", "x-zip-compressed"),
)
_KINDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "application": _FILES,
        "audio": _SOUNDS,
        "image": _IMAGES,
        "message": ("rfc822",),
        "text": _TEXTS,
        "video": _MOVIES,
    }
)


def data_url(kinds: Iterable[str]) -> re.Pattern[str]:
    """`data:` URLs with base64 of these kinds. Types are written small, or their subtype all in capitals.

    A plain expression: the published schemas repeat it, for readers in other languages.
    """
    types = "|".join(f"{kind}/(?:{_one_of(_KINDS[kind])})" for kind in kinds)
    return re.compile(rf"data:(?:{types});base64,[A-Za-z0-9+/]*={{0,2}}")


def _one_of(names: Iterable[str]) -> str:
    both = {form for name in names for form in (name, name.upper())}
    return "|".join(sorted(name.replace("+", r"\+").replace(".", r"\.") for name in both))


IMAGE: Final = Blob(data_url(["image"]), "a `data:` URL with base64 of a common image type")
FILE: Final = Blob(data_url(_KINDS), "a `data:` URL with base64 of a common media type")
"""A file may be a picture or a sound as well."""
