"""The figures that move: every one of them by the same rules, then what each computes and says."""

import json
import re

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from moving_pages import FIGURES, SCRIPTS, evaluated, opened, written
from visits import DESK, NARROW

from scaling import compute_optimal, inference_optimal
from scaling.book.moving import without_comments
from scaling.book.moving.budget import LAWS
from scaling.laws import ChinchillaLaw, CoupledLaw, DataConstrainedLaw, effective_amount
from scaling.optimum import data_constrained_optimal, deadweight_compute

SETTINGS = 300
CLOSE = 1e-6
#: what a figure says and shows
SHOWN = """() => [...document.querySelectorAll('.moving-shown > *, .moving-note')]
  .filter(each => !each.hidden).map(each => each.innerText + (each.querySelector('svg')?.innerHTML ?? ''))
  .join('').replace(/moving-\\d+/g, '')"""
KEYS = {"range": "ArrowLeft", "number": "ArrowUp", "checkbox": "Space"}
SAID = "() => document.querySelector('.moving-shown').innerText"


def act_on(page, kind):
    """What a keyboard does to a control that has the focus."""
    if kind == "select":
        at_end = page.evaluate("document.activeElement.selectedIndex === document.activeElement.length - 1")
        page.keyboard.press("ArrowUp" if at_end else "ArrowDown")
    elif kind == "text":
        before = page.evaluate("document.activeElement.value")
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.type(("2" if before[0] == "1" else str(int(before[0]) - 1)) + before[1:])
    elif kind in KEYS:
        page.keyboard.press(KEYS[kind])


