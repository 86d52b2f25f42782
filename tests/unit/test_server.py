"""The HTTP API: one login, many events, verdicts, what can be read, and what goes wrong."""

import asyncio
import bz2
import gzip
import json
import lzma
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow
import pytest

from quivive.app.ingest import Tally
from quivive.app.notifying import KIND
from quivive.app.output import encode_scored
from quivive.app.scoring import merged, score
from quivive.engine.engine import Engine
from quivive.engine.state import State
from quivive.enrich.enricher import Enricher
from quivive.server.http import Problem
from quivive.server.http import Request as HttpRequest
from quivive.server.settings import ServerSettings
from quivive.server.waiting import act
from quivive.sim.build import simulate
from quivive.store.database import Store, StoreUnavailable
from quivive.store.outbox import StoredOutbox
from tests.unit.serving import DAY, NOW, Served, login


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    found = Served(tmp_path / "state")
    yield found
    found.close()


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sim")
    simulate(folder, seed=3, people=14, services=2, days=26, incidents=3)
    return folder / "entra.jsonl"


@pytest.fixture(scope="module")
def scored(log: Path) -> dict[str, dict[str, Any]]:
    events = merged([str(log)], None, Tally(), lambda _: None)
    found = score(events, State(), Enricher(None, None))
    lines = [json.loads(encode_scored(scored, name)) for name, scored in found]
    return {line["id"]: line for line in lines}


NOISE = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=9_000))


def ndjson(*records: object) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


# --- one login


def test_one_login_is_answered_with_the_line_that_score_writes(served: Served) -> None:
    answer = served.ask("POST", "/v1/assess", json=login())
    assert answer.status_code == 200
    line = answer.json()
    assert list(line)[:7] == [
        "event", "risk_score", "risk_level", "confidence", "reasons", "decision", "id",
    ]  # fmt: skip
    assert line["id"] == "login-ann@example.com-0"
    assert line["decision"]["action"] == "allow"
    assert served.ask("GET", f"/v1/assessments/{line['id']}").content == answer.content
    with Store(served.state) as store:
        assert store.assessment(line["id"]) == answer.content


def test_events_are_judged_as_score_judges_them(
    served: Served, log: Path, scored: dict[str, dict[str, Any]]
) -> None:
    answer = served.ask("POST", "/v1/events?source=entra", content=log.read_bytes())
    said = answer.json()
    assert said["judged"] == len(scored)
    assert said["findings"] == sum(line["finding"] for line in scored.values())
    pages = {}
    cursor = ""
    while True:
        page = served.ask("GET", f"/v1/assessments?limit=300{cursor}").json()
        pages |= {line["id"]: line for line in page["assessments"]}
        if "next" not in page:
            break
        cursor = f"&cursor={page['next']}"
    assert pages == scored


def test_the_same_login_again_gives_the_same_answer_and_changes_nothing(served: Served) -> None:
    first = served.ask("POST", "/v1/assess", json=login())
    again = served.ask("POST", "/v1/assess", json=login())
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    assert served.server.figures.logins["human"] == 1


def test_a_verdict_is_taken_right_after_a_login_that_was_known(served: Served) -> None:
    served.ask("POST", "/v1/assess", json=login())
    served.ask("POST", "/v1/assess", json=login())
    given = {"event_id": "login-ann@example.com-0", "verdict": "false_positive", "why": "hers"}
    answer = served.ask("POST", "/v1/verdicts", json=given)
    assert answer.status_code == 200, answer.text
    assert answer.json()["taken"] == 1


def test_a_server_that_heard_only_known_logins_keeps_its_state_at_the_end(tmp_path: Path) -> None:
    first = Served(tmp_path / "state")
    for _ in range(2):
        first.ask("POST", "/v1/assess", json=login())
    assert not first.server.judge.judging.live._judged  # nor does it gather them without end
    first.close()
    with Store(tmp_path / "state") as store:
        assert store.journaled() == 0


