"""From scored lines to incidents in the store, to the outbox, and to the audit trail."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from click.testing import CliRunner
from joserfc.jwk import OKPKey

from quivive.app.audit import verify
from quivive.app.errors import UsageError
from quivive.app.incidents import (
    Desk,
    act,
    containment_failed,
    decision_entries,
    judged,
    known_of,
    rebuild,
)
from quivive.app.notices import Known
from quivive.app.notifying import KIND
from quivive.app.wire import Outside
from quivive.cli.main import cli
from quivive.engine.state import State
from quivive.model.notification import Notification
from quivive.model.verdict import Verdict
from quivive.notify.notifier import Append, NotDeliveredError, Post
from quivive.store import audit
from quivive.store.audit import Filters, Trail
from quivive.store.database import Batch, Row, Store, StoreError
from quivive.store.incidents import Incidents
from quivive.store.outbox import StoredOutbox

T0 = 1_790_000_000_000
MINUTE = 60_000


def line(number: int, *, identity: str = "dana@example.com", finding: bool = True, **kw: Any):
    ip = kw.pop("ip", "91.92.1.130" if finding else "70.24.10.7")
    found = {
        "event": {
            "time": T0 + number * MINUTE,
            "activity_id": 1,
            "status_id": 1,
            "user": {"name": identity, "type_id": kw.pop("type_id", 1)},
            "metadata": {"version": "1.8.0", "product": {"name": "Entra ID"}},
            "service": {"name": kw.pop("service", "Outlook")},
            "src_endpoint": {
                "ip": ip,
                "location": {"city": "Bucharest" if finding else "Toronto", "country": "RO"},
                "autonomous_system": {"number": 9050, "name": "Orange"},
            },
            "http_request": {"user_agent": "Chrome/144.0"},
        },
        "risk_score": 70.0 if finding else 3.0,
        "risk_level": "high" if finding else "low",
        "confidence": 0.9,
        "reasons": [
            {"signal": "country", "text": "country RO", "weight": 4.0, "attack": ["T1078"]}
        ],
        "decision": {"action": "step_up", "mode": "enforce", "rule": "default/high-step-up"},
        "id": f"e{number}",
        "identity": identity,
        "identity_kind": "human",
        "finding": finding,
    }
    return json.dumps(found | kw).encode()


def keep(store: Store, desk: Desk, *lines: bytes) -> None:
    """What a batch does: rows first, then the desk, in one transaction."""
    rows = []
    for body in lines:
        said = json.loads(body)
        rows.append(
            Row(said["id"], said["event"]["time"], said["identity"], said["risk_score"], body,
                finding=said["finding"])
        )  # fmt: skip
        desk.take(body)
    store.commit(Batch(rows=rows, also=[lambda c: desk.write(c, T0)]))
    desk.kept()


def notes(store: Store) -> list[Notification]:
    rows = StoredOutbox(store, KIND).rows()
    found = [msgspec.json.decode(row.body, type=Notification) for row, _, _ in rows]
    return sorted(found, key=lambda n: (n.time, n.key))


def test_a_finding_is_told_with_the_login_before(store: Store) -> None:
    desk = Desk(store)
    keep(store, desk, line(1, finding=False), line(2, finding=False, service="Teams"), line(3))
    (note,) = notes(store)
    assert (note.what, note.identity, note.event_id) == ("opened", "dana@example.com", "e3")
    assert note.login is not None
    assert note.previous is not None
    assert (note.login.place, note.previous.place) == ("Bucharest, RO", "Toronto, RO")
    assert note.previous.time == T0 + 2 * MINUTE
    assert note.login.network == "AS9050 Orange"
    assert note.decision == "step_up (enforce, default/high-step-up)"
    assert note.runbook == "docs/runbooks/takeover.md"
    assert note.attack == ("T1078",)


def test_a_repeat_that_is_worse_makes_the_incident_worse(store: Store) -> None:
    desk = Desk(store)
    keep(store, desk, line(1))
    keep(store, desk, line(2, finding=False, risk_score=48.0, undamped=97.0, repeated=2))
    (incident,) = desk.book.incidents.values()
    assert (incident.risk, incident.best, incident.count) == (97.0, "e2", 2)
    assert [(n.what, n.risk_score) for n in notes(store)] == [("opened", 70.0), ("raised", 97.0)]
    # What is no worse, no repeat, or of nobody with an incident is left alone.
    keep(
        store,
        desk,
        line(3, finding=False, risk_score=41.0, undamped=91.0, repeated=2),
        line(4, finding=False, risk_score=41.0, undamped=99.0),
        line(5, identity="erin@example.com", finding=False, undamped=99.0, repeated=1),
    )
    assert (incident.risk, incident.count) == (97.0, 2)
    assert len(desk.book.incidents) == 1


def test_a_restart_goes_on_where_it_was(store: Store) -> None:
    keep(store, Desk(store), line(3))
    keep(store, Desk(store), line(4), line(5, identity="eric@example.com"))
    (incident,) = Incidents(store).listed()
    assert incident.count == 3
    assert incident.campaign
    assert [n.what for n in notes(store)] == ["opened", "raised"]
    assert [f[0] for f in Incidents(store).findings(incident.id)] == ["e3", "e4", "e5"]


def test_a_batch_that_failed_is_written_again(store: Store) -> None:
    desk = Desk(store)
    desk.take(line(3))
    with store.reading() as connection, connection.begin() as transaction:
        desk.write(connection, T0)
        transaction.rollback()
    assert Incidents(store).listed() == []
    store.commit(Batch(also=[lambda c: desk.write(c, T0)]))
    desk.kept()
    assert len(notes(store)) == 1
    store.commit(Batch(also=[lambda c: desk.write(c, T0)]))
    assert len(notes(store)) == 1


def test_what_is_merged_takes_its_findings_along(store: Store) -> None:
    desk = Desk(store)
    keep(store, desk, line(1, ip="91.1.1.1"), line(2, identity="eric@example.com", ip="92.2.2.2"))
    keep(store, desk, line(3, identity="eric@example.com", ip="91.1.1.1"))
    (incident,) = Incidents(store).listed()
    assert len(Incidents(store).findings(incident.id)) == 3


def test_history_is_grouped_without_telling_anybody(store: Store) -> None:
    desk = Desk(store, tell=False)
    keep(store, desk, line(3))
    assert notes(store) == []
    assert len(Incidents(store).listed()) == 1


def test_a_shared_address_joins_nobody(store: Store) -> None:
    desk = Desk(store, Known(shared=lambda _: True))
    keep(store, desk, line(1), line(2, identity="eric@example.com"))
    assert len(Incidents(store).listed()) == 2


def test_private_addresses_join_nobody(store: Store) -> None:
    desk = Desk(store)
    keep(store, desk, line(1, ip="10.0.0.7"), line(2, identity="eric@example.com", ip="10.0.0.7"))
    assert len(Incidents(store).listed()) == 2


def test_what_is_known_of_nobody() -> None:
    known = known_of(State())
    assert known.reach("nobody") == 1
    assert not known.shared("192.0.2.1")
    assert known.silencing(("c1",)) is None


def test_failed_containment_marks_the_incident_and_is_told_once(store: Store) -> None:
    desk = Desk(store)
    keep(store, desk, line(3))
    (before,) = Incidents(store).listed()
    act(store, before.id, "ana", "", T0 + MINUTE, close=False)
    told = notes(store)
    containment_failed(store, "e3", T0 + 9 * MINUTE, "Okta refused")
    containment_failed(store, "e3", T0 + 9 * MINUTE, "again")
    containment_failed(store, "unknown", T0 + 9 * MINUTE, "?")
    (after,) = Incidents(store).listed()
    assert (after.containment_failed, after.priority, after.route) == (True, "P1", "page")
    assert (before.status, after.status) == ("open", "open"), "acknowledged is not contained"
    assert "containment failed: Okta refused" in [note.text for note in after.notes]
    assert notes(store) == told, "the page is the responder's own"


def test_decisions_are_recorded_but_for_allow() -> None:
    allowed = {"decision": {"action": "allow", "mode": "enforce", "rule": "default/allow"}}
    found = decision_entries([line(1, **allowed), line(2)])
    assert [(e.action, e.subject, e.actor) for e in found] == [("decision:step_up", "e2", "policy")]
    assert found[0].details["rule"] == "default/high-step-up"


# --- people


def test_acknowledging_and_closing_are_recorded(store: Store) -> None:
    keep(store, Desk(store), line(3))
    (incident,) = Incidents(store).listed()
    act(store, incident.id, "ana", "looking", T0 + 8 * MINUTE, close=False)
    act(store, incident.id, "ana", "her new phone", T0 + 9 * MINUTE, close=True)
    kept = Incidents(store).get(incident.id)
    assert kept is not None
    assert (kept.status, kept.acknowledged_by) == ("closed", "ana")
    recorded = [r.action for r in Trail(store).records(Filters(action="incident"))]
    assert recorded == ["incident:acknowledged", "incident:closed"]
    assert notes(store)[-1].what == "closed"
    counts = Incidents(store).counts()
    assert (counts["closed"], counts["told"], counts["acknowledged_ever"]) == (1, 2, 1)
    with pytest.raises(UsageError, match="no open incident"):
        act(store, incident.id, "ana", "", T0, close=False)


def test_a_verdict_closes_or_acknowledges(store: Store) -> None:
    keep(store, Desk(store), line(3), line(200, identity="eric@example.com", ip="92.2.2.2"))
    for event_id, kind in (("e3", "false_positive"), ("e200", "true_positive")):
        judged(store, [Verdict(event_id=event_id, kind=kind, by="ana", why="x", when=T0)])
    found = {next(iter(i.identities)): i.status for i in Incidents(store).listed()}
    assert found == {"dana@example.com": "closed", "eric@example.com": "acknowledged"}


def test_grouping_anew_keeps_what_people_said(store: Store) -> None:
    keep(store, Desk(store), line(3), line(4))
    (before,) = Incidents(store).listed()
    act(store, before.id, "ana", "looking", T0 + MINUTE, close=False)
    assert rebuild(store) == 2
    (after,) = Incidents(store).listed()
    assert (after.id, after.status, after.acknowledged_by) == (before.id, "acknowledged", "ana")
    assert after.count == 2
    assert len(after.notes) == 1


def run(*words: str) -> "tuple[int, str]":
    found = CliRunner().invoke(cli, list(words))
    return found.exit_code, found.output


def test_the_commands(store: Store, tmp_path: Path) -> None:
    state = str(store.folder)
    assert "no incident" in run("incidents", "list", "--state", state)[1]
    keep(store, Desk(store), line(3))
    (incident,) = Incidents(store).listed()
    _, said = run("incidents", "list", "--state", state)
    assert incident.id in said
    assert "dana@example.com" in said
    _, said = run("incidents", "list", "--state", state, "--json")
    assert json.loads(said)["id"] == incident.id
    assert run("incidents", "ack", incident.id, "--state", state, "--by", "ana")[0] == 0
    _, said = run("incidents", "show", incident.id, "--state", state)
    assert "acknowledged by ana" in said
    assert "e3" in said
    file = tmp_path / "q.yaml"
    findings = tmp_path / "findings.ndjson"
    file.write_text(
        "notify:\n  console: https://quivive.example.com\n  channels:\n"
        f"    - {{name: log, kind: ocsf, settings: {{file: {findings}}}}}\n"
    )
    code, said = run("incidents", "send", "--state", state, "--settings", str(file))
    assert (code, "1 delivered" in said) == (0, True)
    assert json.loads(findings.read_text())["finding_info"]["uid"] == incident.id
    run("incidents", "send", "--state", state, "--settings", str(file))
    assert len(findings.read_text().splitlines()) == 1
    code, said = run("incidents", "send", "--state", state, "--settings", str(file), "--dry-run")
    assert "done: 2" in said
    assert run("incidents", "resend", "--state", state)[0] == 0
    assert run("incidents", "close", incident.id, "--state", state, "--why", "x")[0] == 0
    assert run("incidents", "rebuild", "--state", state)[0] == 0


# --- the wire


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    wire = Outside()
    with pytest.raises(NotDeliveredError, match="No such file"):
        wire.append(Append(path=str(tmp_path / "none" / "x"), body=b"x\n"))


@pytest.mark.parametrize("address", ["127.0.0.1", "[::1]", "10.1.2.3", "169.254.169.254"])
def test_a_webhook_does_not_lead_inside(address: str) -> None:
    message = Post(url=f"http://{address}:9/secret", headers={}, body=b"{}")
    with pytest.raises(NotDeliveredError) as raised:
        Outside().post(message)
    assert not raised.value.again
    assert "secret" not in str(raised.value)


def test_the_whole_way_on_either_database(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Batch, restart, worker, acknowledgement, trail."""
    with Store(where) as store:
        key = OKPKey.generate_key("Ed25519")
        monkeypatch.setattr("quivive.app.audit.signing_key", lambda *_: key)
        keep(store, Desk(store), line(1, finding=False), line(3))
        keep(store, Desk(store), line(4, identity="eric@example.com"))
        (incident,) = Incidents(store).listed()
        act(store, incident.id, "ana", "looking", T0 + 9 * MINUTE, close=False)
        with store.transaction() as connection:
            audit.append(connection, decision_entries([line(3)]))
        assert [r.seq for r in Trail(store).records()] == [1, 2]
        found = verify(store, key)
        assert (found.broken, found.records, found.signed) == (None, 2, 1)
        for statement in ("UPDATE audit SET actor = 'x'", "DELETE FROM audit_checkpoints"):
            with pytest.raises(StoreError, match="append-only"), store.transaction() as connection:
                connection.execute(sa.text(statement))
        rows = StoredOutbox(store, KIND)
        assert len(rows.claim(T0, 10, 1000)) == 2
        assert rows.claim(T0, 10, 1000) == []
        assert len(rows.claim(T0 + 1000, 10, 1000)) == 2
        assert len(Incidents(store).findings(incident.id)) == 2
        assert Incidents(store).counts()["acknowledged_ever"] == 1
