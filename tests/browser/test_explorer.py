"""The explorer as a reader has it: opened from disk, in a browser."""

import csv
import math
import re
from pathlib import Path
from urllib.parse import parse_qs, urlparse
from xml.etree import ElementTree

import pytest

from factcap.capacity import power_law_bound, smallest_power_law_budget
from factcap.capacity.bounds.power_law import KINDS
from factcap.figures.style import DARK, LIGHT

pytestmark = pytest.mark.browser

PAGE = (Path(__file__).parents[2] / "docs" / "explore" / "index.html").as_uri()
FIELDS = ("facts", "choices", "exponent", "parameters", "per", "bits", "reach")
SCALES = {"million": 1e6, "billion": 1e9, "trillion": 1e12}
# A million facts, every setting another one than the page begins with.
MANY = "#facts=1000000&choices=1024&exponent=0.8&bits=3000000&per=2&reach=60&runs=none"


def settle(page) -> None:
    """Wait until the frame that shows the last change is there."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def number(shown: str) -> float:
    """The number that a reader sees: 53.5%, 1,004 or 1.17 million."""
    figure, *scale = shown.rstrip("%").replace(",", "").split(" ")
    return float(figure) * (SCALES[scale[0]] if scale else 1)


def rows(page, table: str) -> list[list[str]]:
    script = "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    return page.eval_on_selector_all(f"#{table} tr", script)


def fields(page) -> dict[str, float]:
    return {name: number(page.input_value(f"#field-{name}")) for name in FIELDS}


def assert_tables_are_those_of_python(page) -> None:
    """The numbers shown, for the settings in the page's fields, to the digits shown."""
    link = parse_qs(urlparse(page.url).fragment)
    at = {name: float(link[name][0]) for name in ("facts", "choices", "exponent", "bits", "per")}
    shown = fields(page)
    for name, value in at.items():
        assert shown[name] == pytest.approx(value, rel=1e-3), name
    assert shown["parameters"] == pytest.approx(at["bits"] / at["per"], rel=1e-3, abs=0.51)
    where = at["facts"], at["choices"], at["exponent"]
    objective = "weighted" if link["count"] == ["queries"] else "accuracy"
    known, needed = rows(page, "known"), rows(page, "needed")
    assert [row[0] for row in known[:3]] == [row[0] for row in needed]
    for kind, (_, queries, facts), (_, bits, parameters, load) in zip(
        KINDS, known, needed, strict=False
    ):
        best = power_law_bound(*where, at["bits"], kind=kind).accuracy
        assert number(queries) == pytest.approx(100 * best, abs=0.11, rel=0.06)
        each = power_law_bound(*where, at["bits"], kind=kind, objective="accuracy").accuracy
        assert number(facts) == pytest.approx(at["facts"] * each, rel=6e-3, abs=0.51)
        wanted = float(link["reach"][0]) / 100
        least = smallest_power_law_budget(*where, wanted, kind=kind, objective=objective)
        assert number(bits) == pytest.approx(least, rel=6e-3, abs=0.51)
        assert number(parameters) == pytest.approx(math.ceil(least / at["per"]), rel=6e-3, abs=1)
        total = at["facts"] * math.log2(at["choices"])
        assert number(load) == pytest.approx(total / least, rel=6e-3)


def test_the_first_answer_is_there_when_the_page_is_loaded(opened, capsys):
    with opened(PAGE) as page:
        # Nothing is waited for after the load event.
        statement = page.text_content("#statement")
        assert statement.startswith("1,875 facts are 39,375 bits: load 2.05.")
        assert_tables_are_those_of_python(page)
        assert page.locator("#chart path[data-line]").count() == 4
        took = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventStart")
    with capsys.disabled():
        print(f"\nfirst answer {took:.0f} ms after opening")


def test_a_frame_of_a_million_facts(opened, capsys):
    with opened(PAGE + MANY) as page:
        times = page.evaluate(
            """async () => {
              const slider = document.getElementById("field-exponent-slider");
              const times = [];
              for (let place = 1; place <= 40; place += 1) {
                slider.value = String(place);
                const begun = performance.now();
                slider.dispatchEvent(new Event("input"));
                await new Promise(requestAnimationFrame);
                document.body.getBoundingClientRect(); // the layout, too
                times.push(performance.now() - begun);
              }
              return times.sort((a, b) => a - b);
            }"""
        )
        settle(page)
        assert fields(page)["exponent"] == 2.0
        assert_tables_are_those_of_python(page)
    with capsys.disabled():
        print(
            f"\na frame at a million facts: median {times[20]:.0f} ms, longest {times[-1]:.0f} ms"
        )