@pytest.mark.parametrize(
    "other",
    [
        {"user": {"name": "mallory@example.com"}},
        {"user": {"name": "ann@example.com", "email_addr": "ann@example.com", "uid": "7"}},
        {"src_endpoint": {"ip": "203.0.113.9"}},
        {"src_endpoint": {}},
    ],
    ids=repr,
)
def test_an_id_that_was_another_logins_gets_no_answer_about_that(
    served: Served, other: dict[str, Any]
) -> None:
    served.ask("POST", "/v1/assess", json=login())
    answer = served.ask("POST", "/v1/assess", json={**login(), **other})
    assert answer.status_code == 409
    assert "login-ann@example.com-0" in answer.json()["detail"]
    assert "Idempotency-Key" in answer.json()["detail"]
    again = served.ask("POST", "/v1/assess", json={**login(), "is_mfa": True, "time": NOW})
    assert again.headers["idempotent-replayed"] == "true"


def test_the_same_login_after_a_restart_gives_the_same_answer(tmp_path: Path) -> None:
    first = Served(tmp_path / "state")
    said = first.ask("POST", "/v1/assess", json=login())
    first.close()
    second = Served(tmp_path / "state")
    try:
        assert second.ask("POST", "/v1/assess", json=login()).content == said.content
    finally:
        second.close()


def test_an_idempotency_key_stands_for_one_login(served: Served) -> None:
    record = login()
    del record["metadata"]["uid"], record["time"]
    headers = {"idempotency-key": "abc"}
    first = served.ask("POST", "/v1/assess", json=record, headers=headers)
    served.now += 5_000
    assert served.ask("POST", "/v1/assess", json=record, headers=headers).content == first.content
    other = served.ask("POST", "/v1/assess", json=login(1), headers=headers)
    assert other.status_code == 422
    assert "another login" in other.json()["title"]
    theirs = served.make("other", "assess")
    mine = served.ask("POST", "/v1/assess", json=record, headers=headers, token=theirs)
    assert mine.json()["id"] != first.json()["id"]


def test_a_login_without_a_time_is_now_and_each_one_counts(served: Served) -> None:
    record = login()
    del record["metadata"]["uid"], record["time"]
    first, second = (served.ask("POST", "/v1/assess", json=record).json() for _ in range(2))
    assert first["event"]["time"] == NOW
    assert first["id"] != second["id"]


def test_a_raw_record_of_a_named_source(served: Served, log: Path) -> None:
    record = log.read_bytes().splitlines()[0]
    named = served.ask("POST", "/v1/assess?source=entra", content=record)
    assert named.json()["event"]["metadata"]["product"]["name"] == "Entra ID"
    unknown = served.ask("POST", "/v1/assess?source=nope", content=record)
    assert unknown.status_code == 400
    assert "entra" in unknown.json()["detail"]


def test_logins_asked_about_together_are_kept_together(served: Served) -> None:
    answers = served.together(
        *(lambda c, n=n: c.post("/v1/assess", json=login(n)) for n in range(12))
    )
    assert [a.json()["id"] for a in answers] == [login(n)["metadata"]["uid"] for n in range(12)]
    assert sum(served.server.figures.stages["keep"].counts) < 12


def test_the_trace_of_the_caller_is_kept_with_the_login(served: Served) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    headers = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01", "x-request-id": "mine-1"}
    answer = served.ask("POST", "/v1/assess", json=login(), headers=headers)
    assert answer.json()["event"]["metadata"]["correlation_uid"] == trace
    assert answer.headers["x-request-id"] == "mine-1"
    forged = served.ask("POST", "/v1/assess", json=login(1), headers={"traceparent": "00-zz-1-01"})
    assert "correlation_uid" not in forged.json()["event"]["metadata"]


# --- no answer in time


