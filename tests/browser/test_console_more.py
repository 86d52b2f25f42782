"""Identity, executive and tuning pages in Debian's Chromium."""

import re
from typing import Any

import pytest

from tests.browser.site import chromium
from tests.browser.test_console import Watched, where

pytestmark = pytest.mark.skipif(
    chromium() is None,
    reason="no chromium: apt-get install chromium, or name one with QUIVIVE_CHROMIUM",
)


def test_from_a_name_to_every_signal_of_a_login_by_keyboard(site: str, chrome: Any) -> None:
    watched = Watched(chrome, site, "ana")
    page = watched.page
    watched.go("/identities")
    with page.expect_navigation():
        watched.press("j", "o")
    assert re.fullmatch(r"/identities/[0-9a-f]{16}", where(page))
    assert page.locator("svg.scatter .in").count() > 5
    blue = page.evaluate("getComputedStyle(document.querySelector('.scatter .in')).fill")
    red = page.evaluate("getComputedStyle(document.querySelector('.key.out')).color")
    assert blue != red
    with page.expect_navigation():
        page.click("nav.switch >> text=hour")
    assert page.locator("svg.scatter .label").count() == 24
    with page.expect_navigation():
        watched.press("n")
    first = page.get_attribute("[data-row]", "data-row")
    with page.expect_navigation():
        watched.press("n")
    assert page.get_attribute("[data-row]", "data-row") != first
    with page.expect_navigation():
        watched.press("j", "o")
    assert "/logins/" in where(page)
    with page.expect_navigation():
        watched.press("u")
    assert re.fullmatch(r"/identities/[0-9a-f]{16}", where(page))
    watched.close()


def test_a_slider_shows_who_would_be_touched_before_anything_is_saved(
    site: str, chrome: Any
) -> None:
    watched = Watched(chrome, site, "ada")
    page = watched.page
    watched.go("/tuning")
    assert "Put it in force" not in page.inner_text("#seen")
    page.locator(".slider input:enabled").first.fill("1")
    page.wait_for_selector("#seen >> text=Put it in force")
    assert page.inner_text(".slider output >> nth=0").startswith("1/hour")
    assert "logins of 14 days" in page.inner_text("#seen")
    assert where(page) == "/tuning"
    page.fill("#seen input[name=why]", "one at a time")
    with page.expect_navigation():
        page.click("#seen button.primary")
    assert "in force" in page.inner_text("[role=status]")
    assert page.input_value(".slider input:enabled >> nth=0") == "1"
    page.click("aside ul.plain button")
    assert "shipped" in page.inner_text("h2 .dim >> nth=0")
    watched.close()


def test_budgets_of_findings_move_without_a_new_page(site: str, chrome: Any) -> None:
    watched = Watched(chrome, site, "ana")
    page = watched.page
    watched.go("/tuning/alerts")
    page.evaluate("window.kept = true")
    page.locator("#step-human").fill("9")
    page.wait_for_selector("#found >> text=People: 2 %")
    assert page.evaluate("window.kept") is True
    watched.close()


def test_the_executive_page_prints_and_its_report_opens_without_network(
    site: str, chrome: Any
) -> None:
    watched = Watched(chrome, site, "ana")
    page = watched.page
    watched.go("/executive?days=28")
    page.emulate_media(media="print")
    assert not page.is_visible("header.bar")
    page.emulate_media(media="screen")
    with page.expect_download() as found:
        page.click("text=as PDF")
    assert found.value.path().read_bytes().startswith(b"%PDF")
    with page.expect_download() as found:
        page.click("text=Report as HTML")
    saved = found.value.path()
    plain = chrome.new_context(offline=True).new_page()
    asked: list[str] = []
    plain.on("request", lambda r: asked.append(r.url))
    plain.set_content(saved.read_text(encoding="utf-8"))
    assert plain.inner_text("h1") == "Logins that were not theirs"
    assert asked == []
    plain.context.close()
    watched.close()


def test_tuning_works_without_scripts(site: str, chrome: Any) -> None:
    watched = Watched(chrome, site, "rob", java_script_enabled=False)
    page = watched.page
    watched.go("/tuning")
    page.click("#sliders button.primary")
    assert "logins of 14 days" in page.inner_text("#seen")
    watched.go("/tuning/contexts")
    page.select_option("select[name=kind]", "maintenance")
    page.fill("input[name=reason]", "patching the bastion")
    page.fill("textarea[name=addresses]", "198.51.100.0/28")
    page.click("aside button.primary")
    assert "patching the bastion" in page.inner_text("main")
    page.click("tr summary")
    page.fill("tr input[name=why]", "done early")
    page.click("tr button")
    assert "Ended." in page.inner_text("[role=status]")
    watched.close()


def test_the_map_is_drawn_on_land_of_our_own_and_fits_a_phone(site: str, chrome: Any) -> None:
    for width, theme in ((1280, "light"), (400, "dark")):
        look = {"viewport": {"width": width, "height": 900}, "color_scheme": theme}
        watched = Watched(chrome, site, "vic", **look)
        page = watched.page
        watched.go("/incidents")
        watched.go(page.get_attribute("[data-row] [data-key=o]", "href"))
        page.wait_for_function("document.querySelector('.map use').getBBox().width > 0")
        box = page.locator(".map").bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["width"] >= 250  # so that its numbers can be read
        assert page.evaluate("getComputedStyle(document.querySelector('.map .land')).fill") not in (
            "rgb(0, 0, 0)",
            page.evaluate("getComputedStyle(document.querySelector('.map .sea')).fill"),
        )
        numbers = set(page.locator(".map .number").all_text_contents())
        assert numbers <= set(page.locator("table.places td:first-child").all_text_contents())
        watched.close()


def test_a_context_and_an_override_by_keyboard(site: str, chrome: Any) -> None:
    watched = Watched(chrome, site, "ada")
    page = watched.page
    watched.go("/incidents")
    with page.expect_navigation():
        watched.press("j", "o")
    who = page.inner_text("h1 .who")
    with page.expect_navigation():
        watched.press("x")
    assert page.input_value("select[name=kind]") == "override"
    assert who in page.input_value("textarea[name=identities]")
    assert page.evaluate("document.activeElement.name") == "reason"
    page.go_back()
    with page.expect_navigation():
        watched.press("c")
    assert page.evaluate("document.activeElement.name") == "kind"
    page.keyboard.type("grace")
    page.keyboard.press("Tab")
    page.keyboard.type("a new phone")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "Kept" in page.inner_text("[role=status]")
    assert "a new phone" in page.inner_text("main")
    watched.close()


def test_a_budget_of_findings_is_seen_then_held(site: str, chrome: Any) -> None:
    watched = Watched(chrome, site, "ada")
    page = watched.page
    watched.go("/tuning/alerts")
    page.locator("#step-service").fill("5")
    page.wait_for_selector("#found >> text=Machines: 0.5 %")
    form = page.locator("form.hold").nth(1)
    assert form.locator("input[name=budget]").input_value() == "0.5%"
    form.locator("input[name=why]").fill("fewer at night")
    with page.expect_navigation():
        form.locator("button").click()
    assert "from the next login on" in page.inner_text("[role=status]")
    assert "0.5% holds" in page.inner_text("#found")
    assert page.input_value("#step-service") == "5"
    with page.expect_navigation():
        page.click("text=No budget any more")
    assert "0.5% holds" not in page.inner_text("#found")
    watched.close()