def settle(page):
    """Wait for the picture of the last change."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


@pytest.fixture
def folder(tmp_path):
    return tmp_path


@pytest.fixture(params=FIGURES)
def name(request):
    return request.param


# --- what holds for every figure -----------------------------------------------------------------------------------


def test_all_scripts_together_are_light():
    """As the pages load them: the comments stay in the sources."""
    code = {path.name: len(without_comments(path.read_text()).encode()) for path in SCRIPTS.glob("*.js")}
    assert min(code.values()) > 3_000  # nothing but comments was taken away
    assert sum(code.values()) <= 60_000, code


def test_every_figure_has_a_script():
    assert {path.stem for path in SCRIPTS.glob("*.js")} == {"core", *FIGURES}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [NARROW, DESK], ids=["narrow", "wide"])
def test_it_is_built_and_fits_the_screen(browser, folder, name, size, theme):
    page = opened(browser, folder, name, theme=theme, size=size)
    assert page.locator(".moving-built svg").count()
    assert not page.locator(".moving-still").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    assert not page.faults
    letters = (
        "() => [...document.querySelectorAll('svg text')].map(each => parseFloat(getComputedStyle(each).fontSize))"
    )
    assert min(page.evaluate(letters)) >= 12
    assert not page.evaluate(FAINT)
    assert not page.evaluate(CUT)
    page.context.close()


#: words that stand out of their picture
CUT = """() => [...document.querySelectorAll('.moving-live svg text')].filter((text) => {
  const [box, svg] = [text, text.ownerSVGElement].map((each) => each.getBoundingClientRect());
  return box.left < svg.left || box.right > svg.right;
}).map((text) => text.textContent)"""

#: words whose colour is not 4.5 times as light or dark as their ground, as the accessibility guidelines have it
FAINT = r"""() => {
  const parts = (colour) => colour.match(/[\d.]+/g).map(Number);
  const light = (colour) => parts(colour).slice(0, 3).map((v) => v / 255)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = light(getComputedStyle(document.body).backgroundColor);
  return [...document.querySelectorAll('.moving-live :is(p, label, legend, span, text)')].filter((each) => {
    if (!each.textContent.trim() || !each.getClientRects().length) return false;
    const style = getComputedStyle(each);
    const [one, two] = [light(each.tagName === 'text' ? style.fill : style.color), ground].sort((a, b) => b - a);
    return (one + 0.05) / (two + 0.05) < 4.5;
  }).map((each) => each.textContent);
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_accessible(browser, folder, name, theme):
    page = opened(browser, folder, name, theme=theme)
    for box in page.locator("input[type=checkbox]").all():
        box.check()
    settle(page)
    found = Axe().run(page)
    assert not found.violations_count, found.generate_report()
    page.context.close()


def test_without_scripts_the_still_stands(browser, folder, name):
    page = opened(browser, folder, name, script=False)
    assert page.inner_text(".moving-still") == "The still."
    assert not page.locator(".moving-live").count()
    page.context.close()


def test_in_print_the_still_stands(browser, folder, name):
    page = opened(browser, folder, name)
    page.emulate_media(media="print")
    assert page.locator(".moving-still").is_visible()
    assert not page.locator(".moving-live").is_visible()
    page.context.close()


def test_nothing_moves_by_itself(browser, folder, name):
    shown = []
    for motion in ("reduce", "no-preference"):
        page = opened(browser, folder, name, motion=motion)
        assert not page.evaluate("document.getAnimations().length")
        shown.append(page.evaluate(SHOWN))
        page.context.close()
    assert shown[0] == shown[1]


def test_every_control_has_a_name_and_works_by_keyboard(browser, folder, name):
    page = opened(browser, folder, name)
    kinds, first = [], page.evaluate(SHOWN)
    for _ in range(60):
        page.keyboard.press("Tab")
        focus = page.evaluate("""() => {
          const at = document.activeElement;
          if (!at.closest('.moving')) return null;
          const name = at.labels?.[0]?.innerText || at.getAttribute('aria-label') || at.innerText;
          return [at.tagName === 'INPUT' ? at.type : at.tagName.toLowerCase(), name];
        }""")
        if focus is None:
            break
        kind, label = focus
        assert label.strip(), kind
        before = page.evaluate(SHOWN)
        act_on(page, kind)
        settle(page)
        if kind in {"range", "number", "checkbox", "select", "text"}:
            assert page.evaluate(SHOWN) != before, (kind, label)
        kinds.append(kind)
    assert {"range", "button"} <= set(kinds)
    assert len(kinds) >= page.locator(":is(select, input, button):visible").count()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")  # the last button: back to the first settings
    settle(page)
    assert page.evaluate(SHOWN) == first
    assert not page.faults
    page.context.close()


def test_a_link_keeps_the_settings(browser, folder, name):
    page = opened(browser, folder, name)
    for box in page.locator("input[type=checkbox]").all():
        box.check()
    for select in page.locator("select").all():
        select.select_option(index=1)
    for slider in page.locator("input[type=range]:visible").all():
        slider.focus()
        page.keyboard.press("ArrowLeft")
    settle(page)
    shown = page.evaluate(SHOWN)
    page.get_by_text("Copy a link").click()
    link = page.input_value(".moving-foot input")
    assert page.url == link
    page.context.close()
    again = opened(browser, folder, name, hash=link[link.index("#") :])
    settle(again)
    assert again.evaluate(SHOWN) == shown
    assert not again.faults
    again.context.close()


def test_a_link_out_of_order_is_no_harm(browser, folder, name):
    page = opened(browser, folder, name)
    first = page.evaluate(SHOWN)
    page.context.close()
    page = opened(browser, folder, name, hash=f"#moving-{name}?unheard=1&law=<b>&way=zzz&flops=abc&seed=&noise=-")
    assert page.evaluate(SHOWN) == first
    assert "The link asks for what is not known here: unheard, law, way, flops" in page.inner_text(".moving-foot")
    assert not page.faults
    page.context.close()


# --- what they share: formulas, random numbers, words --------------------------------------------------------------


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    page = opened(browser, tmp_path_factory.mktemp("moving"), "budget")
    yield page
    page.context.close()


def laws(rng, count=SETTINGS, coupled=True):
    """Laws as they come: constants drawn around the published ones, half of them coupled."""
    for number in range(count):
        constants = {"E": rng.uniform(0, 2.5), "A": 10 ** rng.uniform(1, 4), "B": 10 ** rng.uniform(1, 5)}
        constants |= {"alpha": rng.uniform(0.1, 0.8), "beta": rng.uniform(0.1, 0.8)}
        both = CoupledLaw(**constants, k=rng.uniform(0.2, 1.5)) if number % 2 and coupled else None
        yield both or ChinchillaLaw(**constants)


def test_losses_and_waste_are_the_packages(page):
    rng = np.random.default_rng(0)
    drawn, places = list(laws(rng)), 10 ** rng.uniform([6, 8], [13, 16], (SETTINGS, 2))
    asked = [[law.constants, *place] for law, place in zip(drawn, places.tolist(), strict=True)]
    losses = [law.loss(*place) for law, place in zip(drawn, places, strict=True)]
    assert evaluated(page, "loss", asked) == pytest.approx(losses, rel=CLOSE)
    wasted = [deadweight_compute(law, *place) / (6 * np.prod(place)) for law, place in zip(drawn, places, strict=True)]
    assert evaluated(page, "waste", asked) == pytest.approx(wasted, rel=CLOSE)


def test_optima_are_the_packages(page):
    rng = np.random.default_rng(1)
    drawn, budgets = list(laws(rng)), 10 ** rng.uniform(17, 28, SETTINGS)
    found = evaluated(page, "optimum", [[law.constants, C] for law, C in zip(drawn, budgets.tolist(), strict=True)])
    for law, C, each in zip(drawn, budgets, found, strict=True):
        best = compute_optimal(law, C)
        assert [each[k] for k in ("params", "tokens", "loss")] == pytest.approx(
            [best.params, best.tokens, best.loss], rel=CLOSE
        )


def test_the_best_size_to_serve_is_the_packages(page):
    rng = np.random.default_rng(2)
    drawn, budgets, demands = list(laws(rng)), 10 ** rng.uniform(19, 27, SETTINGS), 10 ** rng.uniform(6, 18, SETTINGS)
    targets = [float(compute_optimal(law, C).loss) for law, C in zip(drawn, budgets, strict=True)]
    asked = list(zip(drawn, targets, demands.tolist(), strict=True))
    found = evaluated(page, "served", [[law.constants, target, demand] for law, target, demand in asked])
    for (law, target, demand), each in zip(asked, found, strict=True):
        best = inference_optimal(law, target, demand)
        assert (each["params"], each["tokens"]) == pytest.approx((best.params, best.tokens), rel=CLOSE)


def test_limited_text_is_the_packages(page):
    rng = np.random.default_rng(3)
    drawn, budgets, unique = list(laws(rng)), 10 ** rng.uniform(19, 27, SETTINGS), 10 ** rng.uniform(8, 14, SETTINGS)
    decays = 10 ** rng.uniform(0, 2, (SETTINGS, 2))
    asked = [
        [law.constants | {"repeated": R, "excess": X}, C, U]
        for law, (R, X), C, U in zip(drawn, decays.tolist(), budgets.tolist(), unique.tolist(), strict=True)
    ]
    found = evaluated(page, "limitedPlan", asked)
    ours = [DataConstrainedLaw(law, *pair) for law, pair in zip(drawn, decays.tolist(), strict=True)]
    for law, each, C, U in zip(ours, found, budgets, unique, strict=True):
        best = data_constrained_optimal(law, C, U)
        assert [each["params"], each["tokens"], each["loss"]] == pytest.approx(
            [best.params, best.tokens, best.loss], rel=CLOSE
        )
    places = 10 ** rng.uniform([6, 8], [13, 16], (SETTINGS, 2))
    asked = [[law, *place, U] for (law, _, U), place in zip(asked, places.tolist(), strict=True)]
    losses = [law.loss(*place, U) for law, place, U in zip(ours, places, unique, strict=True)]
    assert evaluated(page, "limitedLoss", asked) == pytest.approx(losses, rel=CLOSE)
    amounts = [[*place, R] for place, (R, _) in zip(places.tolist(), decays.tolist(), strict=True)]
    worth = [effective_amount(*each) for each in amounts]
    assert evaluated(page, "effective", amounts) == pytest.approx(worth, rel=CLOSE)


def test_intervals_are_those_of_the_rows_and_widen_beyond_them(page):
    rows = [
        {"flops": C, "low": 0.5 * C**0.5 / 10**k, "high": 2 * C**0.5 * 10**k} for k, C in enumerate((1e20, 1e21, 1e22))
    ]
    asked = "([rows, C]) => scalingFigures.formulas.interval(rows, (c) => c ** 0.5, C)"
    for row in rows:
        assert page.evaluate(asked, [rows, row["flops"]]) == pytest.approx([row["low"], row["high"]])
    assert page.evaluate(asked, [rows, 1e23]) == pytest.approx([0.5e-3 * 1e23**0.5, 2e3 * 1e23**0.5])
    assert page.evaluate(asked, [rows, 1e18]) == pytest.approx([0.5e9, 2e9])
    assert page.evaluate(asked, [[rows[0] | {"low": None}, *rows[1:]], 1e21]) is None
    assert page.evaluate(asked, [[], 1e21]) is None


def test_random_numbers_are_normal_and_the_same_for_a_seed(page):
    draw = "seed => { const { normal } = scalingFigures.random(seed); return Array.from({ length: 20000 }, normal); }"
    one, same, other = (np.array(page.evaluate(draw, seed)) for seed in (1, 1, 2))
    assert (one == same).all()
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.03
    assert (one.mean(), one.std()) == pytest.approx((0, 1), abs=0.02)
    assert np.mean(np.abs(one) < 1.96) == pytest.approx(0.95, abs=0.005)


@pytest.mark.parametrize(
    ("typed", "value"),
    [("1e24", 1e24), ("70B", 7e10), ("1.4 trillion", 1.4e12), ("1,000", 1000), ("5 × 10^23", 5e23), (".5", 0.5)],
)
def test_numbers_are_read_as_people_write_them(page, typed, value):
    assert page.evaluate("text => scalingFigures.words.parse(text)", typed) == pytest.approx(value)


@pytest.mark.parametrize("typed", ["", "many", "1e", "-5", "1.2.3", "70 parsecs", "NaN"])
def test_what_is_no_number_is_none(page, typed):
    assert page.evaluate("text => Number.isNaN(scalingFigures.words.parse(text))", typed)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("flops(5.76e23)", "5.76 × 10²³"),
        ("flops(1e24)", "10²⁴"),
        ("count(7.22e10)", "72.2 billion"),
        ("short(1.4e12)", "1.4T"),
        ("percent(0.1239)", "12 %"),
        ("number(2353)", "2,350"),
        ("number(-0.25)", "−0.25"),
        ("number(NaN)", "–"),
    ],
)
def test_numbers_are_written_as_people_read_them(page, call, words):
    assert page.evaluate(f"scalingFigures.words.{call}") == words