@pytest.mark.parametrize(("fail", "action"), [("open", "allow"), ("closed", "block")])
def test_without_a_judgement_the_caller_gets_what_it_chose(
    served: Served, fail: str, action: str
) -> None:
    token = served.make(fail, "assess", fallback=fail)

    def broken(_: str) -> None:
        raise StoreUnavailable("disk is full: /secret/path")

    served.server.store.at = broken
    answer = served.ask("POST", "/v1/assess", json=login(), token=token)
    assert answer.status_code == 200
    said = answer.json()
    assert said["decided"] is False
    assert said["decision"] == {
        "action": action, "mode": "enforce", "rule": f"server/fail-{fail}",
    }  # fmt: skip
    assert answer.headers["quivive-fallback"] == "store"
    assert "secret" not in answer.text

    del served.server.store.at
    back = served.ask("POST", "/v1/assess", json=login(), token=token)
    assert back.json()["id"] == login()["metadata"]["uid"]
    assert served.server.figures.logins["human"] == 1


def test_a_login_that_takes_too_long_is_answered_by_the_fallback_and_judged_all_the_same(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = served.server.judge
    with judge._work:  # somebody else is at work
        late = served.ask("POST", "/v1/assess?budget_ms=20", json=login())
        header = served.ask("POST", "/v1/assess", json=login(1), headers={"quivive-budget-ms": "1"})
    assert late.headers["quivive-fallback"] == header.headers["quivive-fallback"] == "late"
    assert "20 ms" in late.json()["why"]
    again = served.ask("POST", "/v1/assess", json=login())
    assert again.json()["risk_level"] == "low"
    assert again.headers["idempotent-replayed"] == "true"


def test_a_fault_in_one_login_is_no_fault_of_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Engine.step

    def faulty(self: Engine, event: Any) -> Any:
        if event.user.name == "bob@example.com":
            raise ZeroDivisionError("bob's password")
        return step(self, event)

    monkeypatch.setattr(Engine, "step", faulty)
    served = Served(tmp_path / "state")
    body = ndjson(login(0), login(1, "bob@example.com"), login(2))
    said = served.ask("POST", "/v1/events", content=body).json()
    assert (said["judged"], said["failed"]) == (2, 1)
    one = served.ask("POST", "/v1/assess", json=login(3, "bob@example.com"))
    assert one.headers["quivive-fallback"] == "fault"
    assert "password" not in one.text
    assert served.ask("POST", "/v1/assess", json=login(4)).json()["id"].endswith("-4")
    served.close()


# --- many events


def test_counts_skips_rejects_and_where_they_are(served: Served) -> None:
    other = {"class_uid": 1001, "category_uid": 1, "metadata": {"version": "1.8.0"}}
    body = ndjson(login(0), other) + b'{"broken": \n' + ndjson(login(0), login(1))
    said = served.ask("POST", "/v1/events", content=body).json()
    assert (said["records"], said["events"], said["judged"], said["known"]) == (5, 3, 2, 1)
    assert said["skipped"] == {"another OCSF class: 1001": 1}
    assert said["rejected"] == 1
    assert said["rejects"][0]["line"] == 3
    assert "JSON" in said["rejects"][0]["reason"]


PACK = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": lambda body: pyarrow.compress(body, "zstd", asbytes=True),
}


def test_an_id_that_another_user_had_is_counted_apart(tmp_path: Path) -> None:
    first, again, another = login(0), login(0), login(0, "bob@example.com")
    another["metadata"]["uid"] = first["metadata"]["uid"]
    served = Served(tmp_path / "state")
    try:
        said = served.ask("POST", "/v1/events", content=ndjson(first, again, another)).json()
        assert (said["judged"], said["known"], said["reused"]) == (1, 2, 1)
    finally:
        served.close()
    served = Served(tmp_path / "state")  # which has the lines in its store alone
    try:
        body = ndjson(another, first, login(1))
        said = served.ask("POST", "/v1/events", content=body).json()
        assert (said["judged"], said["known"], said["reused"]) == (1, 2, 1)
    finally:
        served.close()


@pytest.mark.parametrize("shape", ["array", "ndjson", *PACK])
def test_arrays_lines_and_packed_bodies(served: Served, shape: str) -> None:
    records = [login(n) for n in range(3)]
    body = json.dumps(records).encode() if shape == "array" else ndjson(*records)
    body = PACK[shape](body) if shape in PACK else body
    assert served.ask("POST", "/v1/events", content=body).json()["judged"] == 3


