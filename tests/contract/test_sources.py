"""The contract every log source keeps, checked on its golden pairs and on hostile bytes."""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

from quivive.app.recognise import recognise
from quivive.app.registry import sources
from quivive.inputs.framing import frame
from quivive.model.event import OCSF_VERSION, AuthEvent
from quivive.model.ocsf import decode_event, encode_event
from quivive.model.record import RawRecord, Reject, RejectError, Skip
from tests.golden import outcomes, raw_files, records

RAW = raw_files()
IDS = [f"{source}-{path.name}" for source, path in RAW]
NAMES = sorted(sources())
PASSES_ON = {"ocsf", "ecs", "mapped", "plain_app"}  # names that others gave


@cache
def ocsf_validator() -> Draft202012Validator:
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(OCSF_VERSION))
    return Draft202012Validator(schema.get_class_schema("authentication", ["host"]))


@pytest.mark.parametrize(("source", "path"), RAW, ids=IDS)
def test_golden(source: str, path: Path) -> None:
    found = outcomes(source, path)
    expected = path.parent.parent / "expected" / f"{path.name}.jsonl"
    if os.environ.get("QUIVIVE_REWRITE_GOLDEN"):
        expected.parent.mkdir(exist_ok=True)
        expected.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in found))
    wanted = [json.loads(line) for line in expected.read_text().splitlines()]
    assert found == wanted


@pytest.mark.parametrize(("source", "path"), RAW, ids=IDS)
def test_events_are_valid_ocsf_and_survive_a_round_trip(source: str, path: Path) -> None:
    for record in records(path):
        if isinstance(record, Reject):
            continue
        try:
            event = sources()[source].parse(record)
        except RejectError:
            continue
        if isinstance(event, Skip):
            continue
        body = encode_event(event)
        problems = [
            f"{error.json_path}: {error.message[:200]}"
            for error in ocsf_validator().iter_errors(json.loads(body))
        ]
        assert not problems, f"{record.position}: {problems}"
        assert decode_event(body) == event
        assert event.user.name or event.user.uid, record.position
        assert event.metadata.sequence == record.sequence


@pytest.mark.parametrize(("source", "path"), RAW, ids=IDS)
def test_auto_finds_the_source(source: str, path: Path) -> None:
    for record in records(path):
        if isinstance(record, RawRecord):
            found = recognise(record)
            if found is not None or source != "mapped":
                assert found is not None, f"{record.position} is recognised by no source"
                assert found.name == source, f"{record.position} taken for {found.name}"


@pytest.mark.parametrize("name", NAMES)
def test_source_has_enough_golden_records(name: str) -> None:
    found = [line for source, path in RAW if source == name for line in outcomes(source, path)]
    assert len(found) >= 12
    assert any("event" in line for line in found)
    given_paths = {p for line in found if "event" in line for p in _paths(line["event"])}
    missing = [p for p in sources()[name].gives if p not in given_paths]
    assert not missing, f"{name} promises {missing}, but no golden record shows it"


def _paths(value: dict[str, Any], prefix: str = "") -> set[str]:
    found = set()
    for key, inner in value.items():
        found.add(prefix + key)
        if isinstance(inner, dict):
            found |= _paths(inner, f"{prefix}{key}.")
    return found


@pytest.mark.parametrize("name", NAMES)
def test_source_describes_itself(name: str) -> None:
    source = sources()[name]
    assert source.name == name
    assert source.title
    assert source.reads
    assert source.documentation.startswith("https://")
    for path in source.gives:
        assert path.split(".")[0] in AuthEvent.__struct_fields__, path


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=5)
    ),
    max_leaves=12,
)


def _mutate(value: Any, draw: st.DataObject) -> Any:
    """The value with some leaves replaced by anything at all."""
    if isinstance(value, dict):
        return {key: _mutate(inner, draw) for key, inner in value.items()}
    if isinstance(value, list):
        return [_mutate(inner, draw) for inner in value]
    return draw.draw(json_values) if draw.draw(st.integers(0, 9)) == 0 else value


@pytest.mark.parametrize("name", NAMES)
@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
def test_parser_never_crashes(name: str, data: st.DataObject) -> None:
    goldens = [r for s, p in RAW if s == name for r in records(p) if isinstance(r, RawRecord)]
    record = data.draw(st.sampled_from(goldens))
    if record.fields is not None:
        fields = _mutate(record.fields, data)
        body = json.dumps(fields).encode()
    else:
        fields = None
        start = data.draw(st.integers(0, len(record.body)))
        junk = data.draw(st.binary(max_size=40))
        body = record.body[:start] + junk + record.body[start + data.draw(st.integers(0, 40)) :]
    changed = RawRecord(
        log="x",
        sequence=1,
        line=1,
        body=body,
        fields=fields,
        reference_time=record.reference_time,
    )
    source = sources()[name]
    assert source.recognise(changed) in (True, False)
    try:
        event = source.parse(changed)
    except RejectError:
        return
    if isinstance(event, AuthEvent):
        assert decode_event(encode_event(event)) == event
        assert event.user.name or event.user.uid


@settings(max_examples=200)
@given(body=st.binary(max_size=300))
def test_framing_and_recognition_never_crash(body: bytes) -> None:
    import io

    for record in frame(io.BytesIO(body), "x", 1_793_491_200_000):
        if isinstance(record, RawRecord):
            recognise(record)


def test_no_two_products_give_their_logs_one_name() -> None:
    """What is usual in a log is kept by its name."""
    named: dict[str, set[str]] = {}
    for source, path in RAW:
        if source in PASSES_ON:
            continue
        expected = path.parent.parent / "expected" / f"{path.name}.jsonl"
        for line in expected.read_text().splitlines():
            metadata = json.loads(line).get("event", {}).get("metadata")
            if metadata is not None:
                log = metadata.get("log_name") or metadata["product"]["name"]
                named.setdefault(log, set()).add(source)
    assert len(named) > 30
    assert not {log: names for log, names in named.items() if len(names) > 1}
