"""The console in Debian's Chromium: triage by keyboard, no violation, nothing from outside."""

from pathlib import Path
from typing import Any

import pytest

from tests.browser.site import chromium, sign_in

AXE = Path(__file__).parent / "axe" / "axe.min.js"
MOST_BYTES = 400_000  # of a first look at the first page, everything together
MOST_REQUESTS = 8
RULES = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'], resultTypes: ['violations']}"
TUNING = ("contexts", "contexts/shared", "sources", "drift", "models", "alerts", "verdicts")
SERIOUS = ("serious", "critical")

pytestmark = pytest.mark.skipif(
    chromium() is None,
    reason="no chromium: apt-get install chromium, or name one with QUIVIVE_CHROMIUM",
)


class Watched:
    """A page that notes what goes wrong in it, and what it asks for."""

    def __init__(self, chrome: Any, base: str, name: str, **context: Any) -> None:
        self.base = base
        self.wrong: list[str] = []
        self.asked: list[str] = []
        self.sizes: list[int] = []
        self.context = chrome.new_context(**context)
        self.page = self.context.new_page()
        self.page.set_default_timeout(8_000)
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.add_init_script(
            "document.addEventListener('securitypolicyviolation', e => "
            "console.error('violation', e.violatedDirective, e.blockedURI))"
        )
        sign_in(self.page, base, name)

    def _console(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.wrong.append(f"{message.type}: {message.text}")

    def outside(self) -> list[str]:
        return [url for url in self.asked if not url.startswith((self.base + "/", "data:"))]

    def go(self, path: str) -> None:
        self.page.goto(self.base + path)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def close(self) -> None:
        self.context.close()
        assert self.wrong == []
        assert self.outside() == []


def where(page: Any) -> str:
    return str(page.evaluate("location.pathname"))


def every_path(page: Any, base: str) -> list[str]:
    """A page of every kind that the menu and the lists lead to."""
    page.goto(base + "/")
    found = page.eval_on_selector_all("nav a", "links => links.map(a => a.getAttribute('href'))")
    for listing in ("/incidents", "/findings"):
        page.goto(base + listing)
        found.append(page.get_attribute("[data-row] [data-key=o]", "href"))
    found.append(f"{found[-1]}/verdict?kind=true_positive")
    page.goto(base + "/")
    who = page.get_attribute("a.who", "href")
    found += [who, f"{who}?by=hour", f"{who}/logins", f"{who}/erase"]
    page.goto(base + f"{who}/logins?of=findings")
    found.append(page.get_attribute("[data-row] [data-key=o]", "href"))
    found += [f"/tuning/{name}" for name in TUNING]
    return [
        *found,
        "/account",
        "/keys",
        "/tour",
        "/sources",
        "/runbooks",
        "/runbooks/takeover",
        "/sign-in",
        "/none",
    ]


def test_the_whole_triage_by_keyboard(site: str, chrome: Any) -> None:
    watched = Watched(chrome, site, "ana")
    page = watched.page
    waiting = page.locator("section[aria-labelledby=waiting] [data-row]")
    before = waiting.count()
    assert before >= 2

    watched.press("j")  # the first row has the focus…
    first = page.evaluate("document.activeElement.closest('[data-row]').dataset.row")
    watched.press("j", "k")
    assert page.evaluate("document.activeElement.closest('[data-row]').dataset.row") == first
    with page.expect_navigation():
        watched.press("a")  # …and is acknowledged
    assert "Acknowledged" in page.inner_text("[role=status]")
    assert waiting.count() == before - 1

    with page.expect_navigation():
        watched.press("j", "o")
    assert where(page).startswith("/incidents/")
    incident = where(page)
    assert page.locator(".timeline li.odd").count() >= 1
    with page.expect_navigation():
        watched.press("t")
    assert page.is_checked("input[value=true_positive]")
    assert page.evaluate("document.activeElement.name") == "why"
    page.keyboard.type("called her: not her")
    with page.expect_navigation():
        watched.press("Enter")
    assert where(page) == incident
    assert "verdict is kept" in page.inner_text("[role=status]")
    assert "not theirs" in page.inner_text(".timeline")
    assert "being looked at" in page.inner_text(".head")

    with page.expect_navigation():
        watched.press("u")
    assert where(page) == "/"
    with page.expect_navigation():
        watched.press("?")
    assert where(page) == "/keys"
    with page.expect_navigation():
        watched.press("g")
    page.wait_for_function("document.getElementById('live').textContent === 'live'")
    watched.close()


def test_keys_stay_out_of_fields_and_can_be_turned_off(site: str, chrome: Any) -> None:
    watched = Watched(chrome, site, "ana")
    page = watched.page
    watched.go("/findings")
    page.fill("input[name=who]", "")
    page.focus("input[name=who]")
    page.keyboard.type("jog?")
    assert page.input_value("input[name=who]") == "jog?"
    assert where(page) == "/findings"
    watched.go("/account")
    page.click("text=Turn single keys off")
    watched.go("/")
    watched.press("?", "j")
    assert where(page) == "/"
    assert page.evaluate("document.activeElement.closest('[data-row]')") is None
    watched.close()


def test_what_is_new_comes_by_itself(site: str, chrome: Any) -> None:
    """One person acknowledges; the page of another shows it without being loaded again."""
    mine, theirs = Watched(chrome, site, "rob"), Watched(chrome, site, "vic")
    theirs.page.wait_for_function("document.getElementById('live').textContent === 'live'")
    theirs.page.evaluate("window.kept = true")
    row = mine.page.locator("section[aria-labelledby=waiting] [data-row]").first
    name = row.get_attribute("data-row")
    row.locator("[data-key=a]").click()
    theirs.page.wait_for_selector(f"section[aria-labelledby=answered] [data-row='{name}']")
    assert theirs.page.evaluate("window.kept") is True
    mine.close()
    theirs.close()


def test_it_works_without_scripts(site: str, chrome: Any) -> None:
    watched = Watched(chrome, site, "rob", java_script_enabled=False)
    page = watched.page
    page.click("section[aria-labelledby=latest] [data-row] a.open")
    assert page.inner_text("h2").startswith("Why")
    page.click("text=Odd, in order")
    page.fill("input[name=why]", "a test")
    page.click("text=Give the verdict")
    assert "verdict is kept" in page.inner_text("[role=status]")
    assert not any(url.endswith(".js") for url in watched.asked)
    watched.close()


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (400, "dark")])
def test_every_page_is_accessible_fits_and_breaks_no_rule(
    site: str, chrome: Any, width: int, theme: str
) -> None:
    look = {"viewport": {"width": width, "height": 900}, "color_scheme": theme}
    # axe itself is put into the page from outside, past the page's own policy.
    watched = Watched(chrome, site, "ada", **look)
    page = watched.page
    axe = AXE.read_text(encoding="utf-8")
    problems = []
    for path in every_path(page, site):
        answer = page.goto(site + path)
        assert answer.status in (200, 404), path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        if path == "/none":
            watched.wrong = [w for w in watched.wrong if "404" not in w]
        page.evaluate(axe)
        violations = page.evaluate(f"axe.run(document, {RULES})")
        problems += [
            f"{path}: {found['id']} {found['nodes'][0]['html'][:160]}"
            for found in violations["violations"]
            if found["impact"] in SERIOUS
        ]
    assert problems == []
    watched.close()


def test_a_first_look_is_small(site: str, chrome: Any) -> None:
    """Bytes and requests bound the time to the first paint on any machine and network; how long it
    takes on this one is measured by ``make bench-paint``.
    """
    context = chrome.new_context()
    page = context.new_page()
    sign_in(page, site, "ana")
    client = context.new_cdp_session(page)
    client.send("Network.enable")
    client.send("Network.setCacheDisabled", {"cacheDisabled": True})
    sizes: dict[str, int] = {}
    client.on(
        "Network.loadingFinished",
        lambda event: sizes.update({event["requestId"]: event["encodedDataLength"]}),
    )
    blocking: list[str] = []
    page.on("request", lambda r: blocking.append(r.url))
    page.goto(site + "/")
    page.wait_for_load_state("load")
    context.close()
    assert len([url for url in blocking if "/live" not in url]) <= MOST_REQUESTS
    assert 0 < sum(sizes.values()) <= MOST_BYTES
