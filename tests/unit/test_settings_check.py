"""``quivive doctor --config``: everything that is wrong with a settings file, at once."""

import socket
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct

from quivive.app.every import MOST, every
from quivive.app.settings_check import check, new_state, port, read_all
from quivive.server.settings import ServerSettings, read_settings
from quivive.store.database import Store
from tests.unit.test_settings_located import OKTA, SLACK

WRONG = """\
sever: {}
server:
  answer_second: 5
  connections: many
  edge:
    anonymous: maybe
    remember: -1
  oidc:
    client_id: console
responses:
  attempts: 0
  connections:
  - vendor: okta
    settings:
      url: https://x.okta.com
      token: sEcReT-1
  - vendor: nobody
  - vendr: okta
  - vendor: okta
    serves: [fly]
    settings: {url: "https://x.okta.com", token: {env: QUIVIVE_T}}
notify:
  console: foo
  channels:
  - name: soc
    kind: slack
    settings: {url: sEcReT-2}
  - name: odd
    kind: smoke
    settings: {}
  - name: late
    kind: slack
    routes: [pager]
    settings: {url: {env: QUIVIVE_T}}
  - name: soc
    kind: slack
    settings: {url: {env: QUIVIVE_T}, more: 1}
"""
SAID = (
    "1: no section 'sever'",
    "3: server: Object contains unknown field `answer_second`; is answer_seconds meant?",
    "4: server.connections: Expected `int`",
    "6: server.edge.anonymous: Expected `str` matching",
    "7: server.edge.remember: Expected `float` >= 0",
    "8: server.oidc: Object missing required field `issuer`",
    "11: responses.attempts: Expected `int` >= 1",
    "16: responses.connections[0].settings.token: Expected `object`",
    "17: responses.connections[1].vendor: no vendor 'nobody'",
    "18: responses.connections[2]: Object contains unknown field `vendr`",
    "20: responses.connections[3].serves: no action 'fly'",
    "23: notify.console: 'foo': write https",
    "27: notify.channels[0].settings.url: Expected `object`",
    "29: notify.channels[1].kind: no kind 'smoke'",
    "31: notify.channels[2]: 'pager' is no route",
    "35: notify.channels[3].name: 'soc' is there twice",
    "37: notify.channels[3].settings: Object contains unknown field `more`",
)


def test_every_error_is_told_at_once_by_its_line(tmp_path: Path, run: Any) -> None:
    file = tmp_path / "q.yaml"
    file.write_text(WRONG)
    problems = read_all(file, ServerSettings).problems
    for said in SAID:
        found = [text for text in problems if text.startswith(f"{file}:{said}")]
        assert len(found) == 1, (said, problems)
    numbers = [int(text.removeprefix(f"{file}:").partition(":")[0]) for text in problems]
    assert numbers == sorted(numbers)
    ran = run("doctor", "--config", file, "--port", 0)
    assert ran.code == 1
    assert all(text in ran.out for text in problems)
    assert "sEcReT" not in ran.out + ran.err


@pytest.mark.parametrize(
    "text",
    ["server: [\n", "- a\n", "\0", "server: 7\n", "responses: 7\n", "notify: [1]\n",
     "notify: {channels: {a: 1}}\n", "a: &a [*a]\n", "server: {1: 2}\n", "{? [a] : b}\n",
     "responses: {connections: [1, {vendor: 2}]}\n", "notify: {channels: [{name: x}]}\n"],
)  # fmt: skip
def test_whatever_a_file_holds_is_told_and_never_a_crash(tmp_path: Path, text: str) -> None:
    file = tmp_path / "q.yaml"
    file.write_text(text)
    checks = check(file, ServerSettings)
    assert any(one.level == "missing" and str(file) in one.text for one in checks)
    (gone,) = check(tmp_path / "none.yaml", ServerSettings)
    assert "No such file" in gone.text


