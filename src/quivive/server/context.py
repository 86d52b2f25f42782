"""What every endpoint may use."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from quivive.app import ingest
from quivive.app.access import Door
from quivive.app.errors import UsageError
from quivive.app.measures import Measures
from quivive.server.figures import Figures
from quivive.server.http import Problem
from quivive.server.judge import Judge
from quivive.server.remembered import Edges
from quivive.server.settings import ServerSettings
from quivive.server.workers import Sender
from quivive.sources.source import Source
from quivive.store.access import Access
from quivive.store.database import Store

T = TypeVar("T")
PARSING = 2  # bodies parsed at a time


class Context:
    """One server. ``store`` is for reading beside the judge, who has its own."""

    def __init__(
        self,
        judge: Judge,
        store: Store,
        settings: ServerSettings,
        figures: Figures,
        clock: Callable[[], int],
        sender: Sender | None = None,
    ) -> None:
        """Everything is made already; nothing is started here."""
        self.judge = judge
        self.store = store
        self.settings = settings
        self.figures = figures
        self.clock = clock
        self.sender = sender
        self.access = Access(store)
        self.door = Door(self.access.all())
        self.edges = Edges()
        self.measures = Measures()
        self.openapi = b""
        self._parsing: asyncio.Semaphore | None = None

    async def aside(self, what: Callable[[], T]) -> T:
        """Something that blocks, in another thread."""
        return await asyncio.to_thread(what)

    async def parsing(self, what: Callable[[], T]) -> T:
        """Something that needs much of the processor, in another thread, a few at a time."""
        if self._parsing is None:
            self._parsing = asyncio.Semaphore(PARSING)
        async with self._parsing:
            return await asyncio.to_thread(what)


def source_of(name: str) -> Source | None:
    """The source of ``?source=``. Raises Problem for an unknown one."""
    try:
        return ingest.choose(name)
    except UsageError as error:
        raise Problem(400, "unknown source", str(error).replace("--source", "source")) from None
