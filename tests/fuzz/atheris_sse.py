"""Target: an engine's stream, through `EventParser`: cut anywhere, it gives the same events."""

from __future__ import annotations

from gateway.providers.sse import EventParser, EventTooLargeError


def look(data: bytes) -> None:
    """The first byte says where the rest is cut."""
    if not data:
        return
    step, stream = data[0] % 16 + 1, data[1:]
    whole = EventParser().feed(stream)
    parser = EventParser()
    pieces = [stream[at : at + step] for at in range(0, len(stream), step)]
    assert [one for piece in pieces for one in parser.feed(piece)] == whole
    assert sum(map(len, whole)) <= len(stream)
    assert all(b"\r" not in one for one in whole)
    bounded(pieces, cap=step * 4)


def bounded(pieces: list[bytes], cap: int) -> None:
    """No event is larger than its cap."""
    parser = EventParser(cap)
    for piece in pieces:
        try:
            given = parser.feed(piece)
        except EventTooLargeError:
            return
        assert all(len(one) <= cap for one in given)


SEEDS = (
    b"\x01data: {}\n\ndata: [DONE]\n\n",
    b"\x03\xef\xbb\xbfdata:a\r\ndata\r\n\r\n: comment\r\rid: 1\ndata: b\n\n",
    b"\x0fevent: message_stop\ndata: {}\n\n",
)
