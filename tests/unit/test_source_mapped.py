import re
from pathlib import Path

import msgspec
import pytest

from quivive.app.maps import load_map, shipped_maps
from quivive.app.registry import sources
from quivive.model.event import Activity, AuthEvent, Status
from quivive.model.record import RawRecord, RejectError, Skip
from quivive.sources.mapped import MapError, read_map, source_from_map

PAGE = (Path(__file__).parents[2] / "docs/reference/mapped.md").read_text(encoding="utf-8")
SMALL = """
name: small
title: Small log
recognise: {fields: [t]}
time: t
fields:
  user.name: u
  status_id: {constant: success}
"""


def block(language: str) -> str:
    found = re.search(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert found
    return found.group(1)


def record(**fields: object) -> RawRecord:
    return RawRecord(log="x", sequence=3, line=3, body=b"", fields=fields)


def small(old: str = "", new: str = "", **fields: object) -> AuthEvent:
    source = source_from_map(read_map(SMALL.replace(old, new, 1), "small.yaml"))
    event = source.parse(record(**({"t": "2026-02-03T10:00:00Z", "u": "ada"} | fields)))
    assert isinstance(event, AuthEvent)
    return event


def test_the_example_of_the_page_reads_its_lines() -> None:
    source = source_from_map(read_map(block("yaml"), "mapped.md"))
    lines = [record(**msgspec.json.decode(line)) for line in block("json").splitlines()]
    assert all(map(source.recognise, lines))
    first, second, third = map(source.parse, lines)
    assert isinstance(first, AuthEvent)
    assert first.time == 1_770_123_909_000  # 13:05:09 UTC
    assert (first.user.name, first.user.uid) == ("ada.cole", "4411")
    assert first.status_id == Status.SUCCESS
    assert first.is_mfa is True
    assert first.src_endpoint
    assert first.src_endpoint.ip == "198.51.100.31"
    assert first.http_request
    assert first.http_request.user_agent == "Mozilla/5.0"
    assert isinstance(second, AuthEvent)
    assert second.status_id == Status.OTHER
    assert second.is_mfa is False
    assert second.src_endpoint
    assert second.src_endpoint.ip == "203.0.113.5"
    assert isinstance(third, Skip)


def test_a_column_with_dots_in_its_name_comes_before_a_path() -> None:
    event = small("name: u", "name: a.b", **{"a.b": "literal", "a": {"b": "nested"}})
    assert event.user.name == "literal"
    assert small("name: u", "name: a.b", a={"b": "nested"}).user.name == "nested"


def test_the_first_field_with_a_value_counts() -> None:
    assert (
        small("name: u", "name: {field: [a, b, u], constant: z}", a="-", b="bo").user.name == "bo"
    )
    assert small("name: u", "name: {field: [a, b], constant: z}", a="-").user.name == "z"


@pytest.mark.parametrize("said", [True, "true", "YES", "on"])
def test_an_unquoted_yes_of_yaml_stands_for_every_spelling_of_true(said: object) -> None:
    rule = "{field: r, values: {yes: success, no: failure}}"
    assert small("{constant: success}", rule, r=said).status_id == Status.SUCCESS


def test_a_value_that_the_map_does_not_name_is_absent() -> None:
    rule = "{field: r, values: {0: success, 1: failure}}"
    assert small("{constant: success}", rule, r=0).status_id == Status.SUCCESS
    assert small("{constant: success}", rule, r=7).status_id == Status.UNKNOWN


def test_a_named_activity_is_other_with_its_name() -> None:
    event = small("fields:\n", "fields:\n  activity_id: {constant: Password Reset}\n")
    assert (event.activity_id, event.activity_name) == (Activity.OTHER, "Password Reset")


@pytest.mark.parametrize(
    ("rule", "written", "ms"),
    [
        ("{field: t, unit: us}", 1_770_112_800_000_000, 1_770_112_800_000),
        ("{field: t, unit: s}", "1770112800.5", 1_770_112_800_500),
        ('{field: t, format: "%d.%m.%Y %H:%M", utc_offset: "-03:30"}', "03.02.2026 06:30", None),
        ('{field: t, format: "%Y-%m-%d %H:%M:%S %z"}', "2026-02-03 12:00:00 +0200", None),
    ],
)
def test_times(rule: str, written: object, ms: int | None) -> None:
    assert small("time: t", f"time: {rule}", t=written).time == (ms or 1_770_112_800_000)


@pytest.mark.parametrize("written", ["soon", None, "", 7, [1]])
def test_a_record_without_a_time_is_rejected(written: object) -> None:
    for rule in ("t", "{field: t, unit: s}", '{field: t, format: "%d.%m.%Y"}'):
        with pytest.raises(RejectError, match=r"^t: "):
            small("time: t", f"time: {rule}", t=written)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("user.name: u", "user.nmae: u", "fields.user.nmae: .* did you mean user.name?"),
        ("user.name: u", "service.name: u", "fields: name the user"),
        ("status_id: {constant: success}", "status: r", "fields.status_id: say what success is"),
        ("constant: success", "constant: great", "fields.status_id: 'great' is none of: success"),
        ("user.name: u", "user.name: {}", "fields.user.name: give a field or a constant"),
        ("user.name: u", "user.name: {feild: u}", "fields.*feild"),
        ("time: t", "time: {field: t, unit: h}", "time.*unit.*h"),
        ("time: t", 'time: {field: t, format: "%Q"}', "time.format: .*directive"),
        ("time: t", 'time: {field: t, format: "%d %b"}', "time.format: has no year"),
        ("time: t", 'time: {field: t, utc_offset: "+01:00"}', "time.utc_offset: needs a format"),
        ("name: small", "name: Small Log", "name: "),
        ("title: Small log", "titel: x", "titel"),
        ("recognise: {fields: [t]}", "recognise: {fields: []}", "recognise.fields: "),
        ("title: Small log", "title: [", "broken YAML"),
        (SMALL, "", "Expected `object`"),
    ],
)
def test_a_faulty_map_is_refused_with_the_place(old: str, new: str, message: str) -> None:
    with pytest.raises(MapError, match=f"^small.yaml: .*{message}"):
        read_map(SMALL.replace(old, new, 1), "small.yaml")