def test_a_body_sent_again_gives_the_same_answer_and_doubles_nothing(tmp_path: Path) -> None:
    body = ndjson(login(0), login(1)) + b"{broken\n"
    first = Served(tmp_path / "state")
    said = first.ask("POST", "/v1/events", content=body)
    first.close()
    second = Served(tmp_path / "state")
    try:
        again = second.ask("POST", "/v1/events", content=body)
        assert again.content == said.content
        assert again.headers["idempotent-replayed"] == "true"
        second.runner.run(second.server.look())
        assert second.server.context.measures.dead_letters == 1
    finally:
        second.close()


def test_records_without_an_id_sent_again_in_other_company_are_known(served: Served) -> None:
    records = [login(n) for n in range(3)]
    for record in records:
        del record["metadata"]["uid"]
    served.ask("POST", "/v1/events", content=ndjson(*records))
    said = served.ask("POST", "/v1/events", content=ndjson(*records[1:], login(9))).json()
    assert (said["judged"], said["known"]) == (1, 2)


def test_two_records_alike_in_one_body_are_two(served: Served) -> None:
    record = login()
    del record["metadata"]["uid"]
    assert served.ask("POST", "/v1/events", content=ndjson(record, record)).json()["judged"] == 2


def test_a_full_queue_asks_to_come_later(tmp_path: Path) -> None:
    served = Served(tmp_path / "state", ServerSettings(waiting_events=3))
    try:
        judge = served.server.judge
        judge.asks.bulk_events = 3
        busy = served.ask("POST", "/v1/events", content=ndjson(login()))
        assert busy.status_code == 429
        assert int(busy.headers["retry-after"]) >= 1
        ready = served.ask("GET", "/readyz")
        assert (ready.status_code, ready.json()["status"]) == (503, "behind")
    finally:
        served.close()


def test_a_store_that_is_gone_refuses_events_and_takes_them_when_it_is_back(
    served: Served,
) -> None:
    def broken(_: str) -> None:
        raise StoreUnavailable("no space left")

    body = ndjson(login(0), login(1))
    served.server.store.at = broken
    refused = served.ask("POST", "/v1/events", content=body)
    assert refused.status_code == 503
    assert "retry-after" in refused.headers
    ready = served.ask("GET", "/readyz", token="")
    assert ready.status_code == 503
    assert ready.json()["status"] == "store unavailable"
    assert "no space" not in ready.text
    assert "no space" in served.ask("GET", "/readyz").json()["problem"]
    del served.server.store.at
    for _ in range(200):
        taken = served.ask("POST", "/v1/events", content=body)
        if taken.status_code == 200:
            break
        served.ask("POST", "/v1/assess", json=login(0))  # what comes makes it look
    assert sum(taken.json()[name] for name in ("judged", "known")) == 2
    assert served.server.figures.logins["human"] == 2
    assert served.ask("GET", "/readyz").json()["status"] == "ready"


# --- verdicts and what can be read


def test_a_verdict_is_taken_and_counts(served: Served, log: Path) -> None:
    served.ask("POST", "/v1/events?source=entra", content=log.read_bytes())
    found = served.ask("GET", "/v1/assessments?limit=1").json()["assessments"][0]
    given = {"event_id": found["id"], "verdict": "true_positive", "why": "phished"}
    token = served.make("analyst", "verdict")
    said = served.ask("POST", "/v1/verdicts", json=given, token=token)
    assert said.status_code == 200, said.text
    assert said.json()["taken"] == 1
    assert served.ask("POST", "/v1/verdicts", json=[given]).json()["known"] == 1
    other = served.ask("POST", "/v1/verdicts", json={**given, "verdict": "false_positive"})
    assert other.status_code == 422
    amended = served.ask(
        "POST", "/v1/verdicts?amend=true", json={**given, "verdict": "false_positive"}
    )
    assert amended.json()["amended"] == 1
    assert served.ask("POST", "/v1/assess", json=login()).status_code == 200


