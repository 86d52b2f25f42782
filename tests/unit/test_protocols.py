"""Published protocols on small files of their documented columns, written for this project."""

import gzip
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from quivive.app import protocols
from quivive.app.registry import sources
from quivive.inputs.framing import frame
from quivive.learn.protocols import lanl, rba
from quivive.learn.protocols.lanl_data import AuthLines, RedTeam, event_of, is_machine, red_team
from quivive.learn.protocols.ranking import Ranking, area_under_curve
from quivive.learn.protocols.rates import at_rate, reauthentication
from quivive.learn.protocols.rba_attackers import Pool, system_of
from quivive.learn.protocols.rba_data import COLUMNS, Login, Rows, taken_over
from quivive.learn.protocols.rba_data import event_of as rba_event
from quivive.learn.protocols.reading import lines, sampled
from quivive.learn.protocols.result import Judgement, ProtocolError, Result
from quivive.model.event import Activity, AuthEvent, Status, UserType
from quivive.model.record import RawRecord

DATA = Path(__file__).parent.parent / "data" / "protocols"
RBA, AUTH, REDTEAM = DATA / "rba-dataset.csv", DATA / "auth.txt", DATA / "redteam.txt"
DAY = 86_400


# Thresholds and ranks.


def test_a_threshold_stops_at_least_so_many_attacks() -> None:
    attacks = [float(n) for n in range(1, 11)]
    assert at_rate(attacks, 1.0) == 1.0
    assert at_rate(attacks, 0.9) == 2.0
    assert at_rate(attacks, 0.85) == 2.0
    assert at_rate(attacks, 0.0001) == 10.0


def test_reauthentication_counts_what_is_at_the_threshold() -> None:
    assert reauthentication([1.0, 2.0, 2.0, 3.0], 2.0) == 0.75
    assert reauthentication([1.0, 2.0], 5.0) == 0.0
    assert reauthentication([], 1.0) is None


def test_equals_share_the_last_of_their_places() -> None:
    ranking = Ranking()
    for score in (1.0, 5.0, 5.0, 9.0):
        ranking.add(score)
    ranking.close()
    assert [ranking.rank(score) for score in (9.0, 5.0, 1.0)] == [1, 3, 4]
    assert [ranking.threshold(budget) for budget in (0, 1, 2, 3)] == [None, 9.0, 9.0, 5.0]
    # 9 beats both fives and the one; one of the fives ties with the other.
    assert area_under_curve(ranking, [9.0], 3) == 1.0
    assert area_under_curve(ranking, [5.0], 3) == pytest.approx((1 + 0.5) / 3)
    assert area_under_curve(ranking, [9.0, 1.0], 2) == pytest.approx(2 / 4)
    assert area_under_curve(ranking, [], 4) is None


# The RBA data set.


def rba_rows() -> list[Login]:
    rows = Rows(RBA)
    return [login for row in rows if (login := rows.login(row)) is not None]


def test_the_event_of_a_row_is_what_the_field_map_gives() -> None:
    source = sources()["rba"]
    with RBA.open("rb") as stream:
        records = [r for r in frame(stream, "rba-dataset.csv") if isinstance(r, RawRecord)]
    logins = rba_rows()
    assert len(logins) == len(records) == 320
    for record, login in zip(records, logins, strict=True):
        mapped = source.parse(record)
        assert isinstance(mapped, AuthEvent)
        if login.ip is not None and login.ip.startswith("10."):
            continue
        made = rba_event(login, record.sequence)
        for field in ("time", "status_id", "src_endpoint", "http_request", "service"):
            assert getattr(made, field) == getattr(mapped, field), field
        assert made.user == mapped.user
        assert made.metadata.uid == mapped.metadata.uid


def test_made_up_private_addresses_are_read_as_public_ones() -> None:
    event = rba_event(rba_rows()[100])
    assert event.src_endpoint is not None
    assert event.src_endpoint.ip == "11.1.2.3"


def test_labels_and_absent_values_are_read() -> None:
    logins = rba_rows()
    assert [n for n, login in enumerate(logins) if login.takeover] == [250]
    assert logins[250].attack_ip
    assert logins[250].success
    assert taken_over(RBA) == {logins[250].user}
    assert taken_over(RBA, limit=250) == frozenset()
    assert {login.city for login in logins} == {None, "Oslo"}


