"""Sigma rules beside what is learned: folders of them, records of vendors, runs, and the server."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks import dense
from quivive.app.errors import UsageError
from quivive.app.ingest import Tally, events
from quivive.app.registry import sources
from quivive.app.sigma import Marking, marking, matched, read_folder
from quivive.app.sigma_settings import load_rules
from quivive.enrich.enricher import Enricher
from quivive.model.ocsf import decode_event, encode_event
from quivive.model.rule import LEVELS
from quivive.policy.budget import Budgets
from quivive.policy.environment import PINNED
from quivive.server.judging import Settings
from quivive.server.reload import Fresh
from quivive.server.settings import read_settings
from quivive.signals.sigma import FLOORS
from tests.scenario.company import DANA, PEOPLE, at, in_order, numbered, ordinary, usual, written
from tests.unit.conftest import Ran
from tests.unit.serving import Served, login

RAW = Path(__file__).parent.parent / "data" / "sources"
RULE = """
title: {title}
id: {id}
level: {level}
tags: [attack.t1078.004]
falsepositives: [A new laptop]
logsource: {{category: authentication}}
detection:
  selection:
    user.name|startswith: {user}
  condition: selection
"""


def rule(folder: Path, name: str, user: str = "dana", level: str = "high", **more: str) -> Path:
    """A rule about every login of a user."""
    folder.mkdir(exist_ok=True)
    text = RULE.format(title=name.title(), id=name, level=level, user=user)
    path = folder / f"{name}.yml"
    path.write_text(text + "".join(f"{key}: {value}\n" for key, value in more.items()))
    return path


def counts(folder: Path, *logs: Path) -> Marking:
    """What the rules of a folder match in logs."""
    found = marking(folder)
    for log in logs:
        list(events(str(log), None, Tally(), 1_790_000_000_000, rules=found))
    return found


# --- the records of vendors, by the names that rules have for them

VENDORS: dict[str, tuple[str, str, str, int]] = {
    "okta": (
        "{product: okta, service: okta}",
        "{eventtype: user.session.start, outcome.result: SUCCESS}",
        "okta/raw/system-log.jsonl",
        3,
    ),
    "okta-nested": (
        "{product: okta, service: okta}",
        "{securitycontext.asnumber|gt: 0, client.userAgent.rawUserAgent|contains: Chrome}",
        "okta/raw/system-log.jsonl",
        24,
    ),
    "entra-graph": (
        "{product: azure, service: signinlogs}",
        "{ResultType: 50126}",
        "entra/raw/graph_signins.json",
        1,
    ),
    "entra-monitor": (
        "{product: azure, service: signinlogs}",
        "{ResultType: 50053, properties.appDisplayName|exists: true}",
        "entra/raw/azure_monitor.jsonl",
        1,
    ),
    "entra-analytics": (
        "{product: azure, service: signinlogs}",
        "{ResultType: '0', AppDisplayName: '*'}",
        "entra/raw/log_analytics.jsonl",
        1,
    ),
    "entra-status": (
        "{product: azure, service: signinlogs}",
        "{Status: Failure, status.errorCode|exists: true}",
        "entra/raw/graph_signins.json",
        5,
    ),
    "cloudtrail": (
        "{product: aws, service: cloudtrail}",
        "{eventName: ConsoleLogin, additionalEventData.MFAUsed: 'No'}",
        "cloudtrail/raw/console.json",
        5,
    ),
    "windows-xml": (
        "{product: windows, service: security}",
        "{EventID: 4625, LogonType: 10}",
        "windows/raw/events.xml",
        1,
    ),
    "windows-winlogbeat": (
        "{product: windows, service: security}",
        "{EventID: [4624, 4625], Provider_Name: Microsoft-Windows-Security-Auditing}",
        "windows/raw/winlogbeat.jsonl",
        11,
    ),
    "windows-nxlog": (
        "{product: windows, service: security}",
        "{EventID: 4768, TargetUserName: alice}",
        "windows/raw/nxlog.jsonl",
        1,
    ),
    "sshd": (
        "{product: linux, service: sshd}",
        "['Accepted password for', 'Nothing of the kind']",
        "sshd/raw/auth.log",
        3,
    ),
    "sshd-message": (
        "{product: linux, service: auth}",
        "{message|contains: Accepted publickey}",
        "sshd/raw/journal.jsonl",
        1,
    ),
    "gcp": (
        "{product: gcp, service: gcp.audit}",
        "{gcp.audit.method_name|contains: '.'}",
        "gcp/raw/entries.jsonl",
        19,
    ),
    "gcp-data": (
        "{product: gcp, service: gcp.audit}",
        "{data.protoPayload.authenticationInfo.principalEmail|endswith: '@example.com'}",
        "gcp/raw/entries.jsonl",
        9,
    ),
    "github": (
        "{product: github, service: audit}",
        "{action: git.clone, actor: ada-archer}",
        "github/raw/streamed.jsonl",
        1,
    ),
    "google": (
        "{product: gcp, service: google_workspace.login}",
        "{eventName: login_success}",
        "google_workspace/raw/login-page.json",
        6,
    ),
    "azure-activity": (
        "{product: azure, service: activitylogs}",
        "{properties.message|exists: false, caller|contains: '@'}",
        "azure_activity/raw/az-activity-log.json",
        2,
    ),
}


@pytest.mark.parametrize("case", VENDORS)
def test_rules_match_the_vendors_own_records(tmp_path: Path, case: str) -> None:
    logsource, selection, log, expected = VENDORS[case]
    for name, said in (("it", "s"), ("others", "not s")):
        (tmp_path / f"{name}.yml").write_text(
            f"title: A\nid: {name}\nlogsource: {logsource}\n"
            f"detection:\n  s: {selection}\n  condition: {said}\n"
        )
    tally, found = Tally(), marking(tmp_path)
    list(events(str(RAW / log), None, tally, 1_790_000_000_000, rules=found))
    assert found.counts["it"] == expected
    assert found.counts["it"] + found.counts["others"] == sum(tally.events.values())


def test_a_rule_of_another_log_is_not_asked(tmp_path: Path) -> None:
    (tmp_path / "r.yml").write_text(
        "title: A\nid: r\nlogsource: {product: okta}\n"
        "detection:\n  s: {nothing: null}\n  condition: s\n"
    )
    found = counts(tmp_path, RAW / "github/raw/streamed.jsonl", RAW / "sshd/raw/auth.log")
    assert not found.counts


def test_every_login_is_matched_by_the_names_of_ocsf(tmp_path: Path) -> None:
    (tmp_path / "r.yml").write_text(
        "title: A\nid: r\nlogsource: {category: authentication}\n"
        "detection:\n  s: {status_id: 2, src_endpoint.ip|cidr: 192.0.2.0/24}\n  condition: s\n"
    )
    found = counts(tmp_path, RAW / "sshd/raw/auth.log", RAW / "okta/raw/system-log.jsonl")
    assert found.counts["r"] > 2


# --- folders


BAD = [
    ("detection: {s: {a: 1}, condition: s | count() > 3}", 4, "aggregation"),
    ("detection: {s: {a|utf16: 1}, condition: s}", 4, "utf16"),
    ("detection:\n  s: {a: 1}\n  s: {b: 1}\n  condition: s", 6, "twice"),
    ("correlation: {type: event_count}\ndetection: {}", 4, "correlation"),
    ("detection: &x {s: {a: 1}, condition: s}\nmore: *x", 5, "alias"),
    ("detection: " + "[" * 40, 4, "nested too deeply"),
    ("detection: {s: {a: 1}", 4, "not YAML"),
]


@pytest.mark.parametrize(("text", "line", "why"), BAD)
def test_a_bad_rule_is_left_out_with_its_place_and_reason(
    tmp_path: Path, text: str, line: int, why: str
) -> None:
    good = rule(tmp_path, "good")
    bad = tmp_path / "inner" / "bad.yaml"
    bad.parent.mkdir()
    bad.write_text(f"title: Bad\nid: bad\nlogsource: {{product: okta}}\n{text}\n")
    found = read_folder(tmp_path)
    assert [r.file for r in found.rules] == [str(good)]
    (left,) = found.left
    assert why in left.text
    assert (left.file, left.line) == (str(bad), line)
    assert left.remedy


@pytest.mark.parametrize(
    ("logsource", "fields", "why"),
    [
        ("{product: windows, category: process_creation}", "a: 1", "category process_creation"),
        ("{product: azure, service: riskdetection}", "a: 1", "riskdetection"),
        ("{product: oktta}", "a: 1", "did you mean okta"),
        ("{service: sshd}", "sshd.user: 1", "have no field sshd.user"),
        ("{category: authentication}", "TargetUserName: 1", "no login has a field"),
        ("{}", "a: 1", "no product"),
    ],
)
def test_a_rule_about_nothing_that_is_read_is_left_out(
    tmp_path: Path, logsource: str, fields: str, why: str
) -> None:
    (tmp_path / "r.yml").write_text(
        f"title: A\nlogsource: {logsource}\ndetection:\n  s: {{{fields}}}\n  condition: s\n"
    )
    (left,) = read_folder(tmp_path).left
    assert why in str(left)
    assert left.line in (2, 3)
    with pytest.raises(UsageError, match=r"no rule in it can be used; the first: .*r\.yml:"):
        marking(tmp_path)


def test_files_may_hold_several_rules_and_be_no_text(tmp_path: Path) -> None:
    one, two = rule(tmp_path, "one").read_text(), rule(tmp_path, "two").read_text()
    (tmp_path / "one.yml").write_text(f"# both\n---\n{one}\n---\n{two}\n---\ntitle: 3\n")
    (tmp_path / "binary.yml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "huge.yml").write_text("# " + "x" * (1 << 20))
    (tmp_path / "notes.txt").write_text("no rule")
    found = read_folder(tmp_path)
    assert [r.match.id for r in found.rules] == ["one", "two"]
    said = {Path(left.file).name: left for left in found.left}
    assert sorted(said) == ["binary.yml", "huge.yml", "one.yml", "two.yml"]
    assert "too" in said["two.yml"].text  # the id is there already
    assert said["one.yml"].line == (tmp_path / "one.yml").read_text().count("\n")
    with pytest.raises(UsageError, match="no such folder"):
        read_folder(tmp_path / "nowhere")


def test_an_id_to_be_in_shadow_that_no_rule_has_is_refused(tmp_path: Path) -> None:
    rule(tmp_path, "known")
    assert marking(tmp_path, ["known"]).found.rules[0].match.shadow
    with pytest.raises(UsageError, match="no rule that can be used has the id 'other'"):
        marking(tmp_path, ["other"])


# --- repeats


def dense_rule(folder: Path, selection: str) -> Path:
    folder.mkdir()
    (folder / "r.yml").write_text(
        "title: A\nid: r\nlogsource: {product: aws, service: cloudtrail}\n"
        f"detection:\n  s: {selection}\n  condition: s\n"
    )
    return folder


@pytest.mark.parametrize(
    ("selection", "again"),
    [
        ("{eventName|startswith: [Get, List]}", True),
        ("{eventID|endswith: ['0', '1', '2', '3']}", False),
        ("['0a', '1b']", False),
    ],
)
def test_a_record_like_one_before_matches_what_it_would_match_if_it_were_read(
    tmp_path: Path, selection: str, again: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "cloudtrail.jsonl"
    dense.write(log, services=2, hours=1, every=20.0)
    found = marking(dense_rule(tmp_path / "rules", selection))
    with_memory = list(events(str(log), None, Tally(), None, rules=found))
    parsed = [0]
    whole = Marking.marked

    def counted(self: Marking, *given: Any) -> Any:
        parsed[0] += 1
        return whole(self, *given)

    monkeypatch.setattr(Marking, "marked", counted)
    monkeypatch.setattr(Marking, "repeatable", lambda *_: False)
    afresh = marking(tmp_path / "rules")
    assert with_memory == list(events(str(log), None, Tally(), None, rules=afresh))
    assert found.counts == afresh.counts
    assert 0 < found.counts["r"] < parsed[0] == len(with_memory)
    monkeypatch.undo()
    assert found.repeatable(sources()["cloudtrail"]) is again


# --- a run


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve ordinary days of four people."""
    ordinary_days = numbered(ordinary(0, 12, people=PEOPLE[:4]), "o-")
    late = numbered([usual(DANA, at(12, 9))], "x-")
    return written(tmp_path_factory.mktemp("log") / "log.ndjson", in_order(ordinary_days, late))


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_levels_set_floors_outside_the_score(
    tmp_path: Path, log: Path, run: Callable[..., Ran]
) -> None:
    plain, out = tmp_path / "plain", tmp_path / "out"
    assert run("score", log, "--out", plain).code == 0
    before = {line["id"]: line for line in lines(plain)}
    for level in LEVELS:
        folder = tmp_path / level
        rule(folder, "mine", level=level)
        ran = run("score", log, "--out", out, "--sigma", folder)
        assert ran.code == 0
        assert "sigma: 1 rule, " in ran.err
        told = [line for line in lines(out) if "sigma" in line["event"].get("unmapped", {})]
        assert told
        assert all(line["identity"].startswith("dana") for line in told)
        first = told[0]
        assert first["event"]["unmapped"]["sigma"] == [
            {
                "id": "mine",
                "title": "Mine",
                "level": level,
                "attack": ["T1078.004"],
                "falsepositives": ["A new laptop"],
            }
        ]
        reasons = [r for r in first["reasons"] if r["signal"].startswith("sigma_")]
        if level == "informational":
            assert not reasons
            assert first["risk_score"] == before[first["id"]]["risk_score"]
            continue
        (reason,) = reasons
        assert reason == {
            "signal": f"sigma_{level}",
            "text": f"Sigma, level {level}: Mine (mine; expected in error: A new laptop)",
            "weight": 0.0,
            "attack": ["T1078.004"],
        }
        floor = FLOORS[level]
        if floor is None:
            assert first["risk_score"] == before[first["id"]]["risk_score"]
        else:
            assert first["risk_score"] >= floor
            assert first["finding"] is (level in ("high", "critical"))
        assert first["score"] == before[first["id"]]["score"]