def test_an_unknown_login_has_no_verdict(served: Served) -> None:
    served.ask("POST", "/v1/assess", json=login())
    given = {"event_id": "nope", "verdict": "true_positive", "why": "x"}
    said = served.ask("POST", "/v1/verdicts", json=given)
    assert said.status_code == 422
    assert "no login nope" in said.json()["detail"]


def test_incidents_are_read_acknowledged_and_closed(served: Served, log: Path) -> None:
    served.now = NOW
    served.ask("POST", "/v1/events?source=entra", content=log.read_bytes())
    listed = served.ask("GET", "/v1/incidents?limit=1000").json()["incidents"]
    assert listed
    one = served.ask("GET", f"/v1/incidents/{listed[0]['id']}").json()
    assert one["findings"]
    open_ = [i for i in listed if i["status"] == "open"]
    assert open_
    said = served.ask("POST", f"/v1/incidents/{open_[0]['id']}/acknowledge", json={"why": "mine"})
    assert (said.status_code, said.json()["status"]) == (200, "acknowledged")
    served.server._containment_failed(open_[0]["findings"][-1], NOW, "Okta refused")
    marked = served.ask("GET", f"/v1/incidents/{open_[0]['id']}").json()["incident"]
    assert (marked["containment_failed"], marked["status"]) == (True, "open")
    said = served.ask("POST", f"/v1/incidents/{open_[0]['id']}/close", json={"why": "done"})
    assert said.json()["status"] == "closed"
    assert served.ask("POST", "/v1/incidents/INC-0/close").status_code == 404
    assert served.ask("GET", "/v1/incidents/INC-0").status_code == 404


def test_history_is_told_to_nobody_after_an_erasure_either(served: Served, log: Path) -> None:
    def anew() -> Any:
        return act(served.server.judge, lambda judging: judging.forget())

    served.runner.run(anew())
    served.ask("POST", "/v1/events?source=entra", content=log.read_bytes())
    assert served.ask("GET", "/v1/incidents").json()["incidents"]
    with Store(served.state) as store:
        assert not StoredOutbox(store, KIND).rows()


def test_an_identity_and_its_filters(served: Served) -> None:
    for number in range(5):
        served.ask("POST", "/v1/assess", json=login(number))
    served.ask("POST", "/v1/assess", json=login(7, "bob@example.com"))
    found = served.ask("GET", "/v1/identities/ann@example.com").json()
    assert (found["logins"], found["kind"], len(found["assessments"])) == (5, "human", 5)
    assert served.ask("GET", "/v1/identities/nobody").status_code == 404
    newest = served.ask("GET", "/v1/assessments?identity=ann@example.com&limit=2").json()
    assert [a["id"][-1] for a in newest["assessments"]] == ["4", "3"]
    more = served.ask(
        "GET", f"/v1/assessments?identity=ann@example.com&limit=2&cursor={newest['next']}"
    ).json()
    assert [a["id"][-1] for a in more["assessments"]] == ["2", "1"]
    until = served.ask("GET", f"/v1/assessments?until={NOW - 60_000 + 1}").json()["assessments"]
    assert [a["id"][-1] for a in until] == ["0"]
    assert not served.ask("GET", "/v1/assessments?min_risk=99").json()["assessments"]
    assert not served.ask("GET", "/v1/assessments?finding=true").json()["assessments"]
    event_id = newest["assessments"][0]["id"]
    assert served.ask("GET", f"/v1/assessments/{event_id}").json() == newest["assessments"][0]


def test_metrics_count_what_happened(served: Served) -> None:
    served.ask("POST", "/v1/assess", json=login())
    served.ask("POST", "/v1/events", content=b"{broken\n")
    text = served.ask("GET", "/metrics").text
    assert 'quivive_logins_total{kind="human"} 1.0' in text
    assert 'quivive_records_total{outcome="reject",source="http"} 1.0' in text
    assert 'route="/v1/assess",status="200"' in text
    for number, name in enumerate(
        ("anomalous_login_ratio", "false_positive_ratio", "detection_seconds",
         "remediations", "contained_logins", "anomalous_login_ratio", "user_impact_ratio",
         "alerts", "precision_ratio", "recall_ratio"), 1,
    ):  # fmt: skip
        sending_only = number == 4
        assert sending_only or f"quivive_{name}" in text, f"M{number}"


