"""The demo that goes on: history in a store, and the rest sent as a collector would."""

import json
from pathlib import Path
from typing import Any

import pytest

from quivive.app import demo, demo_live
from quivive.app.errors import UsageError
from quivive.client import ServerError
from quivive.enrich.enricher import Enricher
from quivive.sim.demo import unfolding
from quivive.store.database import Store

NOW = 1_763_650_000.0  # Thursday 2025-11-20, 14:46 UTC


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, demo.Story]:
    out = tmp_path_factory.mktemp("demo")
    return out, demo.simulate(out, 7, 16, NOW)


@pytest.mark.parametrize("hour", [0, 3, 9, 23])
@pytest.mark.parametrize("day", range(7))
def test_the_takeover_began_before_a_working_day_and_some_hours_ago(day: int, hour: int) -> None:
    now = NOW + day * 86_400 + hour * 3600
    plan = unfolding(now)
    assert 3 * 3600 <= now - plan.onset <= 4 * 86_400
    assert int(plan.onset // 86_400 + 3) % 7 < 5
    assert plan.reset > now


def test_history_ends_before_the_takeover_and_the_rest_is_sent(
    made: tuple[Path, demo.Story],
) -> None:
    out, story = made
    logs = list(story.summary.records)
    onset = int(story.first_success * 1000)
    before = onset - demo_live.BEFORE_MS
    ready = demo_live.history(out, logs, before, lambda _: None, demo_live.places_of(out))
    with Store(ready.state) as store:
        times = [line["event"]["time"] for line in _lines(store)]
        kept = len(times)
    assert max(times) < before
    told = demo_live.records(out, logs, before, int(NOW * 1000))
    assert [r.time for r in told] == sorted(r.time for r in told)
    assert min(r.time for r in told) >= before
    assert any(story.identity.encode() in r.body and r.time == onset for r in told)
    assert ready.password not in repr(sorted(out.iterdir()))
    assert kept > 1000


def test_a_folder_of_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="not a state of the demo's"):
        demo_live.history(tmp_path, [], 0, lambda _: None, Enricher())
    assert (tmp_path / "state" / "thesis.txt").exists()


def test_what_a_server_does_not_take_is_sent_again_and_what_it_refuses_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[tuple[str, bytes]] = []
    troubles = [ServerError(503, "busy"), ServerError(0, "no answer"), ServerError(400, "what?")]

    def send(body: bytes, *, source: str) -> None:
        sent.append((source, body))
        if source == "entra" and troubles:
            raise troubles.pop(0)

    told = [demo_live.Record(n * 1000, "entra" if n < 2 else "sshd", b"%d" % n) for n in range(4)]
    feed = demo_live.Feed("http://127.0.0.1:1", "t", told, lambda _: False, passed_in=1.0)
    monkeypatch.setattr(feed._client, "send", send)
    feed.run()
    assert [source for source, _ in sent] == ["entra"] * 3 + ["sshd"] * 2
    assert sent[0] == sent[1] == sent[2] == ("entra", b"0\n1\n")
    assert sent[3:] == [("sshd", b"2\n"), ("sshd", b"3\n")]


def _lines(store: Store) -> list[dict[str, Any]]:
    return [json.loads(body) for _, body in store.history()]
