"""Every request to the console: who may, from where, and what is sent with every answer."""

import re
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from sqlalchemy.exc import OperationalError

from quivive.app import totp
from quivive.app.accounts import ABSOLUTE, IDLE, ROLES, may
from quivive.model.verdict import KINDS
from quivive.server.console.app import POLICY
from quivive.server.console.page import Page
from quivive.server.console.pages import found as all_pages
from quivive.server.console.visit import local
from quivive.store.audit import Trail
from tests.unit.console import PASSWORD, USERS, Browser, cheap, line, put
from tests.unit.serving import NOW, Served

SAFE = "GET"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    state = tmp_path_factory.mktemp("console") / "state"
    put(state, [line(n) for n in range(3)])
    found = cheap(Served(state))
    yield found
    found.close()


@pytest.fixture(scope="module")
def visitors(served: Served) -> dict[str, Browser]:
    return {role: Browser(served, name) for name, role in USERS.items()}


def pages() -> list[Page]:
    return all_pages()[0]


def path_of(page: Page) -> str:
    return re.sub(r"\{\w+(:path)?\}", "login-0", page.path)


def test_every_page_sends_strangers_to_sign_in(served: Served) -> None:
    stranger = Browser(served)
    checked = 0
    for page in pages():
        answer = stranger.ask(page.method, path_of(page))
        if page.role is None:
            continue
        checked += 1
        if page.method == SAFE:
            assert answer.status_code == 303, page.path
            assert answer.headers["location"].startswith("/sign-in"), page.path
        else:
            assert answer.status_code == 401, page.path
    assert checked > 15


def test_only_these_pages_need_nobody(served: Served) -> None:
    assert {p.path for p in pages() if p.role is None} <= {
        "/sign-in", "/verdict/{token}", "/sign-in/oidc", "/sign-in/oidc/back"
    }  # fmt: skip


@pytest.mark.parametrize("role", ROLES)
def test_every_page_asks_for_its_role(
    served: Served, visitors: dict[str, Browser], role: str
) -> None:
    for page in pages():
        if page.role is None or page.path in ("/live", "/sign-out"):
            continue
        answer = visitors[role].ask(page.method, path_of(page))
        if may(role, page.role):
            assert page.method != SAFE or answer.status_code != 403, page.path
        else:
            assert answer.status_code == 403, page.path
            assert f"It takes the role {page.role}" in answer.text


def test_forms_need_their_token_an_own_page_and_a_form(
    served: Served, visitors: dict[str, Browser]
) -> None:
    browser = visitors["admin"]
    other = visitors["analyst"].form("/account")
    for page in pages():
        if page.method == SAFE or page.role is None:
            continue
        path = path_of(page)
        assert browser.ask("POST", path, data={"why": "x"}).status_code == 403, path
        assert browser.ask("POST", path, data={"csrf": other}).status_code == 403, path
        assert browser.ask("POST", path, json={}).status_code == 415, path
    token = browser.form("/account")
    for headers in (
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ):
        answer = browser.ask(
            "POST", "/theme", data={"csrf": token, "theme": "dark"}, headers=headers
        )
        assert answer.status_code == 403, headers
        assert "own pages" in answer.text
    fine = browser.ask(
        "POST", "/theme", data={"csrf": token, "theme": "dark", "next": "/"},
        headers={"origin": "http://q", "sec-fetch-site": "same-origin"},
    )  # fmt: skip
    assert fine.status_code == 303
    by_header = browser.ask("POST", "/theme", data={"theme": ""}, headers={"x-csrf-token": token})
    assert by_header.status_code == 303


def test_forms_are_bounded(visitors: dict[str, Browser]) -> None:
    browser = visitors["analyst"]
    assert browser.ask("POST", "/theme", data={"theme": "x" * 70_000}).status_code == 413
    head = {"content-type": "application/x-www-form-urlencoded"}
    many = "&".join(f"f{n}=1" for n in range(300))
    assert browser.ask("POST", "/theme", content=many, headers=head).status_code == 400
    assert browser.ask("POST", "/theme", content=b"\xff=\xfe", headers=head).status_code == 400