def test_a_missing_column_is_named_with_file_and_line(tmp_path: Path) -> None:
    file = tmp_path / "other.csv"
    header = [name for name in COLUMNS if name not in ("ASN", "Is Attack IP")]
    file.write_text(",".join(header) + "\n")
    with pytest.raises(ProtocolError, match=r"other\.csv:1: no column 'ASN', 'Is Attack IP'; this"):
        protocols.rba(file)


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("Login Timestamp", "yesterday", "Login Timestamp: no time: 'yesterday'"),
        ("Login Successful", "maybe", "Login Successful: neither True nor False: 'maybe'"),
        ("Country", "NO,NO", "16 columns where the header has 15"),
    ],
)
def test_a_broken_row_is_counted_with_its_place(
    tmp_path: Path, column: str, value: str, reason: str
) -> None:
    good = dict.fromkeys(COLUMNS, "x") | {
        "Login Timestamp": "2020-02-03 12:43:30.772",
        **dict.fromkeys(("Login Successful", "Is Attack IP", "Is Account Takeover"), "False"),
    }
    file = tmp_path / "rba.csv"
    table = [
        ",".join(COLUMNS),
        ",".join(good.values()),
        ",".join((good | {column: value}).values()),
    ]
    file.write_text("\n".join(table) + "\n")
    rows = Rows(file)
    logins = [rows.login(row) for row in rows]
    assert logins[0] is not None
    assert logins[0].time == 1_580_733_810_772
    assert (rows.read, rows.broken) == (2, 1)
    assert rows.first_broken == [f"{file}:3: {reason}"]


def login(user: str, ip: str = "a", **changes: object) -> Login:
    made = Login(
        uid="1", time=0, user=user, ip=ip, country="NO", region=None, city=None, asn="1",
        agent=f"agent of {user}", browser="Chrome 80.0", os="Windows 10", device="desktop",
        success=True, attack_ip=False, takeover=False,
    )  # fmt: skip
    return made._replace(**changes)


def test_attackers_know_what_they_are_said_to_know() -> None:
    pool = Pool()
    victim = login("victim", "home", asn="7", os="Windows 10")
    pool.flagged(login("a", "bad", country="RO", asn="9", os="Linux"))
    pool.ordinary(victim)
    pool.ordinary(login("far", "other country", country="SE", asn="3", os="Windows 7"))
    pool.ordinary(login("near", "same country", asn="4", os="iOS 13.4", device="mobile"))
    pool.ordinary(login("next", "same operator", country="NO", asn="7", os="iOS 13.4"))
    attacks = dict(pool.attacks(victim, 5))
    assert list(attacks) == list(rba.ATTACKERS)
    assert {(attack.user, attack.time) for attack in attacks.values()} == {("victim", 5)}
    naive, vpn, targeted, very = attacks.values()
    assert (naive.ip, naive.country, naive.agent) == ("bad", "RO", "agent of a")
    assert vpn.country == targeted.country == "NO"
    assert vpn.ip in ("same country", "same operator")
    assert vpn.agent == "agent of a"
    assert system_of(targeted) == system_of(victim) == "Windows|desktop"
    assert targeted.agent == "agent of far"  # never the victim's own
    assert (very.ip, very.agent) == ("same operator", "agent of victim")


def test_without_neighbours_an_attacker_stays_away() -> None:
    pool = Pool()
    pool.ordinary(login("victim"))
    assert pool.attacks(login("victim"), 0) == []


class Told:
    """A contender that scores an address as told, and writes down what it is given."""

    name = "told"

    def __init__(self, scores: dict[str, float]) -> None:
        self.scores = scores
        self.taken: list[Login] = []
        self.probed: list[Login] = []

    def _score(self, login: Login) -> float:
        return self.scores.get(login.country or "", 0.0)

    def take(self, login: Login) -> float:
        self.taken.append(login)
        return self._score(login)

    def probe(self, login: Login) -> float:
        self.probed.append(login)
        return self._score(login)


def cells(result: Result, table: int, **wanted: str) -> dict[str, object]:
    found = result.tables[table]
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    return next(row for row in rows if wanted.items() <= row.items())


def test_the_protocol_learns_legitimate_logins_and_only_probes_attacks() -> None:
    told = Told({"RO": 9.0})
    result = rba.run(RBA, [told], users=1.0)
    logins = rba_rows()
    legitimate = [login for login in logins if login.success and not login.attack_ip]
    assert [login for login in told.taken if login.success] == legitimate
    assert not any(login.takeover for login in told.taken)
    assert any(login.takeover for login in told.probed)
    # All naive attacks come from RO, where nobody lives: all stopped, nobody asked.
    naive = cells(result, 0, attacker="naive")
    assert naive["TPR 0.98"] == 0.0
    assert int(str(naive["attacks"])) > rba.FEWEST_ATTACKS
    # At the victims' own country nothing tells them apart: to stop them is to ask everybody.
    assert cells(result, 0, attacker="VPN")["TPR 0.98"] == 1.0
    assert cells(result, 0, attacker=rba.TAKEOVER)["TPR 0.98"] is None  # one is too few


