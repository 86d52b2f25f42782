"""The worker over the outbox: nothing lost, nothing twice, digests, limits, verdict links."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from quivive.app.channels import Settings, read_settings, settings_of
from quivive.app.errors import UsageError
from quivive.app.notifying import ATTEMPTS, KIND, LEASE, LONGEST_WAIT, Worker, outgoing
from quivive.incidents import slo
from quivive.incidents.slo import DECIDED_IN_TIME, HOUR, MINUTE, Burn, burn_rate, left, look
from quivive.model.errors import ConfigurationError
from quivive.notify.buttons import VALID_FOR, TokenError, buttons, make, verify
from quivive.notify.notifier import Answer, NotDeliveredError, Post, Secret
from quivive.store.database import Store
from quivive.store.incidents import Incidents, use_link
from quivive.store.outbox import StoredOutbox
from tests.contract.test_notifiers import NOTE

NOW = 1_790_000_100_000
KEY = b"k" * 32
CONSOLE = "https://quivive.example.com"


def channel(name: str, **kw: Any) -> dict[str, Any]:
    made = {"name": name, "kind": "slack", "settings": {"url": {"env": name.upper()}}}
    return made | kw


class Wires:
    """A wire for every channel that notes what is sent, and fails as it is told."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Any]] = []
        self.fails: dict[str, Exception | Answer | None] = {}

    def __call__(self, of: Any) -> "Wires":
        self.name = of.name
        return self

    def post(self, message: Post) -> Answer:
        failure = self.fails.get(self.name)
        if isinstance(failure, Exception):
            raise failure
        if isinstance(failure, Answer):
            return failure
        self.sent.append((self.name, json.loads(message.body)))
        return Answer(200)

    def titles(self, name: str) -> list[str]:
        return [body["text"] for of, body in self.sent if of == name]


class Setup:
    def __init__(self, store: Store, *channels: dict[str, Any], console: str | None = CONSOLE):
        self.settings = settings_of({"console": console, "channels": list(channels)}, "here")
        self.rows = StoredOutbox(store, KIND)
        self.wires = Wires()
        self.worker = self.fresh()

    def fresh(self) -> Worker:
        return Worker(self.rows, self.settings, self.wires, lambda _: "https://x.example/y", KEY)

    def put(self, *notes: Any, now: int = NOW) -> None:
        self.rows.put([outgoing(note, now) for note in notes])


def note(number: int = 1, **kw: Any) -> Any:
    made = replace(NOTE, key=f"INC-{number}:1:opened", thread=f"INC-{number}", title=f"n{number}",
                   runbook="docs/runbooks/takeover.md", link=None, buttons=())  # fmt: skip
    return replace(made, **kw)


# --- delivery


def test_it_goes_to_every_channel_that_wants_it_once(store: Store) -> None:
    setup = Setup(
        store, channel("all"), channel("pages", routes=["page"]), channel("p1", least="P1")
    )
    setup.put(note(1), note(1), note(2, priority="P3", route="ticket"))
    came = setup.worker.run(NOW)
    assert (came.routed, came.delivered) == (2, 4)
    assert setup.worker.run(NOW + LEASE * 2).delivered == 0
    assert len(setup.wires.titles("all")) == 2
    assert len(setup.wires.titles("pages")) == 1
    assert len(setup.wires.titles("p1")) == 1


def test_links_are_made_when_it_is_sent(store: Store) -> None:
    setup = Setup(store, channel("soc"))
    setup.put(note(1))
    setup.worker.run(NOW)
    elements = setup.wires.sent[0][1]["blocks"][-1]["elements"]
    urls = [e["url"] for e in elements]
    assert urls[:2] == [f"{CONSOLE}/incidents/INC-1", f"{CONSOLE}/runbooks/takeover.md"]
    asked = verify(KEY, urls[2].rpartition("/")[2], NOW, "soc")
    assert (asked.event_id, asked.verdict) == (NOTE.event_id, "true_positive")
    assert b"verdict/" not in b"".join(row.body for row, _, _ in setup.rows.rows())


def test_a_failure_is_tried_again_later_and_later(store: Store) -> None:
    setup = Setup(store, channel("soc"))
    setup.put(note(1))
    setup.wires.fails["soc"] = NotDeliveredError("refused")
    waits, now = [], NOW
    for _ in range(4):
        assert setup.worker.run(now).failed == 1
        due = min(due for row, due, _ in setup.rows.rows("due"))
        waits.append(due - now)
        now = due
    assert waits == [10_000, 20_000, 40_000, 80_000]
    setup.wires.fails.clear()
    assert setup.worker.run(now).delivered == 1
    assert "perhaps sent before" not in setup.wires.titles("soc")[0]


