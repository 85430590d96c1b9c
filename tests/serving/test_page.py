"""The page at /, in a real browser: the form works, by keyboard too, on a phone's width, without the internet."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

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


@pytest.fixture
def page(browser: Any, server: Server) -> Iterator[Any]:
    made = browser.new_page(viewport={"width": 390, "height": 800})
    errors: list[str] = []
    asked: list[str] = []
    made.on("pageerror", lambda error: errors.append(str(error)))
    made.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    made.on("request", lambda request: asked.append(request.url))
    made.goto(server.url)
    yield made
    made.close()
    assert [error for error in errors if "422" not in error] == []
    assert [url for url in asked if not url.startswith((server.url, "data:"))] == []


def test_the_form_holds_a_row_that_is_answered(page: Any) -> None:
    page.wait_for_function("document.getElementById('health').textContent === 'ready'")
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
