"""The pages in a real browser: they work, by keyboard too, on a phone's width, without the internet."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from fullcircle.log.database import connect
from fullcircle.serving.monitor import page_of
from tests.serving.reports import HOSTILE, alarmed, kept, read, report, ruled
from tests.serving.servers import serving
from tests.serving.test_logged import config, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import sqlalchemy as sql

    from tests.serving.servers import Server

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium here: apt-get install chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="`make test-page` installs playwright")
    with playwright.sync_playwright() as driver:
        made = driver.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield made
        made.close()


@contextmanager
def opened(browser: Any, url: str, **options: Any) -> Iterator[Any]:
    """A page on a phone, which has no error and loads nothing from elsewhere."""
    made = browser.new_page(viewport={"width": 390, "height": 800}, **options)
    errors: list[str] = []
    asked: list[str] = []
    made.on("pageerror", lambda error: errors.append(str(error)))
    made.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    made.on("request", lambda request: asked.append(request.url))
    made.goto(url)
    yield made
    made.close()
    assert [error for error in errors if "422" not in error] == []
    assert [one for one in asked if not one.startswith((url.partition("/monitor")[0], "data:"))] == []


@pytest.fixture
def page(browser: Any, server: Server) -> Iterator[Any]:
    with opened(browser, server.url) as made:
        yield made


def filled(folder: Path) -> sql.Engine:
    """A log whose reports have 60 days, two bundles, drift, alerts, and levels that look like HTML."""
    engine = connect(f"sqlite:///{folder}/log.sqlite")
    first = [report(day, shifted=day > 20, level=HOSTILE) for day in range(30) if day != 11]
    later = [
        report(day, bundle="b" * 64, version="0.2.0", outcomes=day < 55, complete=day < 52) for day in range(30, 60)
    ]
    kept(engine, first + later)
    for bundle in ("a" * 64, "b" * 64):
        ruled(engine, bundle)
    alarmed(engine, "b" * 64, "2013-01-25", HOSTILE)
    return engine


@pytest.fixture(scope="module")
def monitored(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the page of monitoring of a server."""
    home = tmp_path_factory.mktemp("pages")
    filled(home).dispose()
    with serving(folder, "--config", config(home)) as made:
        yield f"{made.url}/monitor"


@pytest.fixture
def monitor(browser: Any, monitored: str) -> Iterator[Any]:
    with opened(browser, monitored) as made:
        made.wait_for_selector("#versions")
        yield made


def test_the_form_holds_a_row_that_is_answered(page: Any) -> None:
    page.wait_for_selector("#health.fine")
    page.click("button[type=submit]")
    page.wait_for_selector(".result")
    text = page.inner_text("#answer")
    assert "Prediction: " in text
    assert "late is predicted from a probability of" in text
    assert "What drove it" in text
    assert "log odds" in text


def test_an_error_is_announced_and_its_field_has_the_focus(page: Any) -> None:
    page.fill("#in-distance", "far")
    page.press("#in-distance", "Enter")  # by keyboard alone
    page.wait_for_selector("#answer .error")
    assert "distance is no number" in page.inner_text("#answer")
    assert page.get_attribute("#in-distance", "aria-invalid") == "true"
    assert page.evaluate("document.activeElement.id") == "in-distance"
    page.fill("#in-distance", "500")
    page.press("#in-distance", "Enter")
    page.wait_for_selector(".result")
    assert page.get_attribute("#in-distance", "aria-invalid") is None


def test_it_fits_a_phone(page: Any, server: Server) -> None:
    page.click("button[type=submit]")
    page.wait_for_selector(".result")
    page.click("summary")
    assert page.is_visible("details h3")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.goto(f"{server.url}/docs")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_every_field_has_a_label_and_a_description(page: Any) -> None:
    bad = page.evaluate(
        """() => [...document.querySelectorAll('input, select')].filter((field) =>
            !document.querySelector(`label[for="${field.id}"]`) ||
            !document.getElementById(field.getAttribute('aria-describedby'))).map((field) => field.id)"""
    )
    assert bad == []
    assert page.evaluate("document.documentElement.lang") == "en"
    assert page.evaluate("document.querySelectorAll('h1').length") == 1
    assert page.get_attribute("#answer", "aria-live") == "polite"
    assert page.evaluate("[...document.querySelectorAll('*')].every((one) => one.tabIndex <= 0)")


SECTIONS = ["status", "accuracy", "calibration", "traffic", "latency", "drift", "quality", "slices", "versions"]


def test_the_page_of_monitoring_shows_all_sections_on_a_phone(monitor: Any) -> None:
    assert monitor.evaluate("[...document.querySelectorAll('h2')].map((one) => one.id)") == SECTIONS
    assert "retrain: train a new model (2 alerts)" in monitor.inner_text(".status")
    assert monitor.evaluate("document.querySelectorAll('.alert').length") == 2
    drawn = (
        "[...document.querySelectorAll('.area')].every(one => one.firstChild.viewBox.baseVal.width === one.clientWidth)"
    )
    for width in (390, 1200):
        monitor.set_viewport_size({"width": width, "height": 800})
        until(lambda: monitor.evaluate(drawn))
        assert monitor.evaluate("document.documentElement.scrollWidth") <= width
        assert monitor.evaluate("document.querySelectorAll('.area svg').length") == 5