@pytest.mark.parametrize("name", ["repo:example/shop", "arn:aws:iam::1:role/a/b", "/", "a//b"])
def test_names_and_ids_with_slashes_are_found(served: Served, name: str) -> None:
    record = login(user=name)
    given = served.ask("POST", "/v1/assess", json=record).json()
    for path in (quote(given["id"]), quote(given["id"], safe="")):
        assert served.ask("GET", f"/v1/assessments/{path}").json() == given
    found = served.ask("GET", f"/v1/identities/{quote(name, safe='')}")
    assert found.json()["identity"] == name
    assert served.ask("GET", "/v1/identities/").status_code == 404


def test_an_identity_is_found_however_it_is_spelled(served: Served) -> None:
    served.ask("POST", "/v1/assess", json=login(user="Ann@Example.com"))
    for name in ("ann@example.com", "Ann@Example.com", "ANN@EXAMPLE.COM"):
        found = served.ask("GET", f"/v1/identities/{name}")
        assert found.json()["identity"] == "ann@example.com"
        assert found.json()["logins"] == 1


# --- bad input


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    found = Served(tmp_path_factory.mktemp("shared") / "state")
    yield found
    found.close()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 422),
        (b"{", 422),
        (b"[1, 2]", 422),
        (b'{"class_uid": 3002, "category_uid": 3, "time": 1e400}', 422),
        (b'{"class_uid": 3002, "category_uid": 3, "time": 99999999999999999999}', 422),
        (json.dumps(login(time=NOW + 3 * DAY)).encode(), 422),
        (json.dumps(login(time=1_000_000)).encode(), 422),
        (ndjson(login(0), login(1)), 422),
        (json.dumps({**login(), "user": {}}).encode(), 422),
        (b"[" * 100_000, 422),
        (b"\xff\xfe\x00" * 9, 422),
        (b"x" * (256 << 10) + b"x", 413),
        (json.dumps({**login(), "activity_id": 2}).encode(), 422),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_no_login_is_refused(shared: Served, body: bytes, status: int) -> None:
    answer = shared.ask("POST", "/v1/assess", content=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert shared.ask("POST", "/v1/assess", json=login(5)).status_code == 200


def test_what_is_not_recognised_says_what_would_be(shared: Served) -> None:
    detail = shared.ask("POST", "/v1/assess", json={"user": "ann"}).json()["detail"]
    assert detail.startswith("recognised by no log source: send an OCSF Authentication object")
    assert "?source=, one of alb, atlassian, auth0, " in detail


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_that_is_too_long_is_read_so_that_the_answer_is(declared: bool) -> None:
    left = [b"x" * 1_000] * 100

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": left.pop(), "more_body": bool(left)}

    headers = [(b"content-length", b"100000")] if declared else []
    request = HttpRequest({"type": "http", "headers": headers}, receive)
    with pytest.raises(Problem) as refused:
        asyncio.run(request.body(10_000))
    assert refused.value.status == 413
    assert not left


def test_a_body_that_would_never_end_is_not_read_to_its_end() -> None:
    came = 0

    async def receive() -> dict[str, Any]:
        nonlocal came
        came += 1
        return {"type": "http.request", "body": b"x" * (1 << 20), "more_body": True}

    request = HttpRequest({"type": "http", "headers": []}, receive)
    with pytest.raises(Problem):
        asyncio.run(request.body(10_000))
    assert came < 100
    expecting = [(b"content-length", b"100000"), (b"expect", b"100-continue")]
    came = 0
    with pytest.raises(Problem):  # it waits for leave to send: nothing to read
        asyncio.run(HttpRequest({"type": "http", "headers": expecting}, receive).body(10_000))
    assert came == 0


@pytest.mark.parametrize(
    "name",
    ["a\0b", "\u202eevil", "<script>alert(1)</script>", "x" * 5_000, "a\r\nset-cookie: b", "🦊",
     NOISE, f"{NOISE}@example.com", "🦊" + NOISE * 3],
    ids=lambda name: ascii(name)[:20],
)  # fmt: skip
def test_hostile_names_are_judged_and_read_back(where: str, name: str) -> None:
    served = Served(where)
    try:
        record = {**login(user=name), "metadata": login()["metadata"]}
        answer = served.ask("POST", "/v1/assess", json=record)
        assert answer.status_code == 200, answer.text
        listed = served.ask("GET", "/v1/assessments").json()["assessments"]
        assert listed == [answer.json()]
    finally:
        served.close()


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=x", "limit=1&limit=2", "cursor=%00", "cursor=e30=", "since=-1", "what=1",
     "min_risk=nan", "min_risk=101", "finding=perhaps", "a" * 5_000],
)  # fmt: skip
def test_wrong_queries_are_refused(shared: Served, query: str) -> None:
    answer = shared.ask("GET", f"/v1/assessments?{query}")
    assert answer.status_code in (400, 414)
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json()
    assert set(said) == {"title", "status", "detail", "request_id"}
    assert said["status"] == answer.status_code
    for decoder in ("Expected", "$", "`", "Struct", "Object"):
        assert decoder not in said["detail"]


