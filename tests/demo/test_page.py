"""The page in headless Chromium: tabs, examples, bad input, copied code, and what it loads."""

import io
import json
from collections.abc import Iterator
from contextlib import redirect_stdout

import httpx
import pytest

pytest.importorskip("gradio", reason="needs the extra demo")
pytest.importorskip("playwright.sync_api", reason="needs playwright")

from tests.demo.browser import browser, sync_api

from onepass import Extractor
from onepass.demo.answering import Answering
from onepass.demo.run import served
from onepass.demo.samples import COMPOSED, ENTITIES, STRUCTURES, TASKS

TABS = {
    "Entities": ENTITIES,
    "Classification": TASKS,
    "Structures": STRUCTURES,
    "All together": COMPOSED,
}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served(Answering(Extractor(), "Extractor()"), port=0) as address:
        yield address


@pytest.fixture(scope="module")
def context() -> Iterator[sync_api.BrowserContext]:
    with browser() as context:
        yield context


@pytest.fixture(scope="module")
def page(context: sync_api.BrowserContext, address: str) -> Iterator[sync_api.Page]:
    """The page, opened once; afterwards it is seen to have loaded nothing from elsewhere."""
    page = context.new_page()
    page.set_default_timeout(15_000)
    asked: list[str] = []
    wrong: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(address)
    page.get_by_role("tab", name="Entities").wait_for()
    yield page
    page.close()
    assert [url for url in asked if not url.startswith((f"{address}/", "data:", "blob:"))] == []
    assert wrong == []


def tab(page: sync_api.Page, name: str) -> sync_api.Locator:
    """Open a tab and return what it shows."""
    page.get_by_role("tab", name=name).click()
    return page.get_by_role("tabpanel").filter(visible=True)


def copied(page: sync_api.Page, shown: sync_api.Locator, name: str) -> str:
    """Open a part of the answer and copy it by its button."""
    part = shown.locator(".block").filter(has=page.get_by_role("button", name=name)).last
    part.get_by_role("button", name=name).click()
    part.get_by_role("button", name="Copy").click()
    text: str = page.evaluate("navigator.clipboard.readText()")
    part.get_by_role("button", name=name).click()
    return text


@pytest.mark.parametrize("name", TABS)
def test_the_examples_of_a_tab_run_when_clicked(page: sync_api.Page, name: str):
    shown = tab(page, name)
    for sample, given in TABS[name].items():
        shown.get_by_role("button", name=sample).click()
        sync_api.expect(shown.get_by_label("Text")).to_have_value(given.text)
        sync_api.expect(shown.locator(".found .text")).to_have_text(given.text)
    last = json.loads(copied(page, shown, "JSON"))
    assert last["text"] == given.text
    assert last["coverage"]["chars_read"] == len(given.text)
    out = io.StringIO()
    with redirect_stdout(out):
        exec(copied(page, shown, "The same in Python"), {})
    assert json.loads(out.getvalue()) == last


def test_what_is_written_is_asked(page: sync_api.Page):
    shown = tab(page, "Entities")
    text = "Ann Lee wrote {{x}} ${1+1} <b>bold</b> <img src=x onerror=alert(1)> to Bo Ray."
    shown.get_by_label("Text").fill(text)
    shown.get_by_label("Labels").fill("person = name of a human\nplace")
    shown.get_by_label("Threshold").fill("person = 0.3")
    shown.get_by_role("button", name="Run").click()
    sync_api.expect(shown.locator(".found .text")).to_have_text(text)
    found = [mark.inner_text() for mark in shown.locator(".found mark").all()]
    assert {"Ann Lee", "Bo Ray"} <= set(found)
    assert shown.locator(".found img").count() == 0
    code = copied(page, shown, "The same in Python")
    assert "threshold={'person': 0.3}" in code
    assert "'name of a human'" in code


@pytest.mark.parametrize(
    ("name", "field", "value", "sentence"),
    [
        ("Entities", "Text", "  ", "There is no text"),
        ("Entities", "Threshold", "high", "A threshold must be a number from 0 to 1"),
        ("Entities", "Labels", "person\nperson", "person"),
        ("Classification", "Question", "", "The name of a classification task"),
        ("Structures", "Fields", "name::int", "must be str or list"),
        ("All together", "Classes", "tone", "Classes, line 1, 'tone'"),
    ],
)
def test_bad_input_gets_a_sentence(
    page: sync_api.Page, name: str, field: str, value: str, sentence: str
):
    shown = tab(page, name)
    sample, given = next(iter(TABS[name].items()))
    shown.get_by_role("button", name=sample).click()
    sync_api.expect(shown.locator(".found .text")).to_have_text(given.text)
    shown.get_by_label(field).fill(value)
    shown.get_by_role("button", name="Run").click()
    refusal = shown.get_by_role("alert")
    sync_api.expect(refusal).to_contain_text(sentence)
    assert "Traceback" not in page.content()
    assert shown.locator(".found .text").count() == 0


def test_nothing_is_offered_beside_the_page(page: sync_api.Page, address: str):
    answer = httpx.get(address)
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "fonts.googleapis" not in answer.text
    info = httpx.get(f"{address}/gradio_api/info").json()
    assert info["named_endpoints"] == {}
    tab(page, "Entities").get_by_role("button", name="News").click()
    page.locator(".found .text").first.wait_for()
    assert page.get_by_role("link").count() == 0
    assert page.locator("footer a").count() == 0
    kept = page.evaluate("indexedDB.databases().then(all => all.map(one => one.name))")
    assert kept == []  # no text stays in the browser