# --- the budget explorer -------------------------------------------------------------------------------------------


@pytest.fixture
def explorer(page):
    """The explorer at its first settings."""
    page.get_by_text("Back to the first settings").click()
    settle(page)
    return page


def test_the_explorer_says_what_the_package_finds(explorer):
    for name, listed in LAWS.items():
        explorer.get_by_label("Fitted by").select_option(name)
        settle(explorer)
        best = compute_optimal(ChinchillaLaw(**listed.constants(name)), 1e24)
        said = explorer.evaluate(SAID)
        assert f"{best.params / 1e9:.2g} billion parameters" in said
        assert f"{best.tokens / 1e12:.2g} trillion tokens" in said
        assert "77 times the largest run" in said  # of 1.2956e22 FLOP


def test_a_wrong_number_is_told_and_not_used(explorer):
    field = explorer.get_by_label("Compute FLOP")
    said = explorer.evaluate(SAID)
    field.fill("a lot")
    settle(explorer)
    assert "A number from 10⁶ to 10³², please." in explorer.inner_text(".moving-live")
    assert field.get_attribute("aria-invalid") == "true"
    assert explorer.evaluate(SAID) == said
    field.fill("2e22")
    settle(explorer)
    assert "please" not in explorer.inner_text(".moving-live")
    assert "2 × 10²² FLOP" in explorer.evaluate(SAID)