def test_a_rule_that_says_little_changes_nothing_that_is_learned(
    tmp_path: Path, log: Path, run: Callable[..., Ran]
) -> None:
    plain, out = tmp_path / "plain", tmp_path / "out"
    rule(tmp_path / "rules", "mine", user="'*'", level="medium")
    run("score", log, "--out", plain)
    run("score", log, "--out", out, "--sigma", tmp_path / "rules")
    for line, without in zip(lines(out), lines(plain), strict=True):
        assert line["score"] == without["score"]
        assert line["confidence"] == without["confidence"]
        assert line["risk_score"] >= without["risk_score"]
        assert line["reasons"][0]["signal"] == "sigma_medium"
        assert not without["finding"] or line["finding"]


def test_a_rule_is_told_of_once_a_day_and_hides_nothing_that_is_worse(
    tmp_path: Path, log: Path, run: Callable[..., Ran]
) -> None:
    out = tmp_path / "out"
    rule(tmp_path / "rules", "mine")
    run("score", log, "--out", out, "--sigma", tmp_path / "rules")
    found = [line for line in lines(out) if line["identity"].startswith("dana")]
    told = [line["event"]["time"] for line in found if line["finding"]]
    assert len(told) > 5
    assert all(later - one >= 86_400_000 for one, later in itertools.pairwise(told))
    others = [line for line in lines(out) if not line["identity"].startswith("dana")]
    assert not any("sigma" in json.dumps(line) for line in others)


