"""Who may use the console: passwords, second factors, lock-out, sessions."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from quivive.app import totp
from quivive.app.accounts import (
    ABSOLUTE,
    FIRST_WAIT,
    FREE_TRIES,
    IDLE,
    LONGEST_WAIT,
    TOTP_KEY,
    SignIn,
    may,
)
from quivive.app.errors import UsageError
from quivive.app.key_health import key_status
from quivive.app.keys import keys_of
from quivive.cli.user import command
from quivive.store.audit import Filters, Trail
from quivive.store.database import Store, StoreError
from tests.unit.console import HASHER, PASSWORD

NOW = 1_782_864_000_000


@pytest.fixture
def people(tmp_path: Path) -> Iterator[SignIn]:
    with Store(tmp_path / "state", lasting=False) as store:
        found = SignIn(store, HASHER)
        found.add("ana", "analyst", "tests", NOW, password=PASSWORD)
        yield found


# RFC 6238, appendix B (SHA-1); the last six of its eight digits.
@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_the_rfc(seconds: int, expected: str) -> None:
    assert totp.code(b"12345678901234567890", seconds // totp.STEP_SECONDS) == expected


def test_a_code_counts_a_step_early_and_late_and_not_longer() -> None:
    secret = totp.new_secret()
    now = NOW
    given = totp.code(secret, now // 30_000)
    assert totp.matching_step(secret, given, now + 30_000) == now // 30_000
    assert totp.matching_step(secret, given, now - 30_000) == now // 30_000
    assert totp.matching_step(secret, given, now + 90_000) is None
    assert totp.matching_step(secret, "１２３４５６", now) is None
    assert totp.matching_step(secret, "", now) is None


def test_the_address_holds_the_secret_that_is_written() -> None:
    secret = bytes(range(20))
    assert totp.written(secret).replace(" ", "") in totp.address(secret, "a b/c")
    assert "a%20b" in totp.address(secret, "a b/c")


def test_sign_in_gives_a_session_that_is_kept_as_its_digest(people: SignIn) -> None:
    tried = people.sign_in("ana", PASSWORD, "", NOW, "192.0.2.1")
    assert tried.account is not None
    found = people.who(tried.session, NOW)
    assert found is not None
    account, session = found
    assert (account.name, account.role) == ("ana", "analyst")
    assert tried.session.encode() not in session.digest
    assert people.who(tried.session + "x", NOW) is None
    assert tried.session not in repr(tried) + repr(session)
    assert account.password not in repr(account)


def test_a_wrong_password_an_unknown_name_and_a_disabled_one_say_the_same(people: SignIn) -> None:
    people.add("bob", "viewer", "tests", NOW, password=PASSWORD)
    people.disable("bob", "tests", NOW)
    tried = [
        people.sign_in("ana", "wrong password here", "", NOW),
        people.sign_in("nobody", PASSWORD, "", NOW),
        people.sign_in("bob", PASSWORD, "", NOW),
    ]
    assert {(t.account, t.session, t.wait) for t in tried} == {(None, "", 0)}


@pytest.mark.parametrize("name", ["ana", "nobody"])
def test_failures_lock_a_name_out_for_longer_and_longer(people: SignIn, name: str) -> None:
    now, waits = NOW, []
    for _ in range(FREE_TRIES + 9):
        wait = people.sign_in(name, "wrong password here", "", now).wait
        waits.append(wait)
        now += wait
    assert waits[: FREE_TRIES - 1] == [0] * (FREE_TRIES - 1)
    assert waits[FREE_TRIES - 1 : FREE_TRIES + 2] == [FIRST_WAIT, 2 * FIRST_WAIT, 4 * FIRST_WAIT]
    assert waits[-1] == LONGEST_WAIT
    people.sign_in(name, "wrong password here", "", now)
    # The right password does not help while it lasts, and nothing says that it was right.
    assert people.sign_in(name, PASSWORD, "", now + LONGEST_WAIT - 1).account is None
    after = people.sign_in(name, PASSWORD, "", now + LONGEST_WAIT + 1)
    assert (after.account is not None) == (name == "ana")


def test_success_forgives(people: SignIn) -> None:
    for _ in range(FREE_TRIES - 1):
        people.sign_in("ana", "wrong password here", "", NOW)
    assert people.sign_in("ana", PASSWORD, "", NOW).account is not None
    assert people.sign_in("ana", "wrong password here", "", NOW).wait == 0


def test_a_second_factor_is_asked_for_and_no_code_counts_twice(people: SignIn) -> None:
    secret = totp.new_secret()
    codes = people.enrol("ana", secret, totp.code(secret, NOW // 30_000), NOW)
    assert codes is not None
    assert len(set(codes)) == 8
    later = NOW + 60_000
    code = totp.code(secret, later // 30_000)
    assert people.sign_in("ana", PASSWORD, "", later).account is None
    assert people.sign_in("ana", PASSWORD, totp.code(secret, NOW // 30_000), NOW).account is None
    assert people.sign_in("ana", PASSWORD, code, later).account is not None
    assert people.sign_in("ana", PASSWORD, code, later).account is None
    kept = people.kept.get("ana")
    assert kept is not None
    assert totp.written(secret).replace(" ", "") not in kept.totp


def test_recovery_codes_work_once_each(people: SignIn) -> None:
    secret = totp.new_secret()
    codes = people.enrol("ana", secret, totp.code(secret, NOW // 30_000), NOW)
    assert codes is not None
    assert people.sign_in("ana", PASSWORD, codes[3].upper(), NOW).account is not None
    assert people.sign_in("ana", PASSWORD, codes[3], NOW).account is None
    assert people.sign_in("ana", PASSWORD, codes[4], NOW).account is not None


def test_without_the_key_of_the_second_factors_recovery_codes_still_work(people: SignIn) -> None:
    secret = totp.new_secret()
    codes = people.enrol("ana", secret, totp.code(secret, NOW // 30_000), NOW)
    assert codes is not None
    store = people.kept.store
    assert key_status(store) == []
    (keys_of(store) / TOTP_KEY).unlink()
    assert "second factors of 1 user" in key_status(store)[0].text
    restored = SignIn(store, HASHER)  # makes another key
    assert "second factors of 1 user" in key_status(store)[0].text
    later = NOW + 60_000
    right = totp.code(secret, later // 30_000)
    assert restored.sign_in("ana", PASSWORD, right, later).account is None
    assert restored.sign_in("ana", PASSWORD, codes[0], later).account is not None


def test_sessions_end_when_idle_and_at_last(people: SignIn) -> None:
    idle = people.sign_in("ana", PASSWORD, "", NOW).session
    assert people.who(idle, NOW + IDLE - 1, use=False) is not None
    assert people.who(idle, NOW + IDLE) is None
    assert people.who(idle, NOW) is None  # ended for good
    used = people.sign_in("ana", PASSWORD, "", NOW).session
    at = NOW
    while at + IDLE - 1 < NOW + ABSOLUTE:
        at += IDLE - 1
        assert people.who(used, at) is not None
    assert people.who(used, NOW + ABSOLUTE) is None


def test_looking_by_itself_keeps_no_session_alive(people: SignIn) -> None:
    session = people.sign_in("ana", PASSWORD, "", NOW).session
    assert people.who(session, NOW + IDLE - 1, use=False) is not None
    assert people.who(session, NOW + IDLE + 1, use=False) is None


@pytest.mark.parametrize("what", ["role", "reset", "disable", "password"])
def test_what_changes_an_account_ends_its_sessions(people: SignIn, what: str) -> None:
    session = people.sign_in("ana", PASSWORD, "", NOW).session
    if what == "role":
        people.set_role("ana", "viewer", "tests", NOW)
    elif what == "reset":
        assert len(people.reset("ana", "tests", NOW)) == 19
    elif what == "disable":
        people.disable("ana", "tests", NOW)
    else:
        people.set_password("ana", "a quite new sentence", NOW)
    assert people.who(session, NOW) is None


def test_reset_takes_the_second_factor_and_the_lock_away(people: SignIn) -> None:
    secret = totp.new_secret()
    people.enrol("ana", secret, totp.code(secret, NOW // 30_000), NOW)
    for _ in range(FREE_TRIES + 1):
        people.sign_in("ana", "wrong password here", "", NOW)
    made = people.reset("ana", "tests", NOW)
    tried = people.sign_in("ana", made, "", NOW)
    assert tried.account is not None
    assert tried.account.must_change


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short", "at least 12"),
        ("a" * 300, "at most 256"),
        ("aaaaaaaaaaaaaa", "guessed"),
        ("xx-bernadette-xx", "guessed"),
    ],
)
def test_poor_passwords_are_refused(people: SignIn, password: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        people.add("bernadette", "viewer", "tests", NOW, password=password)


@pytest.mark.parametrize("name", ["", "a b", "a\x00b", "x" * 65, "\u202eab"])
def test_names_are_plain(people: SignIn, name: str) -> None:
    with pytest.raises(UsageError, match="name"):
        people.add(name, "viewer", "tests", NOW, password=PASSWORD)


def test_unknown_roles_taken_names_and_missing_users_are_said(people: SignIn) -> None:
    with pytest.raises(UsageError, match="no role 'boss'"):
        people.set_role("ana", "boss", "tests", NOW)
    with pytest.raises(StoreError, match="there is a user 'ana'"):
        people.add("ana", "viewer", "tests", NOW, password=PASSWORD)
    with pytest.raises(StoreError, match="no user 'zoe'"):
        people.disable("zoe", "tests", NOW)


def test_roles_are_a_ladder() -> None:
    assert may("admin", "viewer")
    assert may("analyst", "analyst")
    assert not may("viewer", "analyst")
    assert not may("nobody", "viewer")


def test_all_of_it_is_recorded_and_no_secret_is(people: SignIn) -> None:
    people.sign_in("ana", "wrong password here", "", NOW, "192.0.2.1")
    people.sign_in("ana", PASSWORD, "", NOW, "192.0.2.1")
    made = people.reset("ana", "root", NOW)
    records = list(Trail(people.kept.store).records(Filters(subject="user ana")))
    refused = list(Trail(people.kept.store).records(Filters(action="session")))
    assert [r.action for r in records] == [
        "user:added", "session:refused", "session:began", "user:reset"
    ]  # fmt: skip
    assert msgspec.json.decode(refused[0].details)["from"] == "192.0.2.1"
    everything = "".join(r.details for r in [*records, *refused])
    assert PASSWORD not in everything
    assert made not in everything


def test_the_command_makes_lists_and_resets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quivive.app.accounts.PasswordHasher", lambda **_: HASHER)
    state, run = str(tmp_path / "state"), CliRunner()
    assert "no user" in run.invoke(command, ["list", "--state", state]).stderr
    made = run.invoke(command, ["add", "eve", "--role", "admin", "--state", state])
    assert made.exit_code == 0, made.output
    assert len(made.stdout.strip()) == 19
    again = run.invoke(command, ["reset", "eve", "--state", state]).stdout.strip()
    assert again != made.stdout.strip()
    run.invoke(command, ["role", "eve", "--role", "viewer", "--state", state])
    run.invoke(command, ["disable", "eve", "--state", state])
    assert run.invoke(command, ["list", "--state", state]).stdout == (
        "eve  viewer  password only  disabled\n"
    )
    run.invoke(command, ["disable", "eve", "--undo", "--state", state])
    given = run.invoke(
        command,
        ["add", "dan", "--role", "viewer", "--password-stdin", "--state", state],
        input=f"{PASSWORD}\n",
    )
    assert given.exit_code == 0
    assert given.stdout == ""
    with Store(state, lasting=False) as store:
        people = SignIn(store, HASHER)
        assert people.sign_in("dan", PASSWORD, "", NOW).account is not None
        assert people.sign_in("eve", again, "", NOW).account is not None