def test_quivive_and_freeman_run_side_by_side() -> None:
    result = protocols.rba(RBA, users=1.0)
    methods = [row[1] for row in result.tables[0].rows]
    assert methods[:3] == ["Freeman, published", "Freeman, interpolated", "Quivive"]
    for name in methods[:3]:
        row = cells(result, 0, attacker="naive", method=str(name))
        shares = [share for key, share in row.items() if key.startswith("TPR")]
        assert all(isinstance(share, float) and share < 0.05 for share in shares)
    for curve in result.curves:
        assert all(x <= y for (x, _), (y, _) in pairwise(curve.points))
    assert result.notes[0] == "rba-dataset.csv: 320 rows, 100 % of the users."
    assert protocols.rba(RBA, users=1.0) == result


def test_probing_teaches_quivive_nothing() -> None:
    logins = [login for login in rba_rows() if login.success]
    probed, alone = protocols.QuiviveContender(), protocols.QuiviveContender()
    for known in logins[:100]:
        assert probed.take(known) == pytest.approx(alone.take(known), abs=1e-9)
        for other in logins[200:205]:
            probed.probe(other._replace(user=known.user, time=known.time))


def test_users_are_a_sample_but_victims_are_all_there() -> None:
    told = Told({})
    rba.run(RBA, [told], users=0.5)
    users = {login.user for login in rba_rows()}
    victims = taken_over(RBA)
    assert {login.user for login in told.taken} == {u for u in users if sampled(u, 0.5)} | victims
    assert 0 < len({u for u in users if sampled(u, 0.5)}) < len(users)


@pytest.mark.parametrize("users", [0.0, -1.0, 1.5])
def test_a_share_of_users_is_a_share(users: float) -> None:
    with pytest.raises(ProtocolError, match="no share"):
        protocols.rba(RBA, users=users)


def test_too_little_to_judge_is_said() -> None:
    with pytest.raises(ProtocolError, match="no user with two legitimate logins"):
        protocols.rba(RBA, users=1.0, limit=3)


# The files themselves.


def test_gzip_is_read_like_the_plain_file_and_progress_counts_bytes(tmp_path: Path) -> None:
    packed = tmp_path / "auth.txt.gz"
    packed.write_bytes(gzip.compress(AUTH.read_bytes()))
    told: list[int] = []
    assert list(lines(packed, told.append)) == AUTH.read_text().splitlines(keepends=True)
    assert sum(told) == packed.stat().st_size


def test_unreadable_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match=r"absent\.csv: cannot be read: No such file"):
        protocols.rba(tmp_path / "absent.csv")
    broken = tmp_path / "auth.txt.gz"
    broken.write_bytes(gzip.compress(AUTH.read_bytes())[:-400])
    with pytest.raises(ProtocolError, match=r"auth\.txt\.gz:\d+: gzip data break off"):
        list(lines(broken))
    archive = tmp_path / "rba.zip"
    archive.write_bytes(b"PK\x03\x04")
    with pytest.raises(ProtocolError, match="unpack it"):
        protocols.rba(archive)


# LANL.


def auth_lines(tmp_path: Path, *texts: str) -> AuthLines:
    file = tmp_path / "auth.txt"
    file.write_text("".join(text + "\n" for text in texts))
    return AuthLines(file)


def event(tmp_path: Path, text: str) -> AuthEvent:
    source = auth_lines(tmp_path, text)
    line = source.parse(next(iter(source)))
    assert line is not None
    return event_of(line, 1)


def test_a_line_becomes_an_event(tmp_path: Path) -> None:
    made = event(tmp_path, "1,U7@DOM1,U9@DOM1,C5,C6,Kerberos,Network,TGS,Success")
    assert made.time == 1_420_588_801_000  # a Wednesday, one second past midnight
    assert made.activity_id == Activity.SERVICE_TICKET
    assert made.user.name == "U7@DOM1"
    assert made.user.type_id == UserType.USER
    assert made.unmapped is not None
    assert made.unmapped.role == "U9@DOM1"
    assert made.device is not None
    assert made.device.hostname == "C5"
    assert made.dst_endpoint is not None
    assert made.dst_endpoint.hostname == "C6"
    assert made.service is not None
    assert made.service.name == "TGS/Network"
    assert made.status_id == Status.SUCCESS