def test_a_budget_in_machines_is_their_product(explorer):
    explorer.get_by_label("Given as").select_option("machines")
    for label, value in (
        ("Accelerators", "2048"),
        ("Days", "30"),
        ("Peak of each FLOP/s", "1e15"),
        ("Of it used %", "50"),
    ):
        explorer.get_by_label(label, exact=True).first.fill(value)
    settle(explorer)
    assert "That is 2.65 × 10²⁴ FLOP." in explorer.inner_text(".moving-live")  # 2048 · 30 · 86400 · 1e15 / 2


CONSTANTS = {"E": 1.8, "A": 480.0, "B": 2085.0, "alpha": 0.35, "beta": 0.37}


def record(status="solved", message="", certainty=None, **changed):
    """A file as `scaling fit --out` writes it, with its interval."""
    law = ChinchillaLaw(**CONSTANTS)
    rows = []
    for C in (1e20, 1e21, 1e22):
        best = compute_optimal(law, C)
        for quantity, value, factor in (("params", best.params, 2), ("loss", best.loss, 1.01)):
            rows.append({"quantity": quantity, "flops": C, "low": value / factor, "high": value * factor})
    constants = [{"name": name, "estimate": value} for name, value in (CONSTANTS | changed).items()]
    approach = {"possible": True, "status": status, "message": message, "constants": constants}
    approach["certainty"] = rows if certainty is None else certainty
    return {"input": {"name": "ours <b>.csv"}, "options": {"level": 0.9}, "approaches": {"3": approach}}