def test_a_map_file_is_loaded_and_its_faults_name_the_file(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    good.write_text(SMALL)
    bad.write_bytes(b"\xff\xfe\x00")
    assert load_map(good).name == "small"
    for path in (bad, tmp_path / "none.yaml", tmp_path):
        with pytest.raises(MapError, match=re.escape(str(path))):
            load_map(path)


@pytest.mark.parametrize(
    ("number", "app", "uid"),
    [
        (7, "shop", "shop:7"),
        (" 7 ", "shop", "shop:7"),
        ("7f3a", "shop", "7f3a"),
        (7, None, "7"),
        (7, "some", "7"),  # the map's own word for all of them
        (None, "shop", None),
    ],
)
def test_a_number_is_the_id_of_one_application(
    number: object, app: str | None, uid: str | None
) -> None:
    fields = "name: u\n  metadata.uid: id\n  service.name: {field: app, constant: some}"
    assert small("name: u", fields, id=number, app=app).metadata.uid == uid


def test_shipped_maps_are_sources_and_come_last() -> None:
    names = [source.name for source in shipped_maps()]
    assert names == ["plain_app", "rba"]
    assert list(sources())[-2:] == names


def test_the_labels_of_rba_change_nothing() -> None:
    source = sources()["rba"]
    row = {
        "Login Timestamp": "2020-02-03 12:43:30.772",
        "User ID": "-1",
        "IP Address": "192.0.2.1",
        "User Agent String": "x",
        "Login Successful": "True",
    }
    labelled = row | {"Is Attack IP": "True", "Is Account Takeover": "True"}
    assert source.parse(record(**row)) == source.parse(record(**labelled))