def test_every_answer_carries_the_policy(served: Served, visitors: dict[str, Browser]) -> None:
    stranger = Browser(served)
    style = re.search(r'href="(/assets/console\.[0-9a-f]{12}\.css)"', stranger.get("/sign-in").text)
    assert style is not None
    for answer in (
        stranger.get("/sign-in"),
        stranger.get("/"),
        stranger.get("/nothing"),
        stranger.get(style[1]),
        visitors["viewer"].get("/"),
        visitors["viewer"].get("/incidents/none"),
        stranger.get("/verdict/x"),
    ):
        assert answer.headers["content-security-policy"] == POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        kept = answer.headers["cache-control"]
        assert ("immutable" in kept) == (answer.url.path == style[1])
    assert "unsafe" not in POLICY
    assert "http" not in POLICY


def test_the_api_stays_what_it_is(served: Served, visitors: dict[str, Browser]) -> None:
    assert visitors["admin"].get("/v1/policy").status_code == 401
    assert visitors["admin"].get("/healthz").status_code == 200
    assert visitors["admin"].get("/metrics").status_code == 401


def test_cookies_are_for_this_host_and_no_script(served: Served) -> None:
    browser = Browser(served)
    answer = browser.sign_in("ana")
    assert answer.status_code == 303
    set_cookies = answer.headers.get_list("set-cookie")
    session = next(c for c in set_cookies if c.startswith("quivive="))
    assert "HttpOnly" in session
    assert "SameSite=lax" in session
    assert "Path=/" in session
    assert "Secure" not in session
    console = served.server.console
    console.tls = True
    try:
        over_tls = Browser(served, base="https://q").sign_in("ana").headers.get_list("set-cookie")
        assert any(c.startswith("__Host-quivive=") and "Secure" in c for c in over_tls)
        assert "strict-transport-security" in Browser(served).get("/sign-in").headers
    finally:
        console.tls = False


def test_signing_in_rotates_and_signing_out_ends(served: Served) -> None:
    browser = Browser(served, "ana")
    first = browser.cookies["quivive"]
    stolen = Browser(served)
    stolen.cookies.set("quivive", first)
    assert stolen.get("/").status_code == 200
    assert browser.post("/sign-out").headers["location"] == "/sign-in?said=signed-out"
    assert stolen.get("/").status_code == 303
    browser.sign_in("ana")
    assert browser.cookies["quivive"] != first


def test_a_sign_in_form_of_another_browser_does_not_count(served: Served) -> None:
    token = Browser(served).form("/sign-in")
    answer = Browser(served).ask(
        "POST", "/sign-in", data={"csrf": token, "name": "ana", "password": PASSWORD}
    )
    assert answer.status_code == 403
    assert "quivive" not in answer.cookies


def test_wrong_sign_ins_look_alike_and_say_how_long_to_wait(served: Served) -> None:
    said = set()
    for name in ("ada", "nobody-here"):
        browser = Browser(served)
        for _ in range(4):
            answer = browser.sign_in(name, "wrong password here")
            assert answer.status_code == 403
            assert "Name, password or code is not right." in answer.text
            assert "Too many" not in answer.text
        locked = browser.sign_in(name, "wrong password here").text
        said.add(re.search(r"Too many tries: wait [^.]+\.", locked)[0])  # type: ignore[index]
    assert len(said) == 1
    served.server.console.sign_in.kept.forgive(_digest("ada"))


def _digest(name: str) -> bytes:
    from quivive.app.accounts import _digest as digest

    return digest(name)


