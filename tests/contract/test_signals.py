"""The contract every signal keeps: over any login, met with an empty history and a full one."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from math import isfinite

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quivive.app.registry import signals
from quivive.baseline.backoff import Levels
from quivive.baseline.observation import Observation
from quivive.baseline.profile import Scene
from quivive.engine.engine import Engine
from quivive.engine.state import State
from quivive.enrich.enricher import Enricher
from quivive.enrich.lists import AddressLists
from quivive.model.assessment import Evidence
from quivive.model.event import (
    Activity,
    Actor,
    AuthEvent,
    Endpoint,
    Session,
    Status,
    Unmapped,
    User,
    UserType,
)
from quivive.model.rule import LEVELS, RuleMatch
from quivive.scoring.stories import GROUPS
from quivive.scoring.weigh import weigh
from quivive.signals.signal import Feature, Missing, Signal
from tests.scenario import company as story

SIGNALS = signals()
EACH = pytest.mark.parametrize("signal", SIGNALS, ids=[s.name for s in SIGNALS])
ATTACK_ID = re.compile(r"T\d{4}(\.\d{3})?")
# What an identity's own history alone can say, when the record itself says nothing.
OF_HISTORY = {"failures", "mfa_denials", "refused_calls", "recovery"}
OF_ANY_RECORD = {"log", "hour", "weekday", "schedule", "device", "absence", "interval"}
# What is named as not evaluable wherever the record says nothing of it.
NAMED = {"country", "city", "network", "address", "client"}
# Facts that need no count: somebody's word, not a statistic.
COUNTLESS = {"leaked_credential", "interactive_service", "recovery"} | {
    *("sigma_critical", "sigma_high", "sigma_medium", "sigma_low"),
}


@EACH
def test_it_describes_itself(signal: Signal) -> None:
    module = f"quivive.signals.{signal.name}"
    assert __import__(module, fromlist=["SIGNAL"]).SIGNAL is signal
    assert signal.title.strip() == signal.title
    assert signal.title
    assert signal.tells
    assert all(re.fullmatch(r"[a-z_]+", told) and text.endswith(".")
               for told, text in signal.tells.items())  # fmt: skip
    assert signal.attack
    assert all(ATTACK_ID.fullmatch(technique) for technique in signal.attack)
    assert signal.group in GROUPS
    assert signal.features is not None or signal.evidence is not None


def test_no_two_signals_tell_the_same() -> None:
    told = [name for signal in SIGNALS for name in signal.tells]
    assert len(told) == len(set(told))


@cache
def empty() -> State:
    return State()


@cache
def filled() -> State:
    """The story's company in the middle of a takeover, with failures, a reset and a session."""
    made = story.company()
    for day, hour in ((42, 20), (43, 1)):
        made.sees(
            [
                story.login(who, story.at(day, hour) + n * 60_000, place, agent=None, mfa=None,
                            status=Status.FAILURE)
                for n, place in enumerate(story.FAR)
                for who in ("dana", "eric", "ca1", "ca2")
            ]
        )  # fmt: skip
    made.sees(
        [
            changed(story.usual(story.DANA, story.at(43, 2)), activity_id=Activity.OTHER,
                    activity_name="Password Reset"),
            changed(story.usual(story.DANA, story.at(43, 2.1)), session=Session(uid="s-1")),
            changed(story.usual(story.DANA, story.at(43, 2.2)), activity_id=Activity.OTHER,
                    activity_name="MFA Challenge", status_id=Status.FAILURE),
        ]
    )  # fmt: skip
    return made.engine.state


def changed(event: AuthEvent, **fields: object) -> AuthEvent:
    """The event with other fields."""
    return msgspec.structs.replace(event, **fields)


