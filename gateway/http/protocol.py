"""HTTP/1.1 as uvicorn speaks it, with the bounds that it leaves open: how large a head may be, how slow a client.

It reads nothing of what a request says.
"""

from __future__ import annotations

from asyncio import BaseTransport, TimerHandle
from typing import cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class BoundedConnection(HttpToolsProtocol):
    """Refuses a request whose line and headers take more than `h11_max_incomplete_event_size` bytes.

    Closes a connection whose head is not whole within `header_seconds` of its opening, or of the first
    byte after an answer, and one that does not send the rest of a body that is answered already. While
    an answer runs no time counts: what a client sends ahead of its next request must not cut this one.

    Drops a client that leaves more waiting for it than the connection's buffer holds for
    `stalled_seconds`: uvicorn makes the answer wait for its client for ever, and with it the model.
    """

    header_seconds = 20.0
    stalled_seconds = 120.0
    _head = 0
    _in_head = True
    _timer: TimerHandle | None = None
    _stalled: TimerHandle | None = None

    @classmethod
    def within(cls, header_seconds: float, stalled_seconds: float) -> type[BoundedConnection]:
        """The same with other times: uvicorn makes protocols of a class, with no word of ours."""
        times = {"header_seconds": header_seconds, "stalled_seconds": stalled_seconds}
        return cast("type[BoundedConnection]", type(cls.__name__, (cls,), times))

    def connection_made(self, transport: BaseTransport) -> None:  # type: ignore[override]
        super().connection_made(transport)  # pyright: ignore[reportArgumentType]
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._arrived()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what comes while a head is incomplete; what is larger ends the connection."""
        if self.transport.is_closing():
            return
        if self._in_head and (not self.cycle or self.cycle.response_complete):
            self._wait()
        self._head += len(data)
        super().data_received(data)
        limit = self.config.h11_max_incomplete_event_size or 0
        if self._in_head and self._head > limit and not self.transport.is_closing():
            self.send_400_response(f"The request's headers are larger than {limit} bytes.")

    def on_headers_complete(self) -> None:
        self._arrived()
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_head = True
        # What this read brings of a next request is counted with its second read.
        self._head = 0
        super().on_message_complete()
        if self.cycle.response_complete:
            self._arrived()
            self._wait()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self._in_head:
            # uvicorn's own timer of an idle connection ends with the next byte, and is not set again.
            self._wait()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stalled = self.loop.call_later(self.stalled_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
        super().resume_writing()

    def _wait(self) -> None:
        if self._timer is None and not self.transport.is_closing():
            self._timer = self.loop.call_later(self.header_seconds, self._late)

    def _arrived(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._timer = None
        self.transport.close()