@pytest.mark.parametrize("name", FIELDS)
def test_a_slider_is_moved_by_keyboard(opened, name):
    with opened(PAGE + MANY) as page:
        before = fields(page)
        page.focus(f"#field-{name}-slider")
        for _ in range(3):
            page.keyboard.press("ArrowLeft")
        settle(page)
        after = fields(page)
        assert after[name] < before[name]
        assert_tables_are_those_of_python(page)
        page.keyboard.press("ArrowRight")
        settle(page)
        assert after[name] < fields(page)[name] < before[name]
        spoken = page.get_attribute(f"#field-{name}-slider", "aria-valuetext")
        assert number(spoken) == fields(page)[name]
        assert_tables_are_those_of_python(page)


def test_all_that_can_be_done_is_reached_with_the_tab_key(opened):
    with opened(PAGE) as page:
        wanted = {"theme", "runs", "copy-link", "save-csv", "save-svg", "copy-python"}
        wanted |= {f"field-{name}" for name in FIELDS} | {f"field-{n}-slider" for n in FIELDS}
        reached = []
        for _ in range(len(wanted) + 8):
            page.keyboard.press("Tab")
            reached.append(page.evaluate("document.activeElement.id"))
        assert wanted <= set(reached)
        # The radio buttons are one stop; the arrow keys choose.
        page.focus("input[value=queries]")
        page.keyboard.press("ArrowDown")
        settle(page)
        assert "count=facts" in page.url
        assert "know more than" in page.text_content("#statement")
        assert_tables_are_those_of_python(page)


def test_a_number_is_typed(opened):
    with opened(PAGE) as page:
        page.fill("#field-facts", "1e6")
        settle(page)
        assert_tables_are_those_of_python(page)
        page.fill("#field-facts", "half")
        page.keyboard.press("Tab")
        wrong = "Facts must be a whole number from 1 to 1,000,000,000,000, not “half”."
        assert page.text_content("#field-facts-error") == wrong
        assert page.get_attribute("#field-facts", "aria-invalid") == "true"
        assert page.text_content("#statement").startswith("1 million facts")
        page.fill("#field-facts", "12")
        page.keyboard.press("Tab")
        settle(page)
        assert page.text_content("#field-facts-error") == ""
        assert page.text_content("#statement").startswith("12 facts are 252 bits")


@pytest.mark.parametrize("other_way", ["slider", "runs", "link"])
def test_a_wrong_number_gives_way_to_another_way_to_set_it(opened, other_way):
    with opened(PAGE) as page:
        page.fill("#field-exponent", "steep")
        page.keyboard.press("Tab")
        assert page.get_attribute("#field-exponent", "aria-invalid") == "true"
        if other_way == "slider":
            page.fill("#field-exponent-slider", "20")
        elif other_way == "runs":
            page.select_option("#runs", "selection-1.0")
        else:
            page.focus("#field-exponent")
            page.evaluate(
                "new Promise((done) => { addEventListener('hashchange', done, { once: true });"
                " location.hash = 'exponent=1'; })"
            )
        settle(page)
        assert page.input_value("#field-exponent") == "1"
        assert page.text_content("#field-exponent-error") == ""
        assert page.get_attribute("#field-exponent", "aria-invalid") == "false"


def test_our_runs_bring_their_settings(opened):
    with opened(PAGE) as page:
        for name, exponent in (("selection-1.0", 1.0), ("cities", 1.1004)):
            page.select_option("#runs", name)
            settle(page)
            assert fields(page)["exponent"] == pytest.approx(exponent, abs=1e-3)
            assert "another" not in page.text_content("#beside")
        page.fill("#field-exponent", "0.3")
        settle(page)
        said = "Your lines have another exponent, so do not compare them."
        assert page.text_content("#beside").endswith(said)
        page.select_option("#runs", "none")
        settle(page)
        assert page.text_content("#beside") == ""
        assert len(rows(page, "known")) == 4


def test_a_link_shows_the_same_to_another_reader(opened):
    def shown(page):
        tables = rows(page, "known"), rows(page, "needed")
        return page.text_content("#statement"), fields(page), tables, page.inner_html("#chart")

    with opened(PAGE) as page:
        page.select_option("#runs", "selection-1.5")
        page.fill("#field-facts", "123456")
        page.fill("#field-per", "1.75")
        page.check("input[value=facts]")
        settle(page)
        page.click("#copy-link")
        page.wait_for_function("document.getElementById('done').textContent === 'Link copied.'")
        link = page.evaluate("navigator.clipboard.readText()")
        before = shown(page)
    with opened(link) as page:
        assert shown(page) == before
        # A link that is followed from the page itself is taken up, too.
        page.evaluate("location.hash = 'facts=77'")
        page.wait_for_function("document.getElementById('statement').textContent.startsWith('77 ')")


