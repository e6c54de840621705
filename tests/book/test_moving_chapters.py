"""The moving figures of chapters as their readers meet them: by keyboard, on a phone, without JavaScript, on paper."""

import pytest
from moving_pages import NARROW, WIDE, answer_of, opened

pytestmark = pytest.mark.browser
FIGURES = ("toy", "grid", "count", "epochs")
SHOWN = "document.querySelector('.moving-shown').innerHTML"


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize(("size", "theme"), [(NARROW, "dark"), (WIDE, "light")])
def test_nothing_is_wider_than_the_page(browser, tmp_path, name, size, theme):
    page = opened(browser, tmp_path, name, theme, size)
    page.wait_for_selector(".moving-built svg")
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    cut = """[...document.querySelectorAll('.moving-live svg text')].filter((text) => {
        const [box, svg] = [text, text.ownerSVGElement].map((each) => each.getBoundingClientRect());
        return box.left < svg.left || box.right > svg.right;
    }).map((text) => text.textContent)"""
    assert page.evaluate(cut) == []
    assert not page.locator(".moving-still").is_visible()
    assert page.faults == []


@pytest.mark.parametrize("name", FIGURES)
def test_every_control_works_by_keyboard(browser, tmp_path, name):
    page = opened(browser, tmp_path, name)
    page.wait_for_selector(".moving-built svg")
    controls = page.locator(".moving-controls :is(input, select, button)")
    page.keyboard.press("Tab")
    for k in range(controls.count()):
        control = controls.nth(k)
        assert control.evaluate("(each) => each === document.activeElement"), k
        before = page.evaluate(SHOWN)
        kind = control.evaluate("(each) => each.type")
        if kind in {"range", "number", "select-one"}:
            page.keyboard.press("ArrowDown" if kind == "select-one" else "ArrowUp")
        elif kind in {"checkbox", "button", "submit"}:
            page.keyboard.press("Space")
        else:
            page.keyboard.press("Control+A")
            page.keyboard.type("3e21" if control.input_value().startswith("1e2") else "9")
        if kind != "text":
            page.wait_for_function(f"(before) => {SHOWN} !== before", arg=before)
        page.keyboard.press("Tab")
    assert page.faults == []


@pytest.mark.parametrize("name", FIGURES)
def test_every_control_has_a_name_and_every_picture_words(browser, tmp_path, name):
    page = opened(browser, tmp_path, name)
    page.wait_for_selector(".moving-built svg")
    unnamed = """[...document.querySelectorAll('.moving-live :is(input, select)')].filter((control) =>
        !control.labels.length && !control.ariaLabel).length"""
    assert page.evaluate(unnamed) == 0
    pictures = page.locator(".moving-plot svg")
    assert pictures.count() == 2
    for k in range(2):
        assert len(pictures.nth(k).get_attribute("aria-label")) > 20
    assert page.locator(".moving-answer[aria-live=polite]").count() == 1
    assert page.locator(".moving-note").inner_text()


@pytest.mark.parametrize("name", FIGURES)
def test_the_still_stands_without_javascript_and_in_print(browser, tmp_path, name):
    page = opened(browser, tmp_path, name, script=False)
    assert page.locator(".moving-still").is_visible()
    assert page.locator(".moving-live").count() == 0
    page = opened(browser, tmp_path, name)
    page.wait_for_selector(".moving-built svg")
    page.emulate_media(media="print")
    assert page.locator(".moving-still").is_visible()
    assert not page.locator(".moving-live").is_visible()


@pytest.mark.parametrize("name", FIGURES)
def test_a_link_keeps_the_settings(browser, tmp_path, name):
    page = opened(browser, tmp_path, name)
    first = answer_of(page)
    slider = page.locator(".moving-controls input[type=range]").first
    slider.focus()
    page.keyboard.press("ArrowUp")
    page.wait_for_function("(first) => document.querySelector('.moving-answer').textContent !== first", arg=first)
    page.get_by_role("button", name="Copy a link").click()
    page.wait_for_function("location.hash.includes('?')")
    again = opened(browser, tmp_path, name, hash=page.evaluate("location.hash"))
    assert answer_of(again) == answer_of(page) != first