TIME = "a whole number from 0 to 253,402,300,799,999 (milliseconds since 1970, UTC)"
LIMIT = "a whole number from 1 to 1,000"
KNOWN = "identity, since, until, min_risk, finding, limit, cursor"
NEXT = "cursor: give what stands as next in the page before, as it is"
LONG = f"'{'x' * 60}…' was given; a text of at most 1,024 characters is wanted"


@pytest.mark.parametrize(
    ("path", "details"),
    [
        ("assessments?limit=many", [f"limit: 'many' was given; {LIMIT} is wanted"]),
        ("assessments?limit=", [f"limit: nothing was given; {LIMIT} is wanted"]),
        ("assessments?since=2026-11-22&finding=perhaps",
         [f"since: '2026-11-22' was given; {TIME} is wanted",
          "finding: 'perhaps' was given; true or false is wanted"]),
        ("assessments?min_risk=101",
         ["min_risk: '101' was given; a number from 0 to 100 is wanted"]),
        ("assessments?min_risk=nan",
         ["min_risk: 'nan' was given; a number from 0 to 100 is wanted"]),
        ("assessments?lim%0Ait=1", [f"lim\\nit: no such parameter; there are {KNOWN}"]),
        ("assessments?limit=1&limit=2&since=3", ["limit: give each one once"]),
        ("assessments?cursor=e30=", [NEXT]),
        (f"assessments?identity={'x' * 2_000}", [f"identity: {LONG}"]),
        ("incidents?status=odd&priority=P9&limit=0",
         ["status: 'odd' was given; one of acknowledged, closed, open is wanted",
          "priority: 'P9' was given; one of P1, P2, P3, P4 is wanted",
          f"limit: '0' was given; {LIMIT} is wanted"]),
    ],
)  # fmt: skip
def test_a_wrong_query_is_told_in_the_words_of_the_api(
    shared: Served, path: str, details: list[str]
) -> None:
    assert shared.ask("GET", f"/v1/{path}").json()["detail"] == "; ".join(details)


def test_a_wrong_budget_for_an_answer_is_told_likewise(shared: Served) -> None:
    wanted = "'soon' was given; a whole number from 1 to 60,000 is wanted"
    for where, name in (({}, "budget_ms"), ({"quivive-budget-ms": "soon"}, "quivive-budget-ms")):
        query = "" if where else "?budget_ms=soon"
        answer = shared.ask("POST", f"/v1/assess{query}", json=login(), headers=where)
        assert answer.status_code == 400
        assert answer.json()["detail"] == f"{name}: {wanted}"