def test_in_shadow_a_rule_counts_and_changes_nothing_else(
    tmp_path: Path, log: Path, run: Callable[..., Ran]
) -> None:
    plain, out, again = (tmp_path / name for name in ("plain", "out", "again"))
    folder = tmp_path / "rules"
    rule(folder, "mine", level="critical", quivive="{mode: shadow}")
    run("score", log, "--out", plain)
    ran = run("score", log, "--out", out, "--sigma", folder)
    assert "in shadow" in ran.err

    def bare(path: Path) -> list[dict[str, Any]]:
        found = lines(path)
        for line in found:
            for match in line["event"].get("unmapped", {}).pop("sigma", ()):
                assert match["shadow"]
            if not line["event"].get("unmapped", True):
                del line["event"]["unmapped"]
        return found

    assert bare(out) == lines(plain)
    rule(folder, "mine", level="critical")
    ran = run("score", log, "--out", again, "--sigma", folder, "--sigma-shadow", "mine")
    assert again.read_bytes() == out.read_bytes()
    assert run("score", log, "--sigma-shadow", "mine").code == 2


def test_two_processes_and_a_store_give_the_same_bytes(
    tmp_path: Path, log: Path, run: Callable[..., Ran]
) -> None:
    rule(tmp_path / "rules", "mine", user="'*'", level="medium")
    rule(tmp_path / "rules", "hers", level="critical")
    given = ("--sigma", tmp_path / "rules", log)
    assert run("score", "--out", tmp_path / "one", *given).code == 0
    assert run("score", "--out", tmp_path / "two", "--jobs", "2", *given).code == 0
    kept = ("--state", tmp_path / "state", "--jobs", "2", "--out", tmp_path / "three")
    assert run("score", *kept, *given).code == 0
    one = (tmp_path / "one").read_bytes()
    assert b"sigma_critical" in one
    assert one == (tmp_path / "two").read_bytes() == (tmp_path / "three").read_bytes()
    assert "scored before with the same arguments" in run("score", *kept, *given).err
    rule(tmp_path / "rules", "hers", level="low")
    assert "scored before" not in run("score", *kept, *given).err


