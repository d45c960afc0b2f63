"""Server-sent events out of raw bytes, cut anywhere; pure, so that every cut can be tested.

It finds the payloads and never decodes them. It follows the WHATWG event stream rules, for `data`
alone: other fields and comments carry nothing that a model server's dialect here needs.
"""

from __future__ import annotations

MAX_EVENT = 1 << 20
"""Bytes that one event may hold before its end is seen."""

_BOM = b"\xef\xbb\xbf"


class EventTooLargeError(ValueError):
    """An event outgrew its cap; the stream cannot be read on."""


class EventParser:
    """Feed it reads in order; it gives each finished event's payload, once, as the bytes sent.

    Lines may end in LF, CRLF or CR. An event that its blank line does not end is never given.
    """

    __slots__ = ("_after_cr", "_at_start", "_cap", "_held", "_line", "_lines")

    def __init__(self, cap: int = MAX_EVENT) -> None:
        self._cap = cap
        self._line = bytearray()
        """The unfinished line."""
        self._lines: list[bytes] = []
        """The data lines of the unfinished event."""
        self._held = 0
        """Bytes in `_lines`."""
        self._after_cr = False
        """The last read ended in CR: an LF that comes next belongs to it."""
        self._at_start = True

    def feed(self, data: bytes) -> list[bytes]:
        """The payloads that this read finished. Raise EventTooLargeError past the cap."""
        if self._after_cr or b"\r" in data:
            data = self._only_lf(data)
        if b"\n" not in data:
            self._line += data  # a bytearray, so that a large event in tiny reads stays linear
            self._check(len(self._line))
            return []
        if self._line:
            data = bytes(self._line) + data
            self._line.clear()
        *lines, rest = data.split(b"\n")
        if self._at_start:
            self._at_start = False
            lines[0] = lines[0].removeprefix(_BOM)
        payloads = self._take(lines)
        self._line += rest
        self._check(len(rest))
        return payloads

    def _take(self, lines: list[bytes]) -> list[bytes]:
        payloads: list[bytes] = []
        for line in lines:
            if not line:
                if self._lines:
                    payloads.append(b"\n".join(self._lines))
                    self._lines.clear()
                    self._held = 0
            elif line.startswith(b"data:"):
                value = line[6:] if line[5:6] == b" " else line[5:]
                self._hold(value)
            elif line == b"data":
                self._hold(b"")
        return payloads

    def _hold(self, value: bytes) -> None:
        self._lines.append(value)
        self._held += len(value) + 1
        self._check(0)

    def _check(self, unfinished: int) -> None:
        if self._held + unfinished > self._cap:
            raise EventTooLargeError("an event is larger than this gateway reads")

    def _only_lf(self, data: bytes) -> bytes:
        """CRLF and CR become LF; a CR at the end ends its line at once."""
        if not data:
            return data
        if self._after_cr and data[0] == 0x0A:
            data = data[1:]
            if not data:
                self._after_cr = False
                return data
        self._after_cr = data[-1] == 0x0D
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
