"""The thread that empties the outbox: asks vendors, tells people."""

import threading
from pathlib import Path
from typing import NamedTuple

import structlog

from quivive.app import channels, notifying, responding
from quivive.app.keys import random_key
from quivive.app.responses import Responses, load_responses
from quivive.app.ssf import Transmitter, transmitter_of
from quivive.app.ssf_push import Pusher
from quivive.app.wire import Wires
from quivive.app.wire import read as read_secret
from quivive.model.errors import ConfigurationError
from quivive.model.notification import Notification
from quivive.server.faults import where
from quivive.store.audit import now
from quivive.store.database import Store
from quivive.store.outbox import StoredOutbox

EVERY_SECONDS = 2.0  # what is due later is looked for this often
KINDS = ("response", notifying.KIND)


class Parts(NamedTuple):
    """What works by a settings file."""

    responder: responding.Worker
    notifier: notifying.Worker
    transmitter: Transmitter | None
    pusher: Pusher | None


class Sender:
    """Works on what is due, whenever it is woken and every two seconds."""

    def __init__(self, store: Store, settings: Path | None = None) -> None:
        """``store`` is its own; settings: the file with the sections responses and notify.

        Raises UsageError for settings that cannot be used.
        """
        self.store = store
        self.containment_failed: responding.Failed = lambda *_: None
        self.outboxes = {kind: StoredOutbox(store, kind) for kind in KINDS}
        self._take(self.parts_of(settings))
        self._next: Parts | None = None
        self.failures = 0
        self._woken = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._main, name="sender", daemon=True)
        self._log = structlog.get_logger("quivive.sender")

    def parts_of(self, settings: Path | None) -> "Parts":
        """What works by a settings file. Raises UsageError for one that cannot be used."""
        store = self.store
        told = channels.read_settings(settings) if settings else channels.Settings()
        asked = load_responses(settings) if settings else Responses()
        transmitter = transmitter_of(store, asked)
        outlet = transmitter.publish if transmitter is not None else None
        key = random_key(store, notifying.VERDICT_KEY)
        return Parts(
            responding.Worker(
                self.outboxes["response"], asked, outlet=outlet, failed=self._containment_failed
            ),
            notifying.Worker(self.outboxes[notifying.KIND], told, Wires(), read_secret, key),
            transmitter,
            Pusher(transmitter) if transmitter is not None else None,
        )

    def adopt(self, parts: "Parts") -> None:
        """Works with others from the next round on; how often channels were told is kept."""
        self._next = parts
        self.wake()

    def _containment_failed(self, event_id: str, now: int, why: str) -> None:
        self.containment_failed(event_id, now, why)

    def _take(self, parts: "Parts") -> None:
        self.responder, self.notifier, self.transmitter, self.pusher = parts

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def wake(self) -> None:
        """Something was put into the outbox."""
        self._woken.set()

    def stop(self, seconds: float) -> None:
        """Lets it end what it does, for some seconds; the rest waits in the outbox."""
        self._stopping = True
        self._woken.set()
        self._thread.join(seconds)

    def tell(self, notes: list[Notification]) -> None:
        """Puts notifications into the outbox."""
        at = now()
        self.outboxes[notifying.KIND].put([notifying.outgoing(note, at) for note in notes])
        self.wake()

    def once(self) -> bool:
        """One round; whether there was anything to do."""
        parts, self._next = self._next, None
        if parts is not None:
            self._close()
            parts.notifier.goes_on(self.notifier)
            parts.responder.times = self.responder.times
            self._take(parts)
        worked = self.responder.run_once()
        came = self.notifier.run(now())
        pushed = self.pusher.run(now()) if self.pusher is not None else 0
        return bool(worked or came.routed or came.delivered or pushed)

    def _main(self) -> None:
        while not self._stopping:
            self._woken.clear()
            try:
                if self.once():
                    continue
            except ConfigurationError as error:
                self.failures += 1
                self._log.error("not sent", error=str(error))
            except Exception as error:  # noqa: BLE001 - the next round may be better
                self.failures += 1
                self._log.error("fault", error=type(error).__name__, where=where(error))
            self._woken.wait(EVERY_SECONDS)
        self._close()

    def _close(self) -> None:
        self.responder.close()
        if self.pusher is not None:
            self.pusher.close()