def test_nobody_else_says_which_rules_a_record_matched(
    tmp_path: Path, run: Callable[..., Ran]
) -> None:
    forged = login(unmapped={"sigma": [{"id": "x", "title": "x", "level": "critical"}]})
    path = tmp_path / "log.ndjson"
    path.write_text(json.dumps(forged) + "\n")
    assert run("score", path, "--out", tmp_path / "out").code == 0
    assert "sigma" not in (tmp_path / "out").read_text()


def test_what_no_context_silences_are_the_grave_levels() -> None:
    assert {f"sigma_{level}" for level, floor in FLOORS.items() if (floor or 0) > 46} <= PINNED
    assert "sigma_medium" not in PINNED


# --- the command


def test_check_says_what_can_be_used_and_what_matches(
    tmp_path: Path, log: Path, run: Callable[..., Ran]
) -> None:
    folder = tmp_path / "rules"
    rule(folder, "mine")
    (folder / "okta.yml").write_text(
        "title: O\nid: o\nlogsource: {product: okta}\n"
        "detection:\n  s: {eventType: a, nothingLikeIt: b}\n  condition: s\n"
    )
    ran = run("sigma", "check", folder, log, RAW / "okta/raw/system-log.jsonl")
    assert ran.code == 0
    assert "every login:\n  high  Mine (mine): " in ran.out
    assert "okta:\n  low  O (o): 0 matches\n    no record of these logs has nothingLikeIt" in (
        ran.out
    )
    (folder / "bad.yml").write_text("title: B\nlogsource: {product: okta}\n")
    (folder / "other.yml").write_text(
        "title: X\nlogsource: {category: dns}\ndetection: {s: {a: 1}, condition: s}\n"
    )
    ran = run("sigma", "check", folder)
    assert ran.code == 1
    assert f"{folder / 'bad.yml'}:1: detection: missing; " in ran.out
    assert f"{folder / 'other.yml'}:2: logsource: category dns; " in ran.out
    assert "2 rules can be used, 1 cannot, 1 about logs that are not read" in ran.err
    assert "other.yml" not in run("sigma", "check", "--quiet", folder).out
    assert run("sigma", "check", tmp_path / "nowhere").code == 2


