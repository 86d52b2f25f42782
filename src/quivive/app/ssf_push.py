"""Pushing security events to receivers that set up a stream for it (RFC 8935)."""

from collections.abc import Callable

import msgspec

from quivive.app.ssf import Transmitter, all_streams
from quivive.model.audit import Entry
from quivive.respond.client import Client, HttpSettings
from quivive.respond.errors import RefusedError, RejectedError, UnavailableError
from quivive.respond.ssf.streams import PUSH, SetError, Stream, refused
from quivive.store import audit, ssf
from quivive.store.ssf import Waiting

FIRST_WAIT, LONGEST_WAIT = 5_000, 3_600_000  # ms
A_ROUND = 20  # tokens of a stream


class Pusher:
    """Sends what waits, in order: what cannot be sent holds up what is behind it."""

    def __init__(
        self, transmitter: Transmitter, connect: Callable[[str], Client] | None = None
    ) -> None:
        """``connect``: makes the client of a URL; tests give their own. A receiver names the URL
        itself, so it may not lead into one's own network.
        """
        self.transmitter = transmitter
        self._connect = connect or (lambda url: Client(url, HttpSettings(), private=False))
        self._clients: dict[str, Client] = {}

    def run(self, now: int) -> int:
        """Pushes what is due (``now``: ms UTC); gives how many tokens were taken."""
        store, taken = self.transmitter.store, 0
        for stream in all_streams(store):
            if stream.delivery.method != PUSH or stream.status != "enabled":
                continue
            with store.reading() as connection:
                waiting = ssf.waiting(connection, stream.stream_id, A_ROUND, due=now)
            for one in waiting:
                if not self._push(stream, one, now):
                    break
                taken += 1
        return taken

    def close(self) -> None:
        """Closes all connections."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()

    def _push(self, stream: Stream, one: Waiting, now: int) -> bool:
        """Whether the token left the queue."""
        url = stream.delivery.endpoint_url or ""
        headers = {"Content-Type": "application/secevent+jwt", "Accept": "application/json"}
        if stream.delivery.authorization_header:
            headers["Authorization"] = stream.delivery.authorization_header
        why = ""
        try:
            if url not in self._clients:
                self._clients[url] = self._connect(url)
            answer = self._clients[url].send(
                "POST", url, headers=headers, content=one.token.encode(), expect=(202, 200, 400)
            )
            if answer.status == 400:  # it got it, and will never take it
                why = _why(answer.body)
        except (UnavailableError, RejectedError, RefusedError) as error:
            wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(one.attempts, 20))
            asked = getattr(error, "retry_after", None) or 0.0
            with self.transmitter.store.transaction() as connection:
                until = now + max(wait, round(asked * 1000))
                ssf.put_off(connection, stream.stream_id, one.jti, until)
                if one.attempts == 0:
                    audit.append(connection, [_entry(stream, "push failed", one, str(error), now)])
            return False
        with self.transmitter.store.transaction() as connection:
            ssf.leave(connection, stream.stream_id, [one.jti])
            if why:
                audit.append(connection, [_entry(stream, "token refused", one, why, now)])
        return True


def _why(body: bytes) -> str:
    try:
        said = msgspec.json.decode(body, type=SetError)
    except (msgspec.DecodeError, UnicodeDecodeError):
        said = SetError(err="refused")
    return refused({"": said})[""]


def _entry(stream: Stream, what: str, one: Waiting, why: str, now: int) -> Entry:
    return Entry(
        time=now,
        actor="sender",
        action=f"stream:{what}",
        subject=f"stream {stream.stream_id}",
        details={"jti": one.jti, "why": why},
    )