def test_a_wait_that_is_asked_for_is_kept(store: Store) -> None:
    setup = Setup(store, channel("soc"))
    setup.put(note(1))
    setup.wires.fails["soc"] = Answer(429, b"", 600.0)
    setup.worker.run(NOW)
    assert [due - NOW for _, due, _ in setup.rows.rows("due")] == [600_000]


def test_what_is_refused_for_ever_is_told_by_the_others(store: Store) -> None:
    setup = Setup(store, channel("soc"), channel("mail"))
    setup.put(note(1))
    setup.wires.fails["soc"] = Answer(404, b"no_team")
    assert setup.worker.run(NOW).given_up == 1
    setup.worker.run(NOW + 1)
    assert [t for t in setup.wires.titles("mail") if "could not be told" in t]
    assert [row.key for row, _, _ in setup.rows.rows("dead")] == ["INC-1:1:opened@soc"]
    setup.wires.fails.clear()
    assert setup.rows.revive(NOW + 2) == 1
    assert setup.worker.run(NOW + 2).delivered == 1


def test_that_a_channel_fails_is_not_told_for_ever(store: Store) -> None:
    setup = Setup(store, channel("soc"), channel("mail"))
    setup.put(note(1))
    setup.wires.fails = {"soc": Answer(404), "mail": Answer(404)}
    for step in range(5):
        setup.worker.run(NOW + step)
    assert len(setup.rows.rows()) == 7  # the note, two rows; two alarms with one row each
    assert setup.rows.counts() == {"done": 3, "dead": 4}


def test_a_missing_secret_waits_for_somebody_to_mend_it(store: Store) -> None:
    setup = Setup(store, channel("soc"))
    setup.put(note(1))

    def missing(_: Secret) -> str:
        raise ConfigurationError("environment variable SOC: not set")

    setup.worker.read = missing
    assert setup.worker.run(NOW).failed == 1
    assert setup.fresh().run(NOW + LONGEST_WAIT).delivered == 1


def test_a_worker_that_dies_after_sending_says_so_the_next_time(store: Store) -> None:
    setup = Setup(store, channel("soc"))
    setup.put(note(1))
    worker = setup.fresh()
    finish = worker.rows.finish

    def die(key: str, *rest: Any) -> None:
        if "@" in key:
            raise KeyboardInterrupt
        finish(key, *rest)

    worker.rows.finish = die  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        worker.run(NOW)
    del worker.rows.finish
    assert setup.fresh().run(NOW + 1).delivered == 0  # nobody else gets it during the lease
    assert setup.fresh().run(NOW + LEASE).delivered == 1
    first, second = setup.wires.titles("soc")
    assert "perhaps sent before" in second
    assert "perhaps sent before" not in first


def test_after_many_attempts_it_is_given_up(store: Store) -> None:
    setup = Setup(store, channel("soc"))
    setup.put(note(1))
    setup.wires.fails["soc"] = NotDeliveredError("refused")
    now = NOW
    for _ in range(ATTEMPTS):
        setup.worker.run(now)
        now += LONGEST_WAIT
    assert setup.rows.counts()["dead"] == 1


def test_damaged_rows_and_channels_that_are_gone_are_given_up(store: Store) -> None:
    setup = Setup(store, channel("soc"))
    setup.rows.put([outgoing(note(1), NOW)._replace(key="broken", body=b"\xff")])
    setup.put(note(2))
    setup.wires.fails["soc"] = NotDeliveredError("x")
    setup.worker.run(NOW)
    assert Setup(store).worker.run(NOW + LONGEST_WAIT).given_up == 1
    assert {row.key for row, _, _ in setup.rows.rows("dead")} == {"broken", "INC-2:1:opened@soc"}


# --- folding