def test_data_is_text_and_never_html(monitor: Any) -> None:
    assert monitor.title().startswith("Monitoring of ")
    assert monitor.evaluate("document.querySelectorAll('script').length") == 1
    assert HOSTILE in monitor.inner_text("#monitor")
    monitor.click("text=Table of slices")
    monitor.wait_for_selector("details[open] tbody")
    assert monitor.evaluate("document.querySelectorAll('#monitor script').length") == 0


def test_a_chart_is_read_window_by_window_with_the_keyboard(monitor: Any) -> None:
    area = "section[aria-labelledby=accuracy] [role=slider]"
    monitor.focus(area)
    assert "2013-03-01: estimated" in monitor.get_attribute(area, "aria-valuetext")
    monitor.press(area, "Home")
    text = monitor.get_attribute(area, "aria-valuetext")
    assert text.startswith("2013-01-01: auc 0.")
    assert "of 950 rows" in text
    assert text == monitor.inner_text("section[aria-labelledby=accuracy] .reading")
    for _ in range(11):
        monitor.press(area, "ArrowRight")
    assert monitor.get_attribute(area, "aria-valuetext") == "2013-01-12: no request"
    monitor.press(area, "ArrowRight")
    drift = "section[aria-labelledby=drift] [role=slider]"
    monitor.focus(drift)
    monitor.press(drift, "Home")
    assert monitor.get_attribute(drift, "aria-valuetext") == "2013-01-01: no column drifted"


def test_every_chart_has_a_name_and_its_numbers_as_a_table(monitor: Any) -> None:
    assert monitor.evaluate(
        "[...document.querySelectorAll('[role=slider]')].every((one) => one.getAttribute('aria-label'))"
    )
    for name in ("auc", "calibration", "predictions", "response times", "drift"):
        monitor.click(f"text=Table of {name}")
        monitor.wait_for_selector(f"details[open]:has-text('Table of {name}') tbody")  # it is made when it is opened
    rows = monitor.evaluate("[...document.querySelectorAll('details[open] tbody')].map((one) => one.rows.length)")
    assert rows == [59, 54, 59, 59, 38]
    named = "[...document.querySelectorAll('table')].every((one) => one.caption && one.querySelector('th[scope=col]'))"
    assert monitor.evaluate(named)
    assert monitor.evaluate("[...document.querySelectorAll('*')].every((one) => one.tabIndex <= 0)")


def test_another_metric_and_all_columns_can_be_chosen(monitor: Any) -> None:
    monitor.select_option("#metric", "brier")
    assert "brier" in monitor.inner_text("section[aria-labelledby=accuracy] .reading") or monitor.is_visible(
        "text=Table of brier"
    )
    assert monitor.evaluate("document.querySelectorAll('.lane').length") == 12
    monitor.click("text=Show all 38 columns")
    assert monitor.evaluate("document.querySelectorAll('.lane').length") == 38
    assert monitor.get_attribute("button.plain", "aria-expanded") == "true"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_of_the_page_has_enough_contrast(browser: Any, monitored: str, scheme: str) -> None:
    with opened(browser, monitored, color_scheme=scheme) as made:
        made.wait_for_selector("#versions")
        ratios = made.evaluate(
            """() => {
              const light = (text) => { const [r, g, b] = text.match(/[0-9.]+/g).slice(0, 3).map((one) => one / 255)
                .map((one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
                return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
              const paper = light(getComputedStyle(document.body).backgroundColor);
              const of = (one, name) => { const ink = light(getComputedStyle(document.querySelector(one))[name]);
                return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05); };
              return { text: of('p', 'color'), link: of('summary', 'color'), warm: of('.heat3', 'fill'),
                bad: of('.heat4', 'fill'), line: of('.line', 'stroke'), usual: of('.usual', 'stroke') };
            }"""
        )
        assert min(ratios["text"], ratios["link"]) >= 4.5, ratios
        assert min(ratios.values()) >= 3, ratios


@pytest.mark.parametrize(
    ("reports", "said"),
    [
        ([], "No window has been reported yet."),
        ([report(0, outcomes=False, complete=False)], "No outcomes yet: these are estimates"),
        ([report(0)], "What is usual, and which loss is worth an alarm, is not known"),
    ],
    ids=["nothing", "no outcomes", "one window"],
)
def test_a_page_with_little_to_show_says_so(browser: Any, tmp_path: Path, reports: list[Any], said: str) -> None:
    engine = connect(f"sqlite:///{tmp_path}/log.sqlite")
    kept(engine, reports)
    file = tmp_path / "page.html"
    file.write_text(page_of(read(engine)), encoding="utf-8")
    with opened(browser, file.as_uri()) as made:
        made.wait_for_selector(".empty, section")
        assert said in made.inner_text("#monitor")


def test_the_file_shows_what_the_server_shows(browser: Any, monitor: Any, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(page_of(read(filled(tmp_path))), encoding="utf-8")
    with opened(browser, file.as_uri()) as made:
        made.wait_for_selector("#versions")
        assert made.inner_text("#monitor") == monitor.inner_text("#monitor")
        assert made.evaluate("document.querySelectorAll('#monitor script').length") == 0


def test_a_year_is_drawn_quickly(browser: Any, tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/log.sqlite")
    kept(engine, [report(day, shifted=day > 200) for day in range(365)])
    file = tmp_path / "page.html"
    file.write_text(page_of(read(engine)), encoding="utf-8")
    with opened(browser, file.as_uri()) as made:
        made.wait_for_selector("#versions")
        assert made.evaluate("document.querySelectorAll('*').length") < 5000