def drop(page, text):
    """Give the explorer a file, and what it then shows."""
    content = text if isinstance(text, str) else json.dumps(text)
    page.set_input_files("input[type=file]", {"name": "fit.json", "mimeType": "", "buffer": content.encode()})
    page.wait_for_timeout(50)
    settle(page)
    return page.inner_text(".moving-live")


def test_a_file_of_ones_own_law_is_taken_with_its_interval(explorer):
    said = drop(explorer, record())
    assert "your runs (ours <b>.csv)" in explorer.inner_text("select >> nth=1")
    best = compute_optimal(ChinchillaLaw(**CONSTANTS), 1e24)
    assert "With 10²¹ FLOP" in said  # ten times the largest run
    explorer.get_by_label("Compute FLOP").fill("1e24")
    settle(explorer)
    said = explorer.evaluate(SAID)
    assert f"{float(f'{best.params / 1e9:.2g}'):g} billion parameters (90 % interval" in said
    assert "10,000 times the largest run it was fitted to, 10²⁰ FLOP" in said
    assert "it is extrapolated itself" in said
    old = {"laws": [{"approach": 3} | record()["approaches"]["3"] | {"constants": CONSTANTS | {"a": 0.5}}], "input": {}}
    assert "95 % interval" in drop(explorer, old)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (record("not_identified", "the data term is not seen"), ["No best size", "the data term is not seen"]),
        (record(certainty=[]), ["No best size", "the file has no interval for it"]),
        (record(certainty=[{"quantity": "params", "flops": 1e20, "low": None, "high": 1e9}]), ["No best size"]),
    ],
)
def test_a_fit_that_is_not_identified_gets_no_single_number(explorer, given, words):
    said = drop(explorer, given)
    best = compute_optimal(ChinchillaLaw(**CONSTANTS), 1e21 if given["approaches"]["3"]["certainty"] else 1e24)
    assert all(each in said for each in words)
    assert f"{float(f'{best.params / 1e9:.2g}'):g} billion" not in said
    assert "best:" not in explorer.inner_html(".moving-plot >> nth=0")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("not JSON at all", "It is no JSON."),
        ("", "It is no JSON."),
        ('{"approaches": NaN}', "It has NaN or Infinity, which JSON does not know."),
        ("null", "It has no law of approach 3"),
        ("[1, 2]", "It has no law of approach 3"),
        ('{"laws": 7}', "It has no law of approach 3"),
        ('{"approaches": {"3": {}}}', "Its constant E is missing, or no number."),
        ('{"approaches": {"3": {"constants": [null, 3]}}}', "Its constant E is missing, or no number."),
        (
            '{"approaches": {"3": {"possible": false, "reason": "two sizes only"}}}',
            "Its runs allow no law: two sizes",
        ),
        (record(alpha="0.3"), "Its constant alpha is missing, or no number."),
        (record(beta=None), "Its constant beta is missing, or no number."),
        (record(B=0.0), "Its constant B is not positive: no size is best."),
        (record(E=-1.0), "Its constant E is not positive"),
        (record(k=-1.0), "Its constant k is not positive"),
    ],
)
def test_a_file_that_is_no_law_is_refused_in_words(explorer, given, words):
    before = explorer.evaluate(SAID)
    said = drop(explorer, given)
    assert f"Not taken. {words}" in said
    assert explorer.evaluate(SAID) == before
    assert not explorer.faults