def test_unknown_values_stay_unknown_and_computers_are_services(tmp_path: Path) -> None:
    made = event(tmp_path, "9,C5$@DOM1,C5$@DOM1,?,?,?,?,LogOn,Fail")
    assert made.user.type_id == UserType.SERVICE
    assert made.device is made.src_endpoint is made.dst_endpoint is made.unmapped is None
    assert made.auth_protocol is None
    assert made.status_id == Status.FAILURE
    assert is_machine("ANONYMOUS LOGON@C586")
    assert not is_machine("U7@DOM1")


def test_broken_lines_are_counted_with_their_place(tmp_path: Path) -> None:
    source = auth_lines(
        tmp_path,
        "1,U7@DOM1,U7@DOM1,C5",
        "x,U7@DOM1,U7@DOM1,C5,C6,?,?,LogOn,Success",
        "2,U7@DOM1,U7@DOM1,C5,C6,?,?,LogOn,Perhaps",
        "3,?,U7@DOM1,C5,C6,?,?,LogOn,Success",
        "4,U7@DOM1,U7@DOM1,C5,C6,?,?,LogOn,Success",
    )
    assert [line.time for values in source if (line := source.parse(values))] == [4]
    assert source.broken == 4
    assert source.first_broken[0].endswith("auth.txt:1: 4 values between commas, not 9")
    assert source.first_broken[1].endswith("auth.txt:2: time: no number of seconds: 'x'")


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError, match=r"auth\.txt:1: 1 values .* no auth\.txt of"):
        list(auth_lines(tmp_path, *["hello"] * 2000))
    other = tmp_path / "redteam.txt"
    other.write_text("150885,U620@DOM1,C17693,C1003\n1,2\n")
    with pytest.raises(ProtocolError, match=r"redteam\.txt:2: not time, user@domain"):
        red_team(other)
    other.write_text("\n")
    with pytest.raises(ProtocolError, match="empty"):
        red_team(other)


def knowing(labels: frozenset[RedTeam]) -> lanl.Judge:
    """A judge that has seen the answers, but for one: it gives that one nothing."""
    hard = max(labels)

    def judge(events: Iterable[AuthEvent]) -> Iterator[Judgement | None]:
        for number, one in enumerate(events):
            assert one.device is not None
            assert one.dst_endpoint is not None
            here = RedTeam(
                (one.time - 1_420_588_800_000) // 1000, one.user.name or "",
                one.device.hostname or "", one.dst_endpoint.hostname or "",
            )  # fmt: skip
            known = here in labels and here != hard
            yield Judgement(9.0, 90.0 + number / 1e4) if known else Judgement(0.0, 10.0)

    return judge


def test_red_team_logins_are_found_by_budget_and_pair() -> None:
    labels = red_team(REDTEAM)
    late = [label for label in labels if label.time >= 8 * DAY]
    assert (len(labels), len(late)) == (6, 5)
    result = lanl.run(AUTH, REDTEAM, knowing(labels), users=1.0)
    budgets = result.tables[0]
    top = dict(zip(budgets.columns, budgets.rows[-1], strict=True))
    # One alert of 123 judged logins: one of five, all alerts true, one of the pairs.
    pairs = {(label.user, label.target) for label in late}
    assert top["logins found"] == 1 / 5
    assert top["user-computer pairs found"] == pytest.approx(1 / len(pairs))
    assert top["precision"] == 1.0
    # Four of five above all 118 others, the fifth equal to them.
    by_login = dict(zip(result.tables[1].columns, result.tables[1].rows[0], strict=True))
    assert by_login["AUC"] == pytest.approx((4 + 0.5) / 5)
    assert (by_login["red team (number)"], by_login["all (number)"]) == (5, 123)
    assert "1 red-team logins in the learning part, learned like any other." in result.notes


def test_quivive_finds_the_red_team_s_computer() -> None:
    result = protocols.lanl(AUTH, REDTEAM, users=1.0)
    area = result.tables[1].rows[0][3]
    assert isinstance(area, float)
    assert area > 0.95
    assert protocols.lanl(AUTH, REDTEAM, users=1.0) == result


def test_log_offs_are_left_out_and_the_sample_keeps_the_red_team() -> None:
    seen: list[AuthEvent] = []

    def judge(events: Iterable[AuthEvent]) -> Iterator[Judgement | None]:
        for one in events:
            seen.append(one)
            yield Judgement(0.0, 0.0)

    lanl.run(AUTH, REDTEAM, judge, users=1e-9)
    assert {one.user.name for one in seen} == {label.user for label in red_team(REDTEAM)}
    assert not any("LogOff" in (one.service.name or "") for one in seen if one.service)


def test_a_log_that_ends_while_learning_is_refused() -> None:
    with pytest.raises(ProtocolError, match=r"auth\.txt:\d+: nothing after the first 8 days"):
        protocols.lanl(AUTH, REDTEAM, users=1.0, limit=50)
