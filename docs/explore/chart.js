"use strict";
/** The picture: accuracy against load, as the text of an SVG of a given size. */

/**
 * @typedef {{width: number, height: number}} Size
 * @typedef {{x: (load: number) => number, y: (accuracy: number) => number, left: number,
 *   right: number, top: number, bottom: number}} Plane
 */

const chart = (() => {
  const INK = "var(--factcap-ink)";
  const MUTED = "var(--factcap-muted)";
  const GRID = "var(--factcap-grid)";
  const PAPER = "var(--factcap-paper)";
  const LEGEND_ROW = 21;
  const LINES = {
    rate_distortion: { prefix: "bound: ", pen: pen(INK, 1.8) },
    all_or_nothing: { prefix: "bound: ", pen: pen(MUTED, 6, "", 0.4) },
    even_spreading: { prefix: "floor: ", pen: pen(INK, 1.6, "1.5 3") },
    guess: { prefix: "floor: ", pen: pen(MUTED, 1.4, "8 3 2 3") },
  };
  /** Of our series: color, dashes, and mark. */
  const SERIES = [
    { color: "var(--factcap-series-1)", dashes: "", mark: circle },
    { color: "var(--factcap-series-2)", dashes: "7 2.5", mark: square },
  ];

  /** @param {string} color @param {number} width @param {string} dashes @param {number} opacity */
  function pen(color, width, dashes = "", opacity = 1) {
    const line = `stroke="${color}" stroke-width="${width}" stroke-dasharray="${dashes}"`;
    return `fill="none" ${line} stroke-opacity="${opacity}" stroke-linejoin="round"`;
  }

  /** @param {number} x @param {number} y @param {string} color */
  function circle(x, y, color) {
    return `<circle cx="${px(x)}" cy="${px(y)}" r="5" fill="${color}" stroke="${PAPER}"/>`;
  }

  /** @param {number} x @param {number} y @param {string} color */
  function square(x, y, color) {
    const corner = `x="${px(x - 4.5)}" y="${px(y - 4.5)}"`;
    return `<rect ${corner} width="9" height="9" fill="${color}" stroke="${PAPER}"/>`;
  }

  /** @param {number} value */
  const px = (value) => value.toFixed(1);

  /** @param {number[][]} points */
  const path = (points) => `M${points.map(([x, y]) => `${px(x)},${px(y)}`).join("L")}`;

  /** @param {string} text */
  const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;");

  /**
   * @param {number} x @param {number} y @param {string} text
   * @param {{anchor?: string, color?: string}} [look]
   */
  function label(x, y, text, { anchor = "middle", color = MUTED } = {}) {
    const where = `x="${px(x)}" y="${px(y)}" text-anchor="${anchor}" fill="${color}"`;
    return `<text ${where}>${escaped(text)}</text>`;
  }

  /**
   * Loads at which the axis has a tick, no closer than the labels allow.
   * @param {Plane} plane @param {number[]} range
   */
  function ticks(plane, [low, high]) {
    const base = high / low > 600 ? 10 : 2;
    const all = [];
    const first = Math.ceil(Math.log(low) / Math.log(base) - 1e-9);
    for (let power = first; base ** power <= high * (1 + 1e-9); power += 1) all.push(base ** power);
    const every = Math.ceil((58 * all.length) / (plane.right - plane.left));
    const one = all.indexOf(1);
    return all.filter((_, place) => (place - one) % every === 0);
  }

  /** Grid, ticks and titles. @param {Settings} at @param {Answers} found @param {Plane} plane */
  function axes(at, found, plane) {
    const parts = [];
    for (const share of [0, 0.2, 0.4, 0.6, 0.8, 1]) {
      const y = plane.y(share);
      parts.push(
        `<path d="${path([
          [plane.left, y],
          [plane.right, y],
        ])}" ${pen(GRID, 1)}/>`,
      );
      parts.push(label(plane.left - 8, y + 4, `${Math.round(100 * share)}%`, { anchor: "end" }));
    }
    for (const load of ticks(plane, found.range)) {
      const x = plane.x(load);
      const name =
        1 / load === Math.round(1 / load) && load < 1 ? `1/${1 / load}` : words.tick(load);
      const facts = (load * at.bits) / found.entropy;
      const count = facts < 0.5 ? "" : words.tick(facts < 1e4 ? Math.round(facts) : facts);
      parts.push(
        `<path d="${path([
          [x, plane.top],
          [x, plane.bottom],
        ])}" ${pen(GRID, 1)}/>`,
      );
      parts.push(label(x, plane.bottom + 18, name, { color: INK }));
      parts.push(label(x, plane.bottom + 35, count));
    }
    const counted = at.count === "queries" ? "queries answered" : "facts known";
    parts.push(label(8, plane.top - 14, counted, { anchor: "start", color: INK }));
    parts.push(label(8, plane.bottom + 18, "load", { anchor: "start", color: INK }));
    parts.push(label(8, plane.bottom + 35, "facts", { anchor: "start" }));
    return parts.join("");
  }

  /**
   * What is wanted, and where the reader stands.
   * @param {Settings} at @param {Answers} found @param {Plane} plane
   */
  function marks(at, found, plane) {
    const wanted = plane.y(at.reach / 100);
    const x = plane.x(found.load);
    const best = found.lines[0].accuracy[found.counts.indexOf(at.facts)];
    const right = x < plane.right - 120;
    const anchor = right ? "start" : "end";
    return [
      `<path d="${path([
        [plane.left, wanted],
        [plane.right, wanted],
      ])}" ${pen(MUTED, 1, "2 4")}/>`,
      label(plane.left + 5, wanted + (at.reach > 95 ? 16 : -5), `${at.reach}% wanted`, {
        anchor: "start",
      }),
      `<path d="${path([
        [x, plane.top - 6],
        [x, plane.bottom],
      ])}" ${pen(INK, 1)}/>`,
      label(x + (right ? 5 : -5), plane.top - 14, `${words.count(at.facts)} facts`, {
        anchor,
        color: INK,
      }),
      `<circle cx="${px(x)}" cy="${px(plane.y(best))}" r="4.5" fill="${PAPER}" stroke="${INK}" stroke-width="2"/>`,
    ].join("");
  }

  /**
   * Our points: mean of the seeds, bars from the least to the most.
   * @param {Settings} at @param {Answers} found @param {Plane} plane
   */
  function measured(at, found, plane) {
    const { runs } = found;
    if (!runs) return "";
    const parts = runs.series.map(({ points }, number) => {
      const { color, dashes, mark } = SERIES[number];
      const places = points.map((point) => {
        const [mean, least, most] = answers.measuredAccuracy(at, point).map(plane.y);
        return { x: plane.x(point.load), mean, least, most };
      });
      const bars = places
        .map(({ x, least, most }) =>
          path([
            [x, least],
            [x, most],
          ]),
        )
        .join("");
      return [
        `<path d="${path(places.map(({ x, mean }) => [x, mean]))}" ${pen(color, 1.6, dashes)}/>`,
        `<path d="${bars}" ${pen(color, 1.6)}/>`,
        ...places.map(({ x, mean }) => mark(x, mean, color)),
      ].join("");
    });
    // Points of another setting stand back.
    const opacity = answers.comparable(at, runs) ? 1 : 0.35;
    return `<g opacity="${opacity}">${parts.join("")}</g>`;
  }

  /** What each line is. @param {Answers} found @param {number} width @param {number} top */
  function legend(found, width, top) {
    const bounds = found.lines.map(({ name, title }) => ({
      title: LINES[name].prefix + title,
      draw: (/** @type {number} */ x, /** @type {number} */ y) =>
        `<path d="${path([
          [x, y],
          [x + 30, y],
        ])}" ${LINES[name].pen}/>`,
    }));
    const series = (found.runs?.series ?? []).map(({ title }, number) => ({
      title: `our models, ${title}`,
      draw: (/** @type {number} */ x, /** @type {number} */ y) => {
        const { color, dashes, mark } = SERIES[number];
        const line = `<path d="${path([
          [x, y],
          [x + 30, y],
        ])}" ${pen(color, 1.6, dashes)}/>`;
        return line + mark(x + 15, y, color);
      },
    }));
    const rows = legendRows(found, width);
    return [...bounds, ...series]
      .map(({ title, draw }, place) => {
        const x = 8 + (Math.floor(place / rows) * width) / 2;
        const y = top + (place % rows) * LEGEND_ROW;
        return draw(x, y) + label(x + 40, y + 4.5, title, { anchor: "start", color: INK });
      })
      .join("");
  }

  /** In two columns where they have room. @param {Answers} found @param {number} width */
  function legendRows(found, width) {
    const entries = found.lines.length + (found.runs?.series.length ?? 0);
    return width < 620 ? entries : Math.ceil(entries / 2);
  }

  /** @param {Answers} found @param {number} width */
  const legendHeight = (found, width) => legendRows(found, width) * LEGEND_ROW + 4;

  /** What the picture says, for those who do not see it. @param {Settings} at @param {Answers} found */
  function description(at, found) {
    const here = found.lines.map(({ name, title, accuracy }) => {
      const share = words.percent(accuracy[found.counts.indexOf(at.facts)]);
      return `${LINES[name].prefix}${title}: ${share}`;
    });
    return `At ${words.count(at.facts)} facts, load ${words.number(found.load)}: ${here.join("; ")}.`;
  }

  /**
   * Accuracy against load, in the colors of the page.
   * @param {Settings} at @param {Answers} found @param {Size} size
   */
  function planeOf(at, found, { width, height }) {
    const [low, high] = found.range.map(Math.log);
    const [left, right, top, bottom] = [66, width - 24, 40, height - 44];
    /** @type {Plane} */
    const plane = {
      left,
      right,
      top,
      bottom,
      x: (load) => left + ((right - left) * (Math.log(load) - low)) / (high - low),
      y: (accuracy) => bottom - (bottom - top) * accuracy,
    };
    const curves = [...found.lines].reverse().map(({ name, accuracy }) => {
      const points = accuracy.map((share, i) => [plane.x(found.loads[i]), plane.y(share)]);
      return `<path data-line="${name}" d="${path(points)}" ${LINES[name].pen}/>`;
    });
    const [across, down] = [right - left, bottom - top + 16];
    return [
      `<title id="chart-title">How many facts a model can know, against how many there are</title>`,
      `<desc id="chart-text">${escaped(description(at, found))}</desc>`,
      `<clipPath id="plane"><rect x="${left}" y="${top - 8}" width="${across}" height="${down}"/></clipPath>`,
      axes(at, found, plane),
      `<g clip-path="url(#plane)">${curves.join("")}${measured(at, found, plane)}</g>`,
      marks(at, found, plane),
    ].join("");
  }

  /** @param {Size} size @param {string} inside @param {string} [more] attributes */
  function svg({ width, height }, inside, more = "") {
    const font = 'font-family="system-ui, sans-serif" font-size="13"';
    const box = `viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`;
    return `<svg xmlns="http://www.w3.org/2000/svg" ${box} ${font} ${more}>${inside}</svg>`;
  }

  const NAMED = 'role="img" aria-labelledby="chart-title chart-text"';

  /** The picture without its legend. @param {Settings} at @param {Answers} found @param {Size} size */
  const picture = (at, found, size) => svg(size, planeOf(at, found, size), NAMED);

  /** The legend by itself. @param {Answers} found @param {number} width */
  function key(found, width) {
    const height = legendHeight(found, width);
    return svg({ width, height }, legend(found, width, 12), 'aria-hidden="true"');
  }

  /** Both, on a ground of paper. @param {Settings} at @param {Answers} found @param {Size} size */
  function whole(at, found, size) {
    const all = { ...size, height: size.height + legendHeight(found, size.width) };
    const ground = `<rect width="100%" height="100%" fill="${PAPER}"/>`;
    const inside = planeOf(at, found, size) + legend(found, size.width, size.height + 12);
    return svg(all, ground + inside, NAMED);
  }

  return { picture, key, whole };
})();