def test_a_file_may_be_dropped(explorer):
    transfer = explorer.evaluate_handle(
        "text => { const all = new DataTransfer(); all.items.add(new File([text], 'fit.json')); return all; }",
        json.dumps(record()),
    )
    explorer.dispatch_event(".moving-live", "drop", {"dataTransfer": transfer})
    explorer.wait_for_function("document.querySelector('.moving-shown').innerText.includes('90 % interval')")


def test_the_explorer_opens_with_the_law_of_a_file(browser, folder):
    measured = record()
    measured["input"]["nouns"] = {"loss": "bits per byte", "tokens": "images", "rises": "", "ceiling": None}
    (folder / "fit.json").write_text(json.dumps(measured))
    page = opened(browser, folder, "budget", file=str(folder / "fit.json"))
    said = page.evaluate(SAID)
    assert "With 10²¹ FLOP" in said  # ten times the largest run
    assert "90 % interval" in said
    for words in ("images", "Expected bits per byte: "):
        assert words in said
    for words in ("nats", "okens", "false"):
        assert words not in said
    assert not page.faults
    page.context.close()


def test_settings_to_begin_with(browser, folder):
    page = opened(browser, folder, "budget", law="hoffmann2022_rounded", budget="5.76e23", compare="70e9", serve="1e12")
    said = page.evaluate(SAID)
    assert "With 5.76 × 10²³ FLOP, train 32 billion parameters" in said
    assert "70 billion parameters would read" in said
    assert "both together" in said
    assert "repetition" not in said
    page.context.close()


def test_what_changes_nothing_is_said_to(browser, folder):
    page = opened(browser, folder, "budget", budget="1e24", serve="1e8", unique="1e14")
    said = page.evaluate(SAID)
    assert "So little serving changes nothing." in said
    assert "100 trillion distinct tokens are enough." in said
    page.context.close()


@pytest.mark.parametrize("options", [{"law": "chinchilla"}, {"budget": "much"}, {"unheard": "1"}])
def test_wrong_options_are_refused(folder, options):
    with pytest.raises((ValueError, TypeError)):
        written(folder, "budget", **options)


# --- two laws ------------------------------------------------------------------------------------------------------


def test_errors_of_two_laws_are_those_of_the_package(browser, folder):
    page = opened(browser, folder, "two-laws")
    rng = np.random.default_rng(4)
    drawn = list(laws(rng))
    tables = 10 ** rng.uniform([6, 8, 20, 0.2], [11, 12, 24, 0.8], (SETTINGS, 9, 4))
    found = evaluated(page, "error", [[law.constants, t] for law, t in zip(drawn, tables.tolist(), strict=True)])
    for law, table, each in zip(drawn, tables, found, strict=True):
        misses = np.log(law.loss(table[:, 0], table[:, 1]) / table[:, 3])
        assert each == pytest.approx(np.sqrt(np.mean(misses**2)), rel=CLOSE)
    page.context.close()


def test_two_laws_part_beyond_the_runs(browser, folder):
    page = opened(browser, folder, "two-laws", reach="1e16", up_to="3e12")
    said = page.evaluate(SAID)
    assert "held out" in said
    losses = [float(each) for each in re.findall(r"expects ([\d.]+) nats", said)]
    assert losses[0] - losses[1] > 1  # additive, coupled
    assert re.search(r"additive law leaves the size open, .* to .* parameters \(95 % interval\), and expects", said)
    assert re.search(r"coupled law (leaves the size open|wants)", said)
    wrong = [float(each) for each in re.findall(r"held out by ([\d.]+) %", said)]
    assert wrong[0] > 2 * wrong[1]
    page.context.close()