def test_what_serve_reads_is_well_and_its_secrets_are_counted(
    tmp_path: Path, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, kept = tmp_path / "q.yaml", tmp_path / "hook"
    token = "      token: {env: QUIVIVE_T}\n"
    file.write_text(OKTA + token + SLACK.format(f"{{file: {kept}}}") + "server: {connections: 7}\n")
    monkeypatch.delenv("QUIVIVE_T", raising=False)
    ran = run("doctor", "--config", file, "--port", 0, "--state", tmp_path / "new")
    assert ran.code == 1
    assert "connection okta: environment variable QUIVIVE_T: not set" in ran.out
    assert f"channel soc: {kept}: No such file" in ran.out
    assert "no store yet; quivive serve makes one" in ran.out
    assert not (tmp_path / "new").exists()
    kept.write_text("https://hooks.example.com/sEcReT\n")
    monkeypatch.setenv("QUIVIVE_T", "sEcReT")
    ran = run("doctor", "--config", file, "--port", 0)
    assert ran.code == 0
    assert f"{file}: server, responses (1 connection), notify (1 channel)" in ran.out
    assert "2 secrets can be read" in ran.out
    assert "sEcReT" not in ran.out + ran.err
    assert read_settings(file).connections == 7
    empty = tmp_path / "empty.yaml"
    empty.write_text("")
    assert "empty: the defaults" in run("doctor", "--config", empty, "--port", 0).out


def test_files_that_settings_name_are_there(tmp_path: Path) -> None:
    file, odd = tmp_path / "q.yaml", tmp_path / "odd.pem"
    odd.write_text("nothing\n")
    for name, said in ((tmp_path / "gone.pem", "No such file"), (odd, "no certificates in it")):
        http = f"    http: {{ca_file: {name}}}\n"
        file.write_text(OKTA + "      token: {env: QUIVIVE_T}\n" + http)
        texts = [one.text for one in check(file, ServerSettings)]
        assert any(said in text and str(name) in text for text in texts), texts


def test_a_port_that_is_taken_or_cannot_be_is_told() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        found = port("127.0.0.1", number)
        assert (found.level, f"127.0.0.1:{number}: " in found.text) == ("warn", True)
    assert port("127.0.0.1", number).level == "ok"
    assert port("192.0.2.1", 8450).level == "warn"
    assert port("not a host", 8450).level == "warn"


def test_a_state_that_is_not_there_can_be_made_or_not(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    there = new_state(str(tmp_path / "a" / "b"))
    assert there is not None
    assert there.level == "ok"
    wrong = new_state(str(tmp_path / "file" / "b"))
    assert wrong is not None
    assert wrong.level == "missing"
    with Store(tmp_path / "state"):
        assert new_state(str(tmp_path / "state")) is None
    assert new_state("postgresql://u@h/d") is None


class _Inner(Struct, forbid_unknown_fields=True):
    name: str
    number: int = 0


class _Outer(Struct, forbid_unknown_fields=True):
    items: list[_Inner] = []
    one: _Inner | None = None
    words: dict[str, int] = {}


def test_what_is_wrong_is_left_out_and_places_are_those_that_were_given() -> None:
    given = {
        "items": [{"name": 1}, {"name": "b"}, {"nam": "c"}, {"name": "d", "number": "x"}, 7],
        "one": {"number": 1},
        "words": {"a": "x"},
        "more": 1,
    }
    found = every(given, _Outer)
    assert found.value == _Outer([_Inner("b"), _Inner("d")])
    assert found.left[".items"] == [1, 3]
    assert [place for place, _ in found.problems if place.startswith(".items")] == [
        ".items[0].name", ".items[2]", ".items[2]", ".items[3].number", ".items[4]",
    ]  # fmt: skip
    assert given["more"] == 1
    assert every(7, _Outer).value is None
    assert len(every({f"x{n}": 1 for n in range(2 * MOST)}, _Outer).problems) == MOST


values = st.recursive(
    st.none() | st.integers(-2, 2) | st.sampled_from(["a", "name", "x y"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["items", "one", "words", "name", "number", "a b"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(values)
def test_it_always_ends_with_what_can_be_converted_or_nothing(given: object) -> None:
    found = every(given, _Outer)
    try:
        whole = msgspec.convert(given, _Outer)
    except msgspec.ValidationError:
        assert found.problems
    else:
        assert (found.value, found.problems) == (whole, [])
