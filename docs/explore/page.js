"use strict";
/** The page: fields, what is shown at a change, what can be taken away. */

(() => {
  const { FIELDS, field } = settings;

  /** @param {string} id @returns {HTMLElement} */
  function part(id) {
    const found = document.getElementById(id);
    if (!found) throw new Error(`no element ${id}`);
    return found;
  }

  /** @param {string} tag @param {Record<string, string>} attributes @param {string} [text] */
  function make(tag, attributes, text = "") {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.textContent = text;
    return element;
  }

  let at = settings.DEFAULT;
  let waiting = 0; // the frame that will show the settings
  /**
   * @typedef {object} Inputs of a field
   * @property {HTMLInputElement} slider
   * @property {HTMLInputElement} box
   * @property {HTMLElement} says
   * @property {HTMLElement} error
   */
  /** @type {Map<string, Inputs>} */
  const inputs = new Map();

  /** Slider and box of a field. @param {HTMLElement} place @param {Field} of */
  function makeField(place, of) {
    const [id, last] = [`field-${of.name}`, String(of.rungs.length - 1)];
    const box = /** @type {HTMLInputElement} */ (
      make("input", { type: "text", inputmode: "decimal", id, "aria-describedby": `${id}-error` })
    );
    const slider = /** @type {HTMLInputElement} */ (
      make("input", {
        type: "range",
        min: "0",
        max: last,
        id: `${id}-slider`,
        "aria-label": of.label,
      })
    );
    const says = make("p", { class: "says" });
    const error = make("p", { class: "error", id: `${id}-error` });
    const top = make("div", { class: "top" });
    top.append(make("label", { for: id }, of.label), box);
    place.append(top, slider, says, error);
    inputs.set(of.name, { slider, box, says, error });

    slider.addEventListener("input", () => {
      mark(of, "");
      change(of.set(at, of.rungs[Number(slider.value)]));
    });
    box.addEventListener("input", () => {
      const value = settings.read(of, box.value);
      if (typeof value === "number") change(of.set(at, value));
    });
    box.addEventListener("change", () => {
      const value = settings.read(of, box.value);
      mark(of, typeof value === "string" ? value : "");
      if (typeof value === "number") showField(of, true);
    });
  }

  /** What is wrong with a field; "": nothing. @param {Field} of @param {string} wrong */
  function mark(of, wrong) {
    const { box, error } = /** @type {Inputs} */ (inputs.get(of.name));
    error.textContent = wrong;
    box.setAttribute("aria-invalid", String(wrong !== ""));
  }

  /** What a field says beside its number. @param {Field} of @returns {string} */
  function remark(of) {
    const bits = words.number(Math.log2(at.choices));
    if (of.name === "choices") return bits === "1" ? "1 bit a fact" : `${bits} bits a fact`;
    if (of.name === "exponent" && at.exponent === 0) return "all facts equally often";
    if (of.name === "exponent") {
      const total = sums.harmonic(at.facts, at.exponent);
      return `the commonest fact has ${words.percent(1 / total)} of the queries`;
    }
    return "";
  }

  /** @param {Field} of @param {boolean} [typed] whether the box is done with */
  function showField(of, typed = false) {
    const { slider, box, says } = /** @type {Inputs} */ (inputs.get(of.name));
    const value = of.get(at);
    const off = of.rungs.map((rung) => Math.abs(Math.log((rung + 0.01) / (value + 0.01))));
    slider.value = String(off.indexOf(Math.min(...off)));
    slider.setAttribute("aria-valuetext", value.toLocaleString("en-US"));
    says.textContent = remark(of);
    // What is being typed stays as it is; and so does a wrong number until it is mended.
    if (typed || document.activeElement !== box) {
      if (box.getAttribute("aria-invalid") !== "true") box.value = value.toLocaleString("en-US");
    }
  }

  /** @param {Settings} next */
  function change(next) {
    at = next;
    if (!waiting) waiting = requestAnimationFrame(show);
  }

  function show() {
    waiting = 0;
    const found = answers.answer(at);
    FIELDS.forEach((of) => showField(of));
    showPicture(found);
    showTables(found);
    part("python").textContent = answers.python(at);
    part("done").textContent = "";
    /** @type {HTMLSelectElement} */ (part("runs")).value = at.runs;
    for (const radio of document.querySelectorAll("input[name=count]")) {
      const button = /** @type {HTMLInputElement} */ (radio);
      button.checked = button.value === at.count;
    }
    history.replaceState(null, "", `#${settings.toLink(at)}`);
  }

  /** @param {Answers} found */
  function showPicture(found) {
    const width = Math.max(280, Math.floor(part("chart").clientWidth));
    const height = Math.round(Math.min(400, Math.max(260, width * 0.55)));
    part("chart").innerHTML = chart.picture(at, found, { width, height });
    part("key").innerHTML = chart.key(found, width);
    const does = at.count === "queries" ? "answer" : "know";
    const counted = at.count === "queries" ? "queries" : "facts";
    const best = found.lines[0].accuracy[found.counts.indexOf(at.facts)];
    const limit = `No model of ${words.count(at.bits)} bits can ${does} more`;
    const facts = at.facts === 1 ? "1 fact is" : `${words.count(at.facts)} facts are`;
    const total = `${facts} ${words.count(at.facts * found.entropy)} bits: load ${words.number(found.load)}.`;
    const can =
      best === 1
        ? "They fit: all can be known."
        : `${limit} than ${words.percent(best)} of the ${counted}.`;
    part("statement").textContent = `${total} ${can}`;
    part("beside").textContent = found.runs ? besides(found.runs) : "";
  }

  /** @param {Runs} runs */
  function besides(runs) {
    const facts = `facts of ${words.number(Math.log2(runs.choices))} bits, exponent ${Number(runs.exponent.toFixed(2))}`;
    const what = `Points: a model of ${runs.parameters.toLocaleString("en-US")} parameters that holds ${words.count(runs.bits)} bits; ${facts}.`;
    const other = answers.differences(at, runs);
    if (!other.length) return what;
    const both = answers.comparable(at, runs) ? "" : ", so do not compare them";
    return `${what} Your lines have another ${other.join(" and another ")}${both}.`;
  }

  /** @param {HTMLElement} body @param {[string, ...string[]][]} rows */
  function fill(body, rows) {
    body.replaceChildren(
      ...rows.map(([name, ...cells]) => {
        const row = make("tr", {});
        // A single cell stands for all of them.
        const span = { colspan: String(cells.length === 1 ? 2 : 1) };
        row.append(make("th", { scope: "row" }, name));
        row.append(...cells.map((cell) => make("td", span, cell)));
        return row;
      }),
    );
  }

  /** @param {Answers} found */
  function showTables(found) {
    const measured = (found.runs?.series ?? []).map((series) => {
      const point = answers.nearest(series, found.load);
      const load = point ? ` (load ${words.number(Number(point.load.toPrecision(3)))})` : "";
      const name = `Our models, ${series.title}${load}`;
      if (!point) return /** @type {[string, ...string[]]} */ ([name, "no run near this load"]);
      const known = words.count(point.known[0] * point.facts);
      const of = point.facts === at.facts ? "" : ` of ${words.count(point.facts)}`;
      return /** @type {[string, ...string[]]} */ ([
        name,
        words.percent(point.queries[0]),
        known + of,
      ]);
    });
    /** @param {string} title */
    const capital = (title) => title[0].toUpperCase() + title.slice(1);
    part("of").textContent = `facts known, of ${words.count(at.facts)}`;
    fill(part("known"), [
      ...found.rows.map(({ title, queries, known }) => {
        const cells = [words.percent(queries), words.count(known)];
        return /** @type {[string, ...string[]]} */ ([capital(title), ...cells]);
      }),
      ...measured,
    ]);
    fill(
      part("needed"),
      found.needs.map(({ title, bits }) => {
        const load = bits === 0 ? Infinity : (at.facts * found.entropy) / bits;
        const size = [words.count(bits), words.count(Math.ceil(bits / at.per)), words.number(load)];
        return [capital(title), ...size];
      }),
    );
  }

  /** The picture by itself: of one size, and with the colors that the page has now. */
  function standalone() {
    const look = getComputedStyle(document.documentElement);
    const text = chart.whole(at, answers.answer(at), { width: 760, height: 420 });
    return text.replace(/var\((--[\w-]+)\)/g, (_, name) => look.getPropertyValue(name).trim());
  }

  /** @param {string} name @param {string} type @param {string} text */
  function save(name, type, text) {
    const address = URL.createObjectURL(new Blob([text], { type }));
    const link = make("a", { href: address, download: name });
    link.click();
    URL.revokeObjectURL(address);
    part("done").textContent = `Saved as ${name}.`;
  }

  /** @param {string} text @param {string} what */
  async function copy(text, what) {
    try {
      await navigator.clipboard.writeText(text);
      part("done").textContent = `${what} copied.`;
    } catch {
      window.prompt(`Copy it from here:`, text); // a browser that keeps its clipboard to itself
    }
  }

  const dark = () => {
    const chosen = document.documentElement.dataset.theme;
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  };
  const nameTheme = () => (part("theme").textContent = dark() ? "Light" : "Dark");

  function follow() {
    const { settings: found, wrong } = settings.fromLink(location.hash.slice(1));
    part("wrong").textContent = wrong.join(" ");
    part("wrong").hidden = wrong.length === 0;
    FIELDS.forEach((of) => mark(of, ""));
    at = found;
    show();
    FIELDS.forEach((of) => showField(of, true));
  }

  for (const place of document.querySelectorAll("[data-field]")) {
    const element = /** @type {HTMLElement} */ (place);
    makeField(element, field(String(element.dataset.field)));
  }
  part("runs").append(
    ...MEASURED.map(({ name, title }) => make("option", { value: name }, title)),
    make("option", { value: "none" }, "None"),
  );
  part("runs").addEventListener("change", (event) => {
    const name = /** @type {HTMLSelectElement} */ (event.target).value;
    const runs = MEASURED.find((each) => each.name === name);
    FIELDS.forEach((of) => mark(of, ""));
    change(runs ? settings.asIn(at, runs) : { ...at, runs: "none" });
  });
  for (const radio of document.querySelectorAll("input[name=count]")) {
    radio.addEventListener("change", () => {
      const { value } = /** @type {HTMLInputElement} */ (radio);
      change({ ...at, count: value === "facts" ? "facts" : "queries" });
    });
  }
  part("controls").addEventListener("submit", (event) => event.preventDefault());
  part("copy-link").addEventListener("click", () => copy(location.href, "Link"));
  part("copy-python").addEventListener("click", () => copy(answers.python(at), "Python"));
  part("save-csv").addEventListener("click", () =>
    save("factcap.csv", "text/csv", answers.csv(at)),
  );
  part("save-svg").addEventListener("click", () =>
    save("factcap.svg", "image/svg+xml", standalone()),
  );
  part("theme").addEventListener("click", () => {
    document.documentElement.dataset.theme = dark() ? "light" : "dark";
    nameTheme();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", nameTheme);
  window.addEventListener("resize", () => change(at));
  window.addEventListener("hashchange", follow);
  nameTheme();
  follow();
})();
