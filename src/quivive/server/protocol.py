"""uvicorn's HTTP protocol with what it lacks: limits on headers, and on how slow a caller is."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

HEADERS_MOST = 32 << 10  # bytes
BYTES_A_SECOND = 8 << 10  # at least, after the first seconds of a body


def protocol(slow_seconds: float) -> type[asyncio.Protocol]:
    """The class for uvicorn; ``slow_seconds`` are for a request to come in whole."""

    class Guarded(HttpToolsProtocol):
        """One connection."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._head: int | None = 0  # bytes since the request began, while its head comes
            self._body = 0
            self._done = False  # a request ended within what came last
            self._watch: asyncio.TimerHandle | None = None

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self._start()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            head = self._head
            super().data_received(data)
            if head is not None and self._head is not None and not self._done:
                self._head = head + len(data)
                if self._head > HEADERS_MOST:
                    self._refuse(431)
            self._done = False

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._head, self._body = 0, 0
            self._start()

        def on_headers_complete(self) -> None:
            self._head = None
            super().on_headers_complete()

        def on_body(self, body: bytes) -> None:
            self._body += len(body)
            super().on_body(body)

        def on_message_complete(self) -> None:
            self._stop()
            self._head, self._done = 0, True
            super().on_message_complete()

        def _start(self, seconds: float = slow_seconds) -> None:
            self._stop()
            self._watch = self.loop.call_later(seconds, self._late, self._body)

        def _stop(self) -> None:
            if self._watch is not None:
                self._watch.cancel()
                self._watch = None

        def _late(self, had: int) -> None:
            """Nothing is complete yet: a body that comes fast enough may go on."""
            self._watch = None
            if self.transport.is_closing():
                return
            paused = self.flow.read_paused  # we are the slow ones
            if self._head is None and (paused or self._body - had >= BYTES_A_SECOND * slow_seconds):
                self._start()
            else:
                self._refuse(408)

        def _refuse(self, status: int) -> None:
            if self.transport.is_closing():
                return
            answered = self.cycle is not None and not self.cycle.response_complete
            if not answered:
                line = STATUS_LINE[status]
                self.transport.write(line + b"content-length: 0\r\nconnection: close\r\n\r\n")
            self.transport.close()

    return Guarded