def test_a_crowd_at_the_door_is_told_to_wait(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(served.server.console, "_waiting", 32)
    answer = Browser(served).sign_in("ana")
    assert answer.status_code == 429
    assert "Try again" in answer.text


def test_a_store_that_is_gone_is_said(
    served: Served, visitors: dict[str, Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise OperationalError("SELECT", {}, Exception("disk I/O error of /secret/path"))

    monkeypatch.setattr("quivive.store.console.urgent", gone)
    answer = visitors["analyst"].get("/")
    assert answer.status_code == 503
    assert "Nothing is lost" in answer.text
    assert "/secret" not in answer.text


def test_a_fault_says_nothing_of_itself(
    served: Served, visitors: dict[str, Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("ann@example.com")

    monkeypatch.setattr("quivive.store.console.urgent", broken)
    answer = visitors["analyst"].get("/")
    assert answer.status_code == 500
    assert "ann@example.com" not in answer.text


def test_sessions_end_by_the_clock(served: Served) -> None:
    browser = Browser(served, "ana")
    try:
        served.now = NOW + IDLE - 1
        assert browser.get("/now", headers={"hx-request": "true"}).status_code == 200
        served.now = NOW + IDLE + 1
        gone = browser.get("/now", headers={"hx-request": "true"})
        assert gone.status_code == 401
        assert gone.headers["hx-redirect"] == "/sign-in?said=ended"
        assert ABSOLUTE > IDLE
    finally:
        served.now = NOW


def test_a_made_password_has_to_be_changed_first(served: Served) -> None:
    made = served.server.console.sign_in.add("new", "analyst", "tests", NOW)
    browser = Browser(served)
    assert browser.sign_in("new", made).headers["location"] == "/account"
    assert browser.get("/").headers["location"] == "/account"
    for fields, why in (
        (
            {"present": "no", "new": "a quite new sentence", "again": "a quite new sentence"},
            "present",
        ),
        ({"present": made, "new": "a quite new sentence", "again": "another"}, "same both times"),
        ({"present": made, "new": "short", "again": "short"}, "at least 12"),
    ):
        answer = browser.post("/account/password", **fields)
        assert answer.status_code == 422
        assert why in answer.text
    done = browser.post(
        "/account/password", present=made, new="a quite new sentence", again="a quite new sentence"
    )
    assert done.status_code == 303
    assert browser.get("/").status_code == 200


def test_a_second_factor_by_the_page(served: Served) -> None:
    served.server.console.sign_in.add("tom", "viewer", "tests", NOW, password=PASSWORD)
    browser = Browser(served, "tom")
    page = browser.get("/account").text
    secret = re.search(r'name="secret" value="([A-Z2-7]+)"', page)[1]  # type: ignore[index]
    wrong = browser.post("/account/factor", secret=secret, code="000000")
    assert wrong.status_code == 422
    assert f'value="{secret}"' in wrong.text
    import base64

    code = totp.code(base64.b32decode(secret), NOW // 30_000)
    taken = browser.post("/account/factor", secret=secret, code=code)
    assert "recovery codes" in taken.text
    assert browser.post("/account/factor", secret="AAAA", code=code).status_code == 422
    again = Browser(served)
    assert again.sign_in("tom").status_code == 403
    served.now = NOW + 60_000
    try:
        code = totp.code(base64.b32decode(secret), served.now // 30_000)
        assert again.sign_in("tom", code=code).status_code == 303
    finally:
        served.now = NOW


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "evil",
        "/a\nb",
        "",
        "/" + "x" * 3000,
    ],
)
def test_going_on_stays_here(served: Served, path: str) -> None:
    assert local(path) == "/"
    browser = Browser(served)
    browser.get(f"/sign-in?next={quote(path)}")
    answer = browser.post("/sign-in", "/sign-in", name="ana", password=PASSWORD, next=path)
    assert answer.headers["location"] == "/"


def test_going_on_goes_where_one_wanted(served: Served) -> None:
    browser = Browser(served)
    wanted = browser.get("/findings?min_risk=60").headers["location"]
    assert wanted == "/sign-in?next=%2Ffindings%3Fmin_risk%3D60"
    answer = browser.post(
        "/sign-in", "/sign-in", name="ana", password=PASSWORD, next="/findings?min_risk=60"
    )
    assert answer.headers["location"] == "/findings?min_risk=60"


def test_looks_at_a_person_are_recorded_once_in_a_while(served: Served) -> None:
    browser = Browser(served, "rob")
    for _ in range(3):
        assert browser.get("/findings/login-1").status_code == 200
    with_store = Trail(served.server.context.store)
    looks = [r for r in with_store.records() if r.action == "access:login" and r.actor == "rob"]
    assert len(looks) == 1
    assert looks[0].subject == "ann@example.com"


def test_no_user_yet_says_how_to_make_one(tmp_path) -> None:
    empty = Served(tmp_path / "state")
    try:
        answer = Browser(empty).get("/sign-in")
        assert "quivive user add" in answer.text
    finally:
        empty.close()


def test_unknown_methods_and_paths_are_said(served: Served, visitors: dict[str, Browser]) -> None:
    assert visitors["admin"].ask("DELETE", "/findings").status_code == 405
    assert visitors["admin"].get("/nothing/here").status_code == 404
    assert visitors["admin"].ask("HEAD", "/runbooks").status_code == 200
    assert visitors["admin"].get("/incidents/INC-none").status_code == 404
    assert visitors["admin"].get("/findings/none").status_code == 404
    assert visitors["admin"].get(f"/findings/{KINDS[0]}/verdict").status_code == 404
