"""The report in a real browser: nothing from a network, nothing that keeps a reader out."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright
from ruamel.yaml import YAML

from conftest import run
from imports import ROOT
from nicelab.report.contents import read_contents
from nicelab.report.render import render

pytestmark = pytest.mark.slow

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PICTURES = len(list((ROOT / "figures").glob("*.png")))
SIZES = {"phone": (390, 844), "desktop": (1440, 900)}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, wherever it is; where there is none the tests are skipped, unless CI asks."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        message = "no Chromium here: install one to test the report (Debian: chromium)"
        pytest.fail(message) if os.environ.get("NICELAB_BROWSER") else pytest.skip(message)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-background-networking"]
        )


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    parts = (ROOT / name for name in ("results", "figures", "stages", "params.yaml"))
    path.write_text(render(read_contents(*parts)))
    return path


@pytest.fixture(params=SIZES)
def page(request: pytest.FixtureRequest, browser: Browser, report: Path) -> Iterator[Page]:
    """The report at one width; whatever it says or asks for is noted."""
    width, height = SIZES[request.param]
    page = browser.new_page(viewport={"width": width, "height": height})
    page.said, page.asked = [], []
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    page.on("request", lambda request: page.asked.append(request.url))
    page.goto(report.as_uri())
    yield page
    page.close()


def test_it_is_silent_and_asks_for_nothing(page: Page, report: Path) -> None:
    assert page.said == []
    assert {url for url in page.asked if not url.startswith("data:")} == {report.as_uri()}


def test_pictures_are_drawn_and_described(page: Page) -> None:
    images = page.locator("img").all()
    assert len(images) == PICTURES
    for image in images:
        assert len(image.get_attribute("alt")) > 40
        assert image.evaluate("image => image.complete && image.naturalWidth > 0")


def test_nothing_is_wider_than_the_page(page: Page) -> None:
    wider = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(wider) <= 0


def test_no_cell_of_a_table_is_cut(page: Page) -> None:
    """On a phone the rows are stacked; elsewhere wide tables take the margins, or are scrolled."""
    page.evaluate("document.querySelectorAll('details.table').forEach(it => it.open = true)")
    assert page.locator("details.table").count() > 15
    test_nothing_is_wider_than_the_page(page)
    hidden = "it => it.scrollWidth - it.clientWidth"
    tables = page.locator("main .scroll").all()
    scrolled = [table for table in tables if table.evaluate(hidden) > 1]
    assert not scrolled or page.viewport_size["width"] > 390
    first = page.locator("#results td").first.evaluate("it => getComputedStyle(it).position")
    assert first == ("sticky" if page.viewport_size["width"] > 640 else "static")


def test_what_is_printed_is_open(page: Page) -> None:
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    found = Axe().run(page).response["violations"]
    serious = [fault for fault in found if fault["impact"] in ("serious", "critical")]
    told = [
        (fault["id"], [node["html"][:200] for node in fault["nodes"][:3]]) for fault in serious
    ]
    assert not serious, told


def test_a_picture_is_enlarged_and_closed_without_a_script(page: Page) -> None:
    picture = page.locator("#figure-ladder img")
    before = picture.bounding_box()["width"]
    picture.click()
    assert picture.bounding_box()["width"] > max(before, 1400) - 1
    page.locator("#figure-ladder .close").click()
    assert picture.bounding_box()["width"] == before
    assert not page.locator("#figure-ladder .close").is_visible()


def test_a_point_tells_its_value(page: Page) -> None:
    dot = page.locator("#figure-ladder .dot").last
    dot.scroll_into_view_if_needed()
    dot.hover(force=True)
    shown = dot.evaluate("dot => getComputedStyle(dot, '::after').content")
    assert dot.get_attribute("data-label") in shown


def test_the_keyboard_reaches_the_contents_first(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to what was found"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "What we found"


def test_a_slider_shows_the_ascent_step_by_step(page: Page) -> None:
    """At first its end; without a script that is all there is."""
    window, slider = page.locator(".film .window"), page.locator(".film input")
    last = window.screenshot()
    slider.fill("0")
    first = window.screenshot()
    assert first != last
    slider.focus()
    page.keyboard.press("End")
    assert window.screenshot() == last


def test_without_a_script_everything_is_still_there(browser: Browser, report: Path) -> None:
    page = browser.new_page(java_script_enabled=False)
    page.goto(report.as_uri())
    assert page.locator("figure img").count() == PICTURES
    assert page.locator(".film .window").is_visible()
    assert not page.locator(".film label").is_visible()
    page.close()


def test_the_page_of_dvc_plots_draws_every_curve(browser: Browser, tmp_path: Path) -> None:
    """Its libraries come from a network, so a stand-in notes what they are given."""
    run(ROOT, "dvc", "plots", "show", "--out", str(tmp_path))
    page, said = browser.new_page(), []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.route("https://**", lambda route: route.abort())
    page.add_init_script(
        "window.drawn = []; window.vegaEmbed = (id, spec) => drawn.push("
        "[document.querySelectorAll(id).length, spec.title.text ?? spec.title, "
        "spec.data.values.length])"
    )
    page.goto((tmp_path / "index.html").as_uri())
    assert said == []
    assert [(found, title) for found, title, _ in page.evaluate("drawn")] == [
        (1, plot["title"]) for named in declared_plots() for plot in named.values()
    ]
    assert all(count > 10 for _, _, count in page.evaluate("drawn"))
    curves = page.evaluate("document.body.innerHTML.indexOf('vegaEmbed')")
    assert 0 < curves < page.evaluate("document.body.innerHTML.indexOf('<img')")
    page.close()


def declared_plots() -> list[dict[str, dict[str, str]]]:
    return YAML(typ="safe", pure=True).load(ROOT / "dvc.yaml")["plots"]