def maybe(*known: str) -> st.SearchStrategy[str | None]:
    """None, something the company knows, or something it never saw."""
    return st.one_of(st.none(), st.sampled_from(known), st.text("aZ9é", min_size=1, max_size=9))


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    soon = st.integers(story.at(43), story.at(45))
    time = draw(st.integers(story.at(-400), story.at(900)) | soon)
    ip = draw(st.sampled_from([None, story.TORONTO.ip(), story.FAR[0].ip(), "2001:db8::1"]))
    point = draw(st.none() | st.tuples(st.floats(-90, 90), st.floats(-180, 180)))
    return Observation(
        time=time,
        identity=draw(st.sampled_from([story.DANA.email, "new@example.com", story.BACKUP])),
        kind=draw(st.sampled_from(["human", "service"])),
        log=draw(st.sampled_from(["signIns", "signIns/background", "auth.log", "aws"])),
        outcome=draw(st.sampled_from(["success", "failure", "interrupt"])),
        accepted=draw(st.booleans()),
        hour=time // 3_600_000 % 24,
        weekday=(time // 86_400_000 + 3) % 7,
        around=draw(st.sampled_from([None, "MFA Challenge", "Password Reset"])),
        interactive=draw(st.booleans()),
        ip=ip,
        public=draw(st.booleans()),
        network=draw(maybe("70.24.10.0/24", "105.112.3.0/24")),
        country=draw(maybe("CA", "NG", "RO")),
        region=draw(maybe("Ontario")),
        city=draw(maybe("Toronto", "Lagos")),
        lat=point and point[0],
        long=point and point[1],
        asn=draw(maybe("577", "29465")),
        as_name=draw(maybe("Bell Canada")),
        network_kind=draw(st.sampled_from([None, "hosting", "vpn", "tor", "mobile", "else"])),
        bad_address=ip is not None and draw(st.booleans()),
        os=draw(maybe("macOS", "Linux")),
        browser=draw(maybe("Chrome", "Firefox")),
        tool=draw(st.booleans()),
        device=draw(maybe("dev-dana", "dev-eric")),
        managed=draw(st.booleans()),
        tls=draw(maybe("ja4")),
        application=draw(maybe("Office 365", "SharePoint")),
        host=draw(maybe("web-1")),
        operation=draw(maybe("s3:ListBuckets")),
        resource=draw(maybe("secrets")),
        role=draw(maybe("admin")),
        runner=draw(maybe("ci-1")),
        credential=draw(maybe("AKIA1")),
        session=draw(maybe("s-1")),
        protocol=draw(maybe("OAuth")),
        mfa=draw(st.sampled_from([None, "fresh", "claim", "single", "phishing-resistant"])),
        denied=draw(st.booleans()),
        vendor_risk=draw(st.sampled_from([None, "low", "high", "leakedCredentials", "odd"])),
        count=draw(st.integers(1, 10_000)),
    )


def met(state: State, login: Observation) -> tuple[Scene, Levels]:
    return state.scene(login, state.profile(login.identity))


def says(signal: Signal, login: Observation, scene: Scene, levels: Levels) -> Iterator[object]:
    for of in (signal.features, signal.evidence):
        if of is not None:
            yield from of(login, scene, levels)


ANY_LOGIN = settings(suppress_health_check=[HealthCheck.too_slow])


def check(signal: Signal, said: object, levels: Levels) -> None:
    """What every feature, missing and evidence owes."""
    if isinstance(said, Missing):
        assert said.what, signal.name
        assert re.fullmatch(r"[a-z_]+", said.signal)
        return
    assert isinstance(said, (Feature, Evidence)), signal.name
    assert said.signal in signal.tells
    assert all(ATTACK_ID.fullmatch(technique) for technique in said.attack)
    if isinstance(said, Evidence):
        told = said
        assert isfinite(said.weight), said
        assert 0 <= said.weight <= 6, said
        assert said.pinned is None or 0 < said.pinned <= 100
    elif said.weigh:
        found = weigh(said, levels)
        assert -3 <= found.weight <= 6, said
        assert 0 <= found.explained <= max(0.0, found.weight), said
        assert said.attack, said
        told = found.as_evidence(levels)
    else:
        return
    assert told.text.isprintable(), told
    assert told.text.strip() == told.text != ""
    assert told.signal in COUNTLESS or re.search(r"\d", told.text), told


@pytest.mark.parametrize("history", [empty, filled], ids=["empty", "filled"])
@settings(ANY_LOGIN, max_examples=100)
@given(login=observations())
def test_any_login_is_judged_within_bounds(
    history: Callable[[], State], login: Observation
) -> None:
    scene, levels = met(history(), login)
    for signal in SIGNALS:
        for said in says(signal, login, scene, levels):
            check(signal, said, levels)


@settings(ANY_LOGIN, max_examples=60)
@given(login=observations())
def test_no_signal_changes_what_it_looks_at(login: Observation) -> None:
    scene, levels = met(filled(), login)
    before = msgspec.msgpack.encode((scene, levels))
    first = [list(says(signal, login, scene, levels)) for signal in SIGNALS]
    assert msgspec.msgpack.encode((scene, levels)) == before
    assert [list(says(signal, login, scene, levels)) for signal in SIGNALS] == first


def bare(identity: str, kind: str = "human") -> Observation:
    """A login that says no more than who, when and in which log."""
    return Observation(
        time=story.at(43, 15), identity=identity, kind=kind, log="signIns", outcome="success",
        accepted=True, hour=15, weekday=1,
    )  # fmt: skip


@EACH
@pytest.mark.parametrize("kind", ["human", "service"])
def test_what_the_record_does_not_say_is_missing_and_never_evidence(
    signal: Signal, kind: str
) -> None:
    login = bare("nobody@example.com", kind)
    assert not [s for s in says(signal, login, *met(empty(), login)) if isinstance(s, Evidence)]
    login = bare(story.DANA.email, kind)
    for said in says(signal, login, *met(filled(), login)):
        if isinstance(said, Evidence):
            assert said.signal in OF_HISTORY
        elif isinstance(said, Feature) and said.weigh:
            assert said.signal in OF_ANY_RECORD


@pytest.mark.parametrize(
    ("said_of", "expected"),
    [
        ({}, {"country", "address", "client"}),
        ({"ip": "192.0.2.1", "public": True}, {"country", "network", "client"}),
        ({"ip": "10.1.1.1", "public": False}, {"country", "client"}),
        ({"ip": "192.0.2.1", "public": True, "country": "CA"}, {"city", "network", "client"}),
        ({"os": "Linux"}, {"country", "address"}),
    ],
)
def test_what_is_not_evaluable_is_named(said_of: dict[str, object], expected: set[str]) -> None:
    login = msgspec.structs.replace(bare(story.DANA.email), **said_of)
    scene, levels = met(filled(), login)
    said = {
        s.signal for signal in SIGNALS for s in says(signal, login, scene, levels)
        if isinstance(s, Missing)
    }  # fmt: skip
    assert said & NAMED == expected


def test_everything_a_signal_tells_is_told_by_some_login(tmp_path) -> None:  # type: ignore[no-untyped-def]
    """One story in which each sentence of ``tells`` comes true at least once."""
    (tmp_path / "bad.txt").write_text("198.51.100.66\n")
    engine = Engine(State(), Enricher(None, AddressLists.open(tmp_path)), SIGNALS)
    told: dict[str, int] = {}
    gather = engine.gathering.one

    def listening(login: Observation, scene: Scene, levels: Levels):  # type: ignore[no-untyped-def]
        features, gathered = gather(login, scene, levels)
        for said in [*(f for one in features for f in one), *gathered.evidence]:
            told[said.signal] = told.get(said.signal, 0) + 1
        return features, gathered

    engine.gathering.one = listening  # type: ignore[method-assign]
    dana, machine = story.DANA, story.BACKUP
    rich = Unmapped(
        operation="s3:ListBuckets", resource="secrets", role="admin", runner="ci-1",
        tls_fingerprint="ja4", vendor_risk="high",
        sigma=tuple(RuleMatch(id=level, title=level, level=level) for level in LEVELS),
    )  # fmt: skip
    key = User(name=machine, type_id=UserType.SERVICE, credential_uid="AKIA1")
    events = [
        *story.ordinary(0, 12, people=story.PEOPLE[:8]),
        *[story.backup_run(day, hour=hour) for day in range(12) for hour in (1.0, 2.0)],
        *[
            story.login(person.name, story.at(14, 20) + n * 1000, story.FAR[0], mfa=None,
                        agent=None, status=Status.FAILURE)
            for n, person in enumerate((*story.PEOPLE, *story.PEOPLE[:2]))
        ],
        changed(story.usual(dana, story.at(15, 0.1)), activity_id=Activity.OTHER,
                activity_name="MFA Challenge", status_id=Status.FAILURE),
        changed(story.usual(dana, story.at(15, 0.2)), activity_id=Activity.OTHER,
                activity_name="Factor Enroll"),
        changed(story.backup_run(15, hour=0.3), status_id=Status.FAILURE,
                status_code="AccessDenied",
                unmapped=Unmapped(operation="s3:Get", credential_accepted=True)),
        changed(story.backup_run(15, hour=0.4), user=key, unmapped=rich),
        changed(story.backup_run(15, hour=0.5), dst_endpoint=Endpoint(hostname="web-1")),
        changed(story.backup_run(15, hour=0.6), unmapped=Unmapped(operation="iam:CreateUser")),
        changed(story.backup_run(15, hour=0.7), unmapped=Unmapped(operation="list secrets")),
        *[
            story.login("ca4", story.at(16, 3) + n * 1000, story.FAR[1], ip="198.51.100.77",
                        status=Status.FAILURE if n < 20 else Status.SUCCESS)
            for n in range(21)
        ],
        changed(story.usual(dana, story.at(10, 15.5)), session=Session(uid="s-1")),
        changed(story.usual(dana, story.at(10, 15.7), story.LISBON, agent=story.CHROME_WINDOWS,
                            device=None),
                session=Session(uid="s-1")),
        story.login(dana.name, story.at(15, 15.1), story.FAR[0], agent="-", mfa=False),
        story.login("eric", story.at(15, 15.2), story.FAR[0], agent="-", mfa=False),
        story.login("ca1", story.at(15, 15.3), story.FAR[1], ip="198.51.100.66"),
        changed(story.usual(dana, story.at(15, 16)),
                unmapped=Unmapped(vendor_risk="leakedCredentials")),
        story.login(machine, story.at(15, 17), story.OFFICE, kind=UserType.SERVICE),
        story.login("ca2", story.at(15, 18), story.TORONTO, device=None),
        changed(story.backup_run(15, hour=21.5), actor=Actor(user=User(name="eric"))),
        changed(story.usual(dana, story.at(15, 21)), dst_endpoint=Endpoint(hostname="web-1")),
        story.usual(dana, story.at(80, 15)),
        *[
            changed(story.backup_run(day, hour=3), session=Session(uid="k-1"), src_endpoint=where,
                    user=User(name="svc-calls", type_id=UserType.SERVICE),
                    unmapped=Unmapped(operation="s3:Get"))
            for day in range(12)
            for where in [Endpoint(ip=(story.VANCOUVER if day == 11 else story.OFFICE).ip())]
        ],
    ]  # fmt: skip
    hosting = changed(
        story.login("ca3", story.at(15, 19), story.FAR[2]),
        unmapped=Unmapped(network_kind="hosting"),
    )
    abroad = story.login(dana.name, story.at(11, 3), story.FAR[3])
    cluster = changed(abroad, metadata=changed(abroad.metadata, log_name="audit", uid="a1"))
    for event in story.in_order(events, [hosting, cluster]):
        engine.step(event)
    wanted = {name for signal in SIGNALS for name in signal.tells}
    assert wanted - set(told) == set()
