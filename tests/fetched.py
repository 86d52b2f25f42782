"""Scripts of fetchers: what a vendor is asked for a stream, page by page, and what it answers."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import yaml
from msgspec.structs import replace

from quivive.app import ingest
from quivive.app.registry import fetchers, sources
from quivive.fetch.fetcher import Cursor
from quivive.fetch.pulling import Pulled, client_for, pull
from quivive.model.event import AuthEvent
from quivive.model.record import RawRecord
from quivive.respond.client import Client
from quivive.sources.fields import timestamp
from tests.conftest import DATA
from tests.vendor import Fake, Time, filled

FOLDER = DATA / "fetchers"
SCRIPTS = sorted(FOLDER.glob("*/*.yaml"))


@cache
def _loaded(path: Path) -> Any:
    return yaml.load(path.read_text(), yaml.CSafeLoader)


@cache
def logins(source: str, file: str, path: str = "") -> tuple[dict[str, Any], ...]:
    """The records of a golden file that the source reads as logins. path: of the list in it."""
    text = (DATA / "sources" / source / "raw" / file).read_text()
    if file.endswith(".jsonl"):
        found = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    else:
        found = json.loads(text)
        for key in filter(None, path.split(".")):
            found = found[key]
    return tuple(each for each in found if parsed(source, json.dumps(each).encode()))


def parsed(source: str, body: bytes) -> AuthEvent | None:
    """The event of one record."""
    record = RawRecord(log="t", sequence=1, line=1, body=body, fields=json.loads(body))
    return ingest.parse(record, sources()[source], ingest.Tally())


class Script:
    """One file: settings, where the cursor is at first, and the exchange that it must lead to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.body: dict[str, Any] = _loaded(path)
        self.fetcher = fetchers()[path.parent.name]
        self.settings = msgspec.convert(self.body["settings"], self.fetcher.settings)
        self.secrets = {k: filled(v) for k, v in self.body["secrets"].items()}
        self.stream: str = self.body["stream"]
        self.now = timestamp(self.body["now"], "now")
        self.begin = Cursor(since=timestamp(self.body["since"], "since"))
        self.given: list[dict[str, Any]] = []  # records of the exchange, in order
        self.exchange = [self._filled(each, self.given) for each in self.body["exchange"]]
        self.again = [self._filled(each, []) for each in self.body["again"]]

    def _filled(self, each: dict[str, Any], given: list[dict[str, Any]]) -> dict[str, Any]:
        """The exchange with records put in where it says which: ``records: [from, to]``."""
        answer = dict(each["answer"])
        if "records" in answer:
            first, last = answer.pop("records")
            some = list(logins(**self.body["records"])[first:last])
            assert len(some) == last - first, "the golden file has not as many"
            given += some
            told = answer.pop("wrap", "{records}").replace("{records}", json.dumps(some, indent=1))
            answer["json"] = json.loads(told)
        return {"ask": each["ask"], "answer": answer}

    def time(self) -> Time:
        time = Time()
        time.now = self.now
        return time

    def client(self, fake: Any, time: Time) -> Client:
        return client_for(
            self.fetcher,
            self.settings,
            transport=httpx2.MockTransport(fake),
            clock=time.clock(),
        )

    def pages(self, fake: Fake, time: Time, cursor: Cursor | None = None) -> list[Pulled]:
        """Everything there is, by pages. Raises what asking raises."""
        client = self.client(fake, time)
        return rounds(self, client, cursor or self.begin)


def rounds(script: Script, client: Client, cursor: Cursor) -> list[Pulled]:
    """Pages until there is nothing more."""
    found: list[Pulled] = []
    while not found or found[-1].more:
        assert len(found) < 20, "it does not end"
        found.append(pull(script.fetcher, script.settings, script.stream, cursor, client))
        cursor = kept(found[-1].cursor)
    return found


def kept(cursor: Cursor) -> Cursor:
    """A cursor as it comes back from the store."""
    return msgspec.json.decode(msgspec.json.encode(cursor), type=Cursor)


def records(pages: list[Pulled]) -> list[Any]:
    """What was fetched."""
    return [json.loads(record) for page in pages for record in page.records]


def by_time(cursor: Cursor) -> Cursor:
    """The cursor without its page."""
    return replace(cursor, page=None)
