"""HTTP/1.1 as uvicorn speaks it, with the one bound that it leaves open: how large a head may grow."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class BoundedHeads(HttpToolsProtocol):
    """Refuses a request whose line and headers take more than `h11_max_incomplete_event_size` bytes."""

    _head = 0
    _in_head = True

    def data_received(self, data: bytes) -> None:
        """Count what comes while a head is incomplete; what is larger ends the connection."""
        if self.transport.is_closing():
            return
        self._head += len(data)
        super().data_received(data)
        limit = self.config.h11_max_incomplete_event_size or 0
        if self._in_head and self._head > limit and not self.transport.is_closing():
            self.send_400_response(f"The request's headers are larger than {limit} bytes.")

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_head = True
        # What this read brings of a next request is counted with its second read.
        self._head = 0
        super().on_message_complete()
