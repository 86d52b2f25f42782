"""What the server judges: kept before it is answered, and there again after a crash."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from msgspec.structs import replace

from quivive.app.live import Live
from quivive.app.output import encode_scored
from quivive.app.snapshot import encode_state
from quivive.app.verdicts import Line, take
from quivive.engine import state as states
from quivive.enrich.enricher import Enricher
from quivive.model.event import AuthEvent
from quivive.model.verdict import Verdict
from quivive.store import schema
from quivive.store.database import Outgoing, Store, StoreError, StoreUnavailable
from tests.scenario.company import PEOPLE, Company, engine, ordinary

GROUP = 7


class Crash(BaseException):
    """Ends the process, as far as a test can."""


@pytest.fixture(scope="module")
def events() -> list[AuthEvent]:
    found = ordinary(0, 8, people=PEOPLE[:5])[:90]
    return [
        replace(event, metadata=replace(event.metadata, uid=f"u-{number}"))
        for number, event in enumerate(found)
    ]


@pytest.fixture(scope="module")
def unbroken(events: list[AuthEvent]) -> tuple[list[bytes], bytes]:
    """The lines and the state of an engine that nothing happened to."""
    made = Company(engine())
    said = [encode_scored(scored, "api") for scored in map(made.engine.step, events) if scored]
    return said, encode_state(made.engine.state)


@pytest.fixture(params=[1, 20], ids=["rows at once", "rows later"])
def rows(request) -> int:
    """How many logins go into their table together."""
    return int(request.param)


def live(store: Store, checkpoint: int = 40, rows: int = 1) -> Live:
    return Live(store, Enricher(None, None), checkpoint=checkpoint, rows=rows)


def groups(events: list[AuthEvent]) -> Iterator[list[AuthEvent]]:
    for start in range(0, len(events), GROUP):
        yield events[start : start + GROUP]


def outgoing(group: list[AuthEvent]) -> list[Outgoing]:
    """What one group in two has to send: rows go into their table with it."""
    newest = group[-1].metadata.uid or ""
    return [Outgoing(newest, "notification", 1, 1, b"{}")] if int(newest[2:]) % 2 else []


def feed(at_work: Live, events: list[AuthEvent]) -> None:
    """What the server does: judges a group, keeps it, then answers."""
    for group in groups(events):
        for event in group:
            at_work.judge("api", event)
        at_work.commit(outbox=outgoing(group))


def sent(events: list[AuthEvent]) -> int:
    return sum(len(outgoing(group)) for group in groups(events))


def lines(store: Store) -> list[bytes]:
    table = schema.assessments
    with store.reading() as connection:
        query = sa.select(table.c.body).order_by(table.c.run, table.c.position)
        return [bytes(body) for body in connection.scalars(query)]


def count(store: Store, table: sa.Table) -> int:
    with store.reading() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


@pytest.mark.parametrize("cut", [1, 3, 6, 9, 12])
def test_checkpoint_and_journal_give_the_state_that_was_lost(
    where: str, events: list[AuthEvent], unbroken: tuple[list[bytes], bytes], cut: int, rows: int
) -> None:
    with Store(where) as store:
        first = live(store, rows=rows)
        feed(first, events[: cut * GROUP])
        first.judge("api", events[cut * GROUP])  # never committed: nobody was answered
        there = store.journaled()
    with Store(where) as store:
        second = live(store, rows=rows)
        assert second.replayed == there
        assert lines(store) == unbroken[0][: cut * GROUP]  # also those only in the journal
        whole = Company(engine())
        for event in events[: cut * GROUP]:
            whole.engine.step(event)
        assert encode_state(second.state) == encode_state(whole.engine.state)
        feed(second, events[cut * GROUP :])
        second.checkpoint()
        assert store.journaled() == 0
        assert (lines(store), encode_state(second.state)) == unbroken
        assert count(store, schema.outbox) == sent(events)
    with Store(where) as store:
        assert encode_state(live(store).state) == unbroken[1]


@pytest.mark.parametrize("point", ["in-transaction", "before-commit", "after-commit"])
@pytest.mark.parametrize("nth", [1, 4, 7, 8])
def test_killed_while_keeping_a_group(
    tmp_path,
    events: list[AuthEvent],
    unbroken: tuple[list[bytes], bytes],
    point: str,
    nth: int,
    rows: int,
) -> None:
    """The client was not answered, and sends the group again."""
    left = [nth]

    def at(found: str) -> None:
        if found == point:
            left[0] -= 1
            if not left[0]:
                raise Crash

    done = 0
    with Store(tmp_path) as store:
        store.at = at
        first = live(store, rows=rows)
        try:
            for group in groups(events):
                feed(first, group)
                done += 1
        except Crash:
            pass
        assert not left[0]
    with Store(tmp_path) as store:
        second = live(store, rows=rows)
        feed(second, events[done * GROUP :])
        second.settle()
        assert (lines(store), encode_state(second.state)) == unbroken
        assert count(store, schema.outbox) == sent(events)


@pytest.mark.parametrize("lost", [False, True])
def test_a_commit_that_failed_is_tried_again(
    where: str, events: list[AuthEvent], unbroken: tuple[list[bytes], bytes], lost: bool, rows: int
) -> None:
    """``lost``: it went through, and only the answer did not."""
    with Store(where) as store:
        at_work = live(store, rows=rows)
        left = [0]

        def at(found: str) -> None:
            if found == ("after-commit" if lost else "before-commit"):
                left[0] += 1
                if left[0] % 4 == 0:
                    raise StoreUnavailable("gone for a moment")

        store.at = at
        failed = 0
        for group in groups(events):
            for event in group:
                at_work.judge("api", event)
            try:
                at_work.commit(outbox=outgoing(group))
            except StoreUnavailable:
                failed += 1
        assert failed > 2
        store.at = lambda _: None
        at_work.commit()
        at_work.settle()
        assert at_work.unsettled == 0.0
        assert (lines(store), encode_state(at_work.state)) == unbroken
        assert count(store, schema.outbox) == sent(events)
    with Store(where) as store:
        assert encode_state(live(store).state) == unbroken[1]


def test_a_login_that_breaks_off_half_way_is_judged_again_whole(
    where: str, events: list[AuthEvent], unbroken: tuple[list[bytes], bytes], monkeypatch
) -> None:
    for name in ("PROFILES_IN_MEMORY", "ADDRESSES_IN_MEMORY", "PLACES_IN_MEMORY"):
        monkeypatch.setattr(states, name, 1)
    with Store(where) as store:
        at_work = live(store, checkpoint=10)
        asked, read = [0], store.read

        def breaks(table: str, key: str):
            asked[0] += 1
            if asked[0] % 3 == 0 and asked[0] < 60:
                raise StoreUnavailable("gone for a moment")
            return read(table, key)

        monkeypatch.setattr(store, "read", breaks)
        failed = 0
        for group in groups(events):
            for event in group:
                while True:
                    try:
                        at_work.judge("api", event)
                        break
                    except StoreUnavailable:
                        failed += 1
            at_work.commit()
        assert failed > 3
        assert (lines(store), encode_state(at_work.state)) == unbroken


def test_verdicts_wait_for_a_checkpoint(tmp_path, events: list[AuthEvent]) -> None:
    word = Verdict(
        event_id="u-3", kind="true_positive", by="k", why="w", when=events[GROUP - 1].time
    )
    with Store(tmp_path) as store:
        at_work = live(store)
        feed(at_work, events[:GROUP])
        with pytest.raises(StoreError, match="a server was cut short here"):
            take(store, [Line("", word)])
        at_work.checkpoint()
        assert take(store, [Line("", word)]).taken == 1
        at_work.reload()
        feed(at_work, events[GROUP:])
        before = encode_state(at_work.state)
    with Store(tmp_path) as store:
        assert encode_state(live(store).state) == before


def test_a_checkpoint_amid_a_group_is_refused(tmp_path, events: list[AuthEvent]) -> None:
    with Store(tmp_path) as store:
        at_work = live(store)
        at_work.judge("api", events[0])
        with pytest.raises(StoreError, match="between judging and committing"):
            at_work.checkpoint()


def test_a_damaged_journal_is_named(tmp_path, events: list[AuthEvent]) -> None:
    with Store(tmp_path) as store:
        feed(live(store), events[:GROUP])
        with store.transaction() as connection:
            connection.exec_driver_sql("UPDATE journal SET body = x'c1' WHERE position = 3")
        with pytest.raises(StoreError, match="journal, event 3: damaged"):
            live(store)
