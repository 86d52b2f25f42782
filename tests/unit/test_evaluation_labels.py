"""Labels: which lines are labels, what is wrong with them, and what a learner may know."""

import json
from pathlib import Path

import pytest

from quivive.learn.evaluation.labels import (
    Label,
    LabelError,
    LabelLeakError,
    Labels,
    check_named,
    load_labels,
)
from quivive.learn.evaluation.rows import event_hash


def written(path: Path, *lines: object) -> Path:
    target = path / "labels.jsonl"
    target.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return target


def label(sequence: int, **more: object) -> dict[str, object]:
    return {"log": "a.log", "sequence": sequence, "incident": "i1", "kind": "spray", **more}


def test_a_label_names_its_record_by_number_or_by_uid(tmp_path: Path) -> None:
    found = load_labels(written(tmp_path, label(3), {"uid": "x-1", "identity": "dana"}))
    assert found.of("a.log", 3, 0).incident == "i1"
    by_uid = found.of("b.log", 9, event_hash("x-1"))
    assert (by_uid.incident, by_uid.kind) == ("dana", "unknown")
    assert found.of("a.log", 4, event_hash("x-2")) is None
    assert found.incidents == {"i1": "spray", "dana": "unknown"}


def test_keys_that_nobody_knows_are_ignored(tmp_path: Path) -> None:
    found = load_labels(written(tmp_path, label(3, outcome="success", attack=["T1078"])))
    assert len(list(found)) == 1


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ({"log": "a.log"}, "log and sequence name a record together"),
        ({"sequence": 2}, "log and sequence name a record together"),
        ({"incident": "i1"}, "names no record"),
        ({"log": "a.log", "sequence": "two"}, "not a label"),
        (["a.log", 2], "not a label"),
    ],
)
def test_a_line_that_is_no_label_is_named(tmp_path: Path, line: object, says: str) -> None:
    path = written(tmp_path, label(1), line)
    with pytest.raises(LabelError, match=says) as error:
        load_labels(path)
    assert str(error.value).startswith(f"{path}:2: ")


def test_broken_json_is_named_by_line(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text('\n{"log": "a.log", "seq')
    with pytest.raises(LabelError, match=r"labels\.jsonl:2: not a label"):
        load_labels(path)


def test_the_same_record_labelled_twice_alike_is_one_label(tmp_path: Path) -> None:
    assert len(load_labels(written(tmp_path, label(1), label(1))).by_record) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (label(1), label(1, incident="i2")),
        ({"uid": "x", "incident": "i1"}, {"uid": "x", "incident": "i2"}),
        (label(1, uid="x"), {"uid": "x", "incident": "i2", "kind": "spray"}),
    ],
)
def test_the_same_record_labelled_differently_is_an_error(
    tmp_path: Path, one: dict[str, object], other: dict[str, object]
) -> None:
    path = written(tmp_path, one, other)
    with pytest.raises(LabelError, match="labelled differently") as error:
        load_labels(path)
    assert f"{path}:2" in str(error.value)
    assert f"{path}:1" in str(error.value)


def test_an_incident_has_one_kind(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="an incident has one kind"):
        load_labels(written(tmp_path, label(1), label(2, kind="travel")))


def test_labels_among_the_scored_logs_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, label(1))
    link = tmp_path / "renamed.jsonl"
    link.symlink_to(path)
    for scored in (path, link, tmp_path / "." / "labels.jsonl"):
        with pytest.raises(LabelError, match="would leak into scoring"):
            load_labels(path, [scored])


def test_a_label_of_a_record_that_is_not_there_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, label(1), label(40))
    found = load_labels(path)
    check_named(found, {"a.log": 40})
    with pytest.raises(LabelError, match=r"labels\.jsonl:2: record 40 of a\.log does not exist"):
        check_named(found, {"a.log": 39})
    with pytest.raises(LabelError, match=r"there is no log 'a\.log'; scored: b\.log"):
        check_named(found, {"b.log": 99})


def test_a_label_of_a_uid_that_is_not_there_is_named(tmp_path: Path) -> None:
    found = load_labels(written(tmp_path, {"uid": "x-1"}))
    check_named(found, {}, {"x-1": 1})
    with pytest.raises(LabelError, match="no login of the logs has uid 'x-1'"):
        check_named(found, {}, {"x-2": 1})


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="No such file"):
        load_labels(tmp_path / "none.jsonl")


def test_a_learner_is_told_no_label_of_the_test_window() -> None:
    known = Labels([Label("f:1", "a.log", 1, None, "i1", "spray")]).until(1000)
    assert known.of(999, "a.log", 1, 0).incident == "i1"
    assert known.of(999, "a.log", 2, 0) is None
    for sequence in (1, 2):  # that a login has no label would be told too
        with pytest.raises(LabelLeakError):
            known.of(1000, "a.log", sequence, 0)
