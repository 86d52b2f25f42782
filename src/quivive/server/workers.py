"""The thread that empties the outbox: asks vendors, tells people."""

import threading
from pathlib import Path

import structlog

from quivive.app import notifying, responding
from quivive.app.keys import random_key
from quivive.app.responses import Responses, load_responses
from quivive.app.wire import Wires
from quivive.app.wire import read as read_secret
from quivive.model.errors import ConfigurationError
from quivive.model.notification import Notification
from quivive.server.judge import where
from quivive.store.audit import now
from quivive.store.database import Store
from quivive.store.outbox import StoredOutbox

EVERY_SECONDS = 2.0  # what is due later is looked for this often
KINDS = ("response", notifying.KIND)


class Sender:
    """Works on what is due, whenever it is woken and every two seconds."""

    def __init__(self, store: Store, settings: Path | None = None) -> None:
        """``store`` is its own; settings: the file with the sections responses and notify.

        Raises UsageError for settings that cannot be used.
        """
        self.store = store
        told = notifying.read_settings(settings) if settings else notifying.Settings()
        asked = load_responses(settings) if settings else Responses()
        self.outboxes = {kind: StoredOutbox(store, kind) for kind in KINDS}
        self.responder = responding.Worker(self.outboxes["response"], asked)
        key = random_key(store, notifying.VERDICT_KEY)
        rows = self.outboxes[notifying.KIND]
        self.notifier = notifying.Worker(rows, told, Wires(), read_secret, key)
        self.failures = 0
        self._woken = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._main, name="sender", daemon=True)
        self._log = structlog.get_logger("quivive.sender")

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
        worked = self.responder.run_once()
        came = self.notifier.run(now())
        return bool(worked or came.routed or came.delivered)

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
        self.responder.close()
