"""The contract every response keeps: exactly what the vendor documents, and calm when it fails."""

import json
import re
from functools import cache

import httpx2
import joserfc.jwk
import msgspec
import pytest

from quivive.app.registry import actions
from quivive.model.response import ACTIONS, CONTAINMENT, ResponseResult
from quivive.respond.client import ATTEMPTS, MOST_BODY
from quivive.respond.performing import carry_out, client_for, take_back
from quivive.respond.secret import Secret
from tests.vendor import FOLDER, SCRIPTS, Fake, Script, Time

BY_LIBRARY = {"aws", "secretsmanager"}  # asked through boto3: tests/unit/test_respond_aws.py
IDS = [f"{path.parent.name}-{path.stem}" for path in SCRIPTS]
EACH = pytest.mark.parametrize("path", SCRIPTS, ids=IDS)
TALKING = [p for p in SCRIPTS if Script(p).body["exchange"]]
EACH_TALKING = pytest.mark.parametrize(
    "path", TALKING, ids=[f"{p.parent.name}-{p.stem}" for p in TALKING]
)
NAMES = sorted(actions())


@pytest.fixture(autouse=True)
def _keys_are_imported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing an RSA key takes 50 ms, which hundreds of exchanges would add up."""
    monkeypatch.setattr("joserfc.jwk.import_key", _imported)


_imported = cache(joserfc.jwk.import_key)


def prepared(path, monkeypatch: pytest.MonkeyPatch, faults=None) -> tuple[Script, Fake, Time]:
    script = Script(path)
    for name, value in script.secrets.items():
        monkeypatch.setenv(name, value)
    return script, Fake(script.body["exchange"], faults), Time()


def run(script: Script, fake: Fake, time: Time) -> ResponseResult:
    client = script.client(fake, time)
    return carry_out(script.action, script.settings, script.request, client, clock=time.clock())


def no_secret_in(script: Script, *things: object) -> None:
    text = repr(things) + "".join(msgspec.json.encode(t).decode() for t in things)
    for secret in script.secrets.values():
        for line in [secret, *secret.splitlines()]:
            if len(line) > 8 and "-----" not in line:
                assert line not in text


@EACH
def test_exactly_what_the_vendor_documents(path, monkeypatch: pytest.MonkeyPatch) -> None:
    script, fake, time = prepared(path, monkeypatch)
    result = run(script, fake, time)
    assert not fake.left, f"not asked: {fake.left[0]['ask']}"
    wanted = dict(script.body["result"])
    retry = wanted.pop("retry", None)
    assert {name: getattr(result, name) for name in wanted} == wanted
    assert time.slept == []
    if result.status == "failed":
        assert (result.retry_after is not None) is bool(retry)
    assert len(result.asked) <= len(fake.asked)  # tokens are not told of
    no_secret_in(script, result)


@EACH
def test_a_dry_run_asks_nothing_and_says_the_same(path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = Script(path)  # and no secret is set
    request = msgspec.structs.replace(script.request, dry_run=True)
    result = carry_out(script.action, script.settings, request, None)
    if script.body["result"]["status"] == "refused" and not script.body["exchange"]:
        assert result.status == "refused"
        return
    assert result.status == "dry_run", result
    assert all(re.search(r"\b(GET|POST|PUT|PATCH|DELETE) https://|: ", w) for w in result.asked)
    assert any(not w.startswith("look") and "GET" not in w for w in result.asked)
    assert result.vendor_request_id is None


UNDONE = [p for p in SCRIPTS if "undo" in Script(p).body]


@pytest.mark.parametrize("path", UNDONE, ids=[f"{p.parent.name}-{p.stem}" for p in UNDONE])
def test_undo_asks_exactly_what_takes_it_back(path, monkeypatch: pytest.MonkeyPatch) -> None:
    script, fake, time = prepared(path, monkeypatch)
    client = script.client(fake, time)
    done = carry_out(script.action, script.settings, script.request, client, clock=time.clock())
    kept = msgspec.json.decode(msgspec.json.encode(done), type=ResponseResult)  # as in the store
    assert kept.undo
    fake.left = list(script.body["undo"])
    taken = take_back(
        script.action, script.settings, script.request, kept.undo, client, clock=time.clock()
    )
    assert taken.status == "undone", taken
    assert not fake.left
    no_secret_in(script, done, taken)


def refusals(path) -> list[int]:
    """The numbers of requests whose answer is read as JSON: a broken one cannot be used."""
    return [
        n
        for n, e in enumerate(Script(path).body["exchange"])
        if "json" in e["answer"]
        and (e["ask"]["method"] == "GET" or e["ask"]["url"].endswith(("/token", "/access_tokens")))
    ]


@EACH_TALKING
@pytest.mark.parametrize("status", [429, 503])
def test_busy_is_waited_out_and_asked_again(
    path, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, _, _ = prepared(path, monkeypatch)
    for number in range(len(script.body["exchange"])):
        busy = httpx2.Response(status, headers={"Retry-After": "2"})
        script, fake, time = prepared(path, monkeypatch, {number: busy})
        result = run(script, fake, time)
        assert result.status == script.body["result"]["status"], result
        assert time.slept == [2.0]
        assert len(fake.asked) == len(script.body["exchange"]) + 1


@EACH_TALKING
def test_a_long_wait_is_the_workers(path, monkeypatch: pytest.MonkeyPatch) -> None:
    busy = httpx2.Response(429, headers={"Retry-After": "1800"})
    script, fake, time = prepared(path, monkeypatch, {0: busy})
    result = run(script, fake, time)
    assert (result.status, result.retry_after, time.slept) == ("failed", 1800.0, [])


@EACH_TALKING
@pytest.mark.parametrize("kind", ["500", "connect", "timeout", "oversized"])
def test_a_vendor_in_trouble_is_retried_by_rule_then_left_to_the_worker(
    path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = {
        "500": httpx2.Response(500, content=b"<html>oops</html>"),
        "connect": httpx2.ConnectError("refused"),
        "timeout": httpx2.ReadTimeout("slow"),
        "oversized": httpx2.Response(200, content=b"x" * (MOST_BODY + 1)),
    }[kind]
    last = len(Script(path).body["exchange"]) - 1
    script, fake, time = prepared(path, monkeypatch, {last + n: fault for n in range(ATTEMPTS)})
    result = run(script, fake, time)
    assert result.status == "failed"
    assert result.retry_after == 0.0
    tries = len(fake.asked) - last
    wanted = script.body["exchange"][last]["ask"]
    # What would happen twice when sent twice is not sent again, unless it never arrived.
    once = kind != "connect" and ("/issue" in wanted["url"] or "/incident" in wanted["url"]
                                  or "rotate-role" in wanted["url"])  # fmt: skip
    once = once and wanted["method"] == "POST"
    assert tries == (1 if once else ATTEMPTS)
    assert len(time.slept) == tries - 1
    no_secret_in(script, result)


GARBAGE = (b"\xff\x00 not json", b"<html>", b'"text"', b"null", b"7", b"[null]", b"[[1]]",
           b'[{"id": []}]', b'{"items": 1, "result": 2, "issues": "3", "id": [], "groups": {}}',
           b'{"items": [1], "result": [2], "issues": [3], "workflow_runs": [4]}')  # fmt: skip


@EACH_TALKING
def test_garbage_is_never_taken_for_an_answer(path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in refusals(path):
        for body in GARBAGE:
            script, _, time = prepared(path, monkeypatch)
            later: list[httpx2.Request] = []
            fake = Fake(script.body["exchange"][:number])

            def asked(request: httpx2.Request, fake=fake, body=body, later=later):  # type: ignore[no-untyped-def]
                if fake.left:
                    return fake(request)
                later.append(request)
                return httpx2.Response(200, content=body if len(later) == 1 else b"{}")

            result = run(script, asked, time)
            assert "fault in the response" not in result.detail, (body, result)
            if not body.startswith((b"[", b"{")):
                assert result.status == "failed", (body, result)
                assert len(later) == 1, (body, later)
            no_secret_in(script, result)


@EACH_TALKING
def test_a_redirect_is_not_followed(path, monkeypatch: pytest.MonkeyPatch) -> None:
    away = httpx2.Response(302, headers={"Location": "http://169.254.169.254/latest/meta-data/"})
    script, fake, time = prepared(path, monkeypatch, {0: away})
    result = run(script, fake, time)
    assert (result.status, len(fake.asked)) == ("failed", 1)
    assert "redirects elsewhere (302)" in result.detail


@EACH_TALKING
def test_a_secret_that_is_missing_is_named_and_tried_again(
    path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, fake, time = prepared(path, monkeypatch)
    for name in script.secrets:
        monkeypatch.delenv(name)
    result = run(script, fake, time)
    assert (result.status, result.retry_after) == ("failed", 0.0)
    assert "environment variable" in result.detail
    assert not fake.asked


@EACH_TALKING
def test_hostile_ids_lead_nowhere_else(path, monkeypatch: pytest.MonkeyPatch) -> None:
    script, _, time = prepared(path, monkeypatch)
    evil = "../../admin?x=1#"
    known = {f.name: getattr(script.request.target, f.name)
             for f in msgspec.structs.fields(script.request.target)}  # fmt: skip
    target = {
        k: evil if isinstance(v, str) and k not in ("identity", "kind", "product") else v
        for k, v in known.items()
    }
    request = msgspec.structs.replace(
        script.request, target=msgspec.convert(target, type(script.request.target))
    )
    seen: list[httpx2.Request] = []

    def anything(asked: httpx2.Request) -> httpx2.Response:
        seen.append(asked)
        return httpx2.Response(200, content=b"{}")

    client = client_for(
        script.action, script.settings, transport=httpx2.MockTransport(anything),
        clock=time.clock(), resolver=lambda host, port: ["93.184.215.14"],
    )  # fmt: skip
    carry_out(script.action, script.settings, request, client, clock=time.clock())
    hosts = {httpx2.URL(url).host for url in script.action.hosts(script.settings)}
    for asked in seen:
        assert asked.url.host in {*hosts, "93.184.215.14"}
        assert "/../" not in asked.url.raw_path.decode()
        assert b"x=1" not in asked.url.query


@pytest.mark.parametrize("name", NAMES)
def test_action_describes_itself(name: str) -> None:
    action = actions()[name]
    assert action.name == name
    assert action.title
    assert action.vendor
    assert action.documentation.startswith("https://")
    assert action.privileges
    assert action.does
    assert set(action.does) <= set(ACTIONS)
    assert all(words.endswith(".") for words in action.does.values())
    assert set(action.undoes) <= set(action.does) & CONTAINMENT
    assert (action.undo is not None) is bool(action.undoes)
    assert action.settings.__struct_config__.forbid_unknown_fields
    assert action.products


@pytest.mark.parametrize("name", [n for n in NAMES if n not in BY_LIBRARY])
def test_everything_it_does_and_undoes_has_a_script(name: str) -> None:
    scripts = [Script(path) for path in sorted((FOLDER / name).glob("*.yaml"))]
    done = {s.request.action for s in scripts if s.body["result"]["status"] == "done"}
    assert done == set(actions()[name].does)
    undone = {s.request.action for s in scripts if "undo" in s.body}
    assert undone == set(actions()[name].undoes)


@pytest.mark.parametrize("name", NAMES)
def test_secrets_are_references(name: str) -> None:
    """No setting that sounds like a secret takes it as text."""
    for field in msgspec.structs.fields(actions()[name].settings):
        if re.search(r"(?<!credential_)(token|secret|password|key)$", field.name):
            assert field.type in (Secret, Secret | None), field.name


def test_a_secret_shows_only_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUSH", "very secret")
    secret = msgspec.convert({"env": "HUSH"}, Secret)
    assert "very" not in repr(secret) + json.dumps(msgspec.to_builtins(secret))
    assert secret.value() == "very secret"