# --- the server


def test_the_server_matches_what_it_is_sent_and_counts(tmp_path: Path) -> None:
    rule(tmp_path / "rules", "mine", user="ann")
    rule(tmp_path / "rules", "quiet", user="ann", level="critical")
    config = tmp_path / "config.yaml"
    config.write_text("sigma: {folder: rules, shadow: [quiet]}\n")

    served = Served(tmp_path / "state", config=config)
    try:
        line = served.ask("POST", "/v1/assess", json=login()).json()
        assert [m["id"] for m in line["event"]["unmapped"]["sigma"]] == ["quiet", "mine"]
        assert next(r["signal"] for r in line["reasons"]) == "sigma_high"
        assert "sigma_critical" not in json.dumps(line)
        assert line["risk_score"] >= 66
        body = "\n".join(json.dumps(login(n)) for n in range(1, 4))
        assert served.ask("POST", "/v1/events", content=body).json()["judged"] == 3
        metrics = served.ask("GET", "/metrics").text
        assert 'quivive_sigma_matches_total{mode="enforce",rule="mine"} 4.0' in metrics
        assert 'quivive_sigma_matches_total{mode="shadow",rule="quiet"} 4.0' in metrics
    finally:
        served.close()


def test_rules_are_taken_over_with_the_settings_or_not_at_all(tmp_path: Path) -> None:
    rule(tmp_path / "rules", "mine", user="ann")
    config = tmp_path / "config.yaml"
    config.write_text("sigma: {folder: rules}\n")

    def renew() -> Fresh:
        return Fresh(Settings(Enricher(None, None), Budgets()), read_settings(config))

    served = Served(tmp_path / "state", config=config, renew=renew)
    dense.write(tmp_path / "log", services=1, hours=1, every=60.0)
    try:
        text = (tmp_path / "log").read_bytes().splitlines()
        aws = "{product: aws}\ndetection: {s: {eventSource: '*'}, condition: s}"
        (tmp_path / "rules" / "aws.yml").write_text(f"title: W\nid: w\nlogsource: {aws}\n")

        def first(lines: list[bytes]) -> Any:
            answer = served.ask("POST", "/v1/events?source=cloudtrail", content=b"\n".join(lines))
            assert answer.json()["judged"] == len(lines)
            return served.ask("GET", "/metrics").text

        assert 'rule="w"' not in first(text[:20])
        config.write_text("sigma: {folder: nowhere}\n")
        assert served.ask("POST", "/v1/reload").status_code == 422
        assert 'rule="w"' not in first(text[20:22])
        config.write_text("sigma: {folder: rules}\n")
        assert served.ask("POST", "/v1/reload").status_code == 200
        assert '{mode="enforce",rule="w"} 8.0' in first(text[22:30])
    finally:
        served.close()


def test_settings_name_the_line_of_what_is_wrong(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("server: {}\n")
    assert load_rules(config) is None
    config.write_text("server: {}\nsigma:\n  foldr: rules\n")
    with pytest.raises(UsageError, match=r"config\.yaml:3: sigma.*is folder meant"):
        load_rules(config)
    config.write_text("sigma: {folder: nowhere}\n")
    with pytest.raises(UsageError, match="no such folder"):
        load_rules(config)


def test_what_was_matched_is_kept_in_the_journal(tmp_path: Path, log: Path) -> None:
    rule(tmp_path / "rules", "mine")
    rules = marking(tmp_path / "rules")
    found = [e for e in events(str(log), None, Tally(), None, rules=rules) if matched(e)]
    assert len(found) == rules.counts["mine"] > 0
    assert [decode_event(encode_event(event)) for event in found] == found