def test_low_priorities_are_gathered_into_a_digest(store: Store) -> None:
    setup = Setup(store, channel("soc", digest_hours=24))
    setup.put(*(note(n, priority="P4", route="ticket") for n in range(14)), note(99))
    assert setup.worker.run(NOW).delivered == 1  # the page
    due = {due for _, due, _ in setup.rows.rows("due")}
    assert due == {(NOW // 86_400_000 + 1) * 86_400_000}
    came = setup.worker.run(due.pop())
    assert (came.delivered, came.folded) == (14, 13)
    digest = setup.wires.sent[-1][1]
    assert "14 alerts" in digest["text"]
    assert "and 4 more" in json.dumps(digest)


def test_a_flood_is_cut_to_the_limit_and_says_how_many_more(store: Store) -> None:
    setup = Setup(store, channel("soc", per_hour=5))
    setup.put(*(note(n) for n in range(40)))
    came = setup.worker.run(NOW)
    assert (came.delivered, came.folded) == (40, 35)
    assert len(setup.wires.sent) == 5
    assert "36 alerts" in setup.wires.titles("soc")[-1]
    setup.put(note(50), now=NOW + MINUTE)
    assert setup.worker.run(NOW + MINUTE).put_off == 1
    assert setup.worker.run(NOW + HOUR).delivered == 1


def test_the_most_urgent_are_told_by_name(store: Store) -> None:
    setup = Setup(store, channel("soc", per_hour=2, digest=[]))
    low = [note(n, priority="P3", route="ticket") for n in range(9)]
    setup.put(*low, note(77))
    setup.worker.run(NOW)
    assert "n77" in setup.wires.titles("soc")[0]


def test_ends_are_told_where_they_end_something(store: Store) -> None:
    pager = channel("pager", kind="pagerduty", settings={"routing_key": {"env": "K"}})
    setup = Setup(store, channel("soc"), channel("log", closings=True), pager)
    setup.wires.fails["pager"] = Answer(202)
    setup.put(note(1, what="closed"))
    assert setup.worker.run(NOW).delivered == 2
    assert len(setup.wires.titles("log")) == 1
    assert setup.wires.titles("soc") == []


def test_the_second_in_line_is_told_when_the_first_does_not_answer(store: Store) -> None:
    setup = Setup(store, channel("first"), channel("second", after=1))
    setup.put(note(1), note(2, told=1, what="escalated"))
    setup.worker.run(NOW)
    assert len(setup.wires.titles("first")) == 2
    assert len(setup.wires.titles("second")) == 1


# --- settings


@pytest.mark.parametrize(
    ("section", "says"),
    [
        ({"channels": [channel("a"), channel("a")]}, "two channels are called 'a'"),
        ({"channels": [channel("a", kind="pigeon")]}, "no kind 'pigeon'; one of apprise"),
        ({"channels": [channel("a", settings={})]}, "channel a: settings: .*url"),
        ({"channels": [channel("a", least="P9")]}, "no priority"),
        ({"channels": [channel("a", guess=1)]}, "guess"),
        ({"channels": [channel("a", settings={"url": "https://secret"})]}, "channel a: settings"),
        ({"channels": [channel("a", settings={"url": {}})]}, "one of the two"),
        ({"console": "javascript:alert(1)"}, "write https"),
        ([], "notify"),
    ],
)
def test_wrong_settings_are_named(section: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says) as raised:
        settings_of(section, "quivive.yaml")
    assert "quivive.yaml" in str(raised.value)
    assert "https://secret" not in str(raised.value)


def test_settings_files(tmp_path: Path) -> None:
    file = tmp_path / "q.yaml"
    file.write_text("notify:\n  channels:\n    - {name: a, kind: ocsf, settings: {file: /x}}\n")
    assert [c.name for c in read_settings(file).channels] == ["a"]
    file.write_text("other: 1\n")
    assert read_settings(file) == Settings()
    file.write_text("a: [\n")
    with pytest.raises(UsageError, match=r"q.yaml:2: no YAML"):
        read_settings(file)
    with pytest.raises(UsageError, match="cannot be read"):
        read_settings(tmp_path / "none")


# --- verdict links


def test_a_link_says_what_it_was_made_for() -> None:
    token = make(KEY, "e1", "false_positive", "soc", "INC-1:1", NOW)
    asked = verify(KEY, token, NOW + VALID_FOR)
    assert (asked.event_id, asked.verdict, asked.audience) == ("e1", "false_positive", "soc")


def test_links_that_expired_or_are_for_others_are_refused() -> None:
    token = make(KEY, "e1", "false_positive", "soc", "INC-1:1", NOW)
    with pytest.raises(TokenError, match="expired"):
        verify(KEY, token, NOW + VALID_FOR + 1)
    with pytest.raises(TokenError, match="others"):
        verify(KEY, token, NOW, "mail")


def test_a_forged_link_is_refused() -> None:
    token = make(KEY, "e1", "false_positive", "soc", "INC-1:1", NOW)
    body, _, signature = token.partition(".")
    other = make(KEY, "e2", "false_positive", "soc", "INC-1:1", NOW).partition(".")[0]
    for forged in (
        f"{other}.{signature}",
        body,
        f"{body}.",
        f".{signature}",
        make(b"x" * 32, "e1", "false_positive", "soc", "INC-1:1", NOW),
        "ü" * 50,
        "\ud800",
        "a" * 10_000,
    ):
        with pytest.raises(TokenError):
            verify(KEY, forged, NOW)


@given(st.text(max_size=200))
def test_no_text_is_a_link_by_chance(text: str) -> None:
    with pytest.raises(TokenError):
        verify(KEY, text, NOW)


def test_a_link_is_used_once_and_so_are_its_siblings(store: Store) -> None:
    Incidents(store)
    made = buttons(KEY, CONSOLE, "e1", "soc", "INC-1:1", NOW)
    asked = [verify(KEY, b.url.rpartition("/")[2], NOW) for b in made]
    assert len({a.verdict for a in asked}) == 3
    with store.transaction() as connection:
        assert use_link(connection, asked[0].serial, "e1", NOW)
        assert not use_link(connection, asked[1].serial, "e1", NOW)
    with store.transaction() as connection:
        assert not use_link(connection, asked[0].serial, "e1", NOW)
    again = verify(KEY, make(KEY, "e1", "true_positive", "soc", "INC-1:2", NOW), NOW)
    assert again.serial != asked[0].serial


# --- service levels


def burned(rate: float, minutes: int, burn: Burn | None = None, start: int = NOW) -> Burn:
    """Twenty logins a minute, ``rate`` times more of them late than the budget allows."""
    burn = burn or Burn()
    for minute in range(minutes):
        burn.add(start + minute * MINUTE, 20 - round(rate), round(rate))
    return burn


def test_rates() -> None:
    assert burn_rate(DECIDED_IN_TIME, 95, 5) == pytest.approx(1.0)
    assert burn_rate(DECIDED_IN_TIME, 0, 0) == 0.0
    assert left(DECIDED_IN_TIME, burned(0, 60), NOW + HOUR) == 1.0


def test_a_fast_burn_pages_and_ends_once() -> None:
    burn = burned(16, 70)
    told = look(DECIDED_IN_TIME, burn, NOW + 69 * MINUTE)
    assert [(n.what, n.priority, n.route) for n in told] == [("burning", "P1", "page")]
    assert look(DECIDED_IN_TIME, burn, NOW + 70 * MINUTE) == []
    burned(0, 30, burn, NOW + 71 * MINUTE)
    over = look(DECIDED_IN_TIME, burn, NOW + 100 * MINUTE)
    assert [(n.what, n.thread) for n in over] == [("closed", told[0].thread)]


def test_twice_the_rate_pages_only_for_a_critical_level() -> None:
    day = 24 * 60
    told = look(DECIDED_IN_TIME, burned(3, day), NOW + (day - 1) * MINUTE)
    assert [(n.route, n.thread) for n in told] == [("page", "slo:decided-in-time:2")]
    usual = replace(DECIDED_IN_TIME, critical=False)
    told = look(usual, burned(3, day), NOW + (day - 1) * MINUTE)
    assert [n.route for n in told] == ["ticket"]


def test_a_budget_that_holds_and_a_single_late_one_alarm_nobody() -> None:
    assert look(DECIDED_IN_TIME, burned(0, 600), NOW + 600 * MINUTE) == []
    burn = Burn()
    burn.add(NOW, 2, 1)
    assert look(DECIDED_IN_TIME, burn, NOW) == []


@given(st.lists(st.tuples(st.integers(0, 10 * 24 * 60), st.integers(0, 5), st.integers(0, 5))))
def test_counts_are_those_of_the_window(added: list[tuple[int, int, int]]) -> None:
    burn = Burn()
    for minute, good, bad in added:
        burn.add(minute * MINUTE, good, bad)
    newest = max((m * MINUTE // slo.BUCKET for m, _, _ in added), default=0)
    inside = [(g, b) for m, g, b in added if newest - 12 <= m * MINUTE // slo.BUCKET <= newest]
    assert burn.counts(newest * slo.BUCKET, HOUR) == (
        sum(g for g, _ in inside),
        sum(b for _, b in inside),
    )
    assert len(msgspec.json.encode(burn)) < 20_000