def test_a_wrong_link_says_so(opened):
    with opened(PAGE + "#facts=-1&reach=50") as page:
        assert page.text_content("#wrong").startswith("Facts must be a whole number from 1")
        assert fields(page)["reach"] == 50


def test_the_numbers_are_taken_away_as_csv(opened):
    with opened(PAGE + MANY.replace("none", "selection-0.8")) as page:
        with page.expect_download() as waiting:
            page.click("#save-csv")
        with Path(waiting.value.path()).open(newline="") as file:
            found = list(csv.DictReader(file))
        assert waiting.value.suggested_filename == "factcap.csv"
    lines = {row["line"] for row in found}
    ours = {"trained on all facts", "trained on what fits"}
    assert lines == {*KINDS, "guess", *ours}
    for row in found:
        facts, bits = int(row["facts"]), float(row["budget_bits"])
        load = facts * math.log2(float(row["choices"])) / bits
        assert float(row["load"]) == pytest.approx(load, rel=1e-3)
        if row["line"] in KINDS:
            where = facts, float(row["choices"]), float(row["exponent"])
            best = power_law_bound(*where, bits, kind=row["line"])
            assert float(row["accuracy"]) == pytest.approx(best.accuracy, rel=1e-9)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_picture_is_taken_away_as_svg(opened, scheme, tmp_path):
    with opened(PAGE, scheme=scheme) as page:
        with page.expect_download() as waiting:
            page.click("#save-svg")
        picture = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(picture)
    text = picture.read_text()
    # It stands by itself: no style sheet is needed, and it has the colors that were seen.
    assert "var(" not in text
    assert (LIGHT if scheme == "light" else DARK)["paper"].lower() in text.lower()
    root = ElementTree.fromstring(text)
    inside = [each for each in root.iter() if each.get("data-line")]
    assert len(inside) == 4
    said = " ".join(root.itertext())
    for words in ("rate-distortion", "all-or-nothing", "trained on what fits", "1,875 facts"):
        assert words in said
    with opened(picture.as_uri()) as page:
        assert page.evaluate("document.documentElement.tagName") == "svg"


def test_the_python_of_the_page_gives_its_numbers(opened, capsys):
    with opened(PAGE + MANY) as page:
        page.click("#copy-python")
        page.wait_for_function("document.getElementById('done').textContent === 'Python copied.'")
        code = page.evaluate("navigator.clipboard.readText()")
        shown = rows(page, "known")
    exec(code, {})
    for line, row in zip(capsys.readouterr().out.splitlines(), shown, strict=False):
        assert 100 * float(line.split()[1]) == pytest.approx(number(row[1]), abs=0.11, rel=0.06)


@pytest.mark.parametrize(
    "link",
    ["", MANY, "#facts=1000000000000&bits=100000000000000&choices=1099511627776&count=facts"],
)
def test_a_phone_need_not_scroll_sideways(opened, link):
    with opened(PAGE + link, width=390) as page:
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        sides = page.eval_on_selector_all(
            "body *:not(pre *)", "all => all.map(each => each.getBoundingClientRect().right)"
        )
        assert max(sides) <= 390
        # The picture stays in sight where the sliders are.
        page.locator("#field-bits").scroll_into_view_if_needed()
        page.focus("#field-reach-slider")
        top = page.evaluate("document.getElementById('chart').getBoundingClientRect().top")
        assert top >= 0


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(opened, scheme, width):
    from axe_playwright_python.sync_playwright import Axe

    with opened(PAGE, scheme=scheme, width=width) as page:
        page.fill("#field-facts", "half")  # with a message of error in sight
        page.keyboard.press("Tab")
        # It would fetch style sheets anew, which a page from disk may not; it has them already.
        found = Axe().run(page, options={"preload": False})
        assert found.violations_count == 0, found.generate_report()
        assert re.search("color-contrast", str(found.response["passes"]))


def test_the_switch_turns_light_to_dark_and_back(opened):
    ground = "getComputedStyle(document.body).backgroundColor"
    with opened(PAGE) as page:
        light = page.evaluate(ground)
        page.click("#theme")
        assert page.text_content("#theme") == "Light"
        dark = page.evaluate(ground)
        page.click("#theme")
        assert page.evaluate(ground) == light != dark
    with opened(PAGE, scheme="dark") as page:
        assert page.evaluate(ground) == dark
        page.click("#theme")
        assert page.evaluate(ground) == light
