"use strict";
/** What follows from the settings: curves, numbers, the table to keep and the line of Python. */

/**
 * Our runs of one frequency of facts. Each spread is [mean, least, most] over the seeds.
 * @typedef {{facts: number, load: number, seeds: number, queries: number[], known: number[]}} Point
 * @typedef {{title: string, points: Point[]}} Series
 * @typedef {{name: string, title: string, source: string, exponent: number, choices: number,
 *   bits: number, parameters: number, series: Series[]}} Runs
 */
/**
 * @typedef {{name: Kind | "guess", title: string, accuracy: number[]}} Line
 * @typedef {object} Answers
 * @property {number} entropy bits of a fact
 * @property {number} load bits of the facts over the budget
 * @property {number[]} counts numbers of facts of the curves
 * @property {number[]} loads the load at each
 * @property {number[]} range least and largest load that is shown
 * @property {Line[]} lines what is charted
 * @property {{name: Kind | "guess", title: string, queries: number, known: number}[]} rows
 *   of the table, at the chosen number of facts; `known` is a number of facts
 * @property {{name: Kind, title: string, bits: number}[]} needs for the accuracy that is wanted
 * @property {Runs | undefined} runs what is laid beside
 */

const answers = (() => {
  /** @type {Kind[]} */
  const KINDS = ["rate_distortion", "all_or_nothing", "even_spreading"];
  const TITLES = {
    rate_distortion: "any model at best (rate-distortion)",
    all_or_nothing: "facts whole or guessed (all-or-nothing)",
    even_spreading: "bits spread evenly",
    guess: "guessing",
  };
  const MOST = 1e12; // facts
  const POINTS = 96; // of a curve

  /** @param {Settings} at @returns {Objective} */
  const objective = (at) => (at.count === "queries" ? "weighted" : "accuracy");

  /**
   * Numbers of facts from the least to the largest load, both sides of the load 1 among them.
   * @param {Settings} at @param {number} entropy @param {number[]} range
   */
  function countsOver(at, entropy, [low, high]) {
    const fitting = at.bits / entropy;
    const wanted = [Math.floor(fitting), Math.floor(fitting) + 1, at.facts];
    for (let i = 0; i <= POINTS; i += 1) {
      wanted.push(Math.round(low * (high / low) ** (i / POINTS) * fitting));
    }
    const whole = wanted.map((facts) => Math.min(Math.max(facts, 1), MOST));
    return [...new Set(whole)].sort((a, b) => a - b);
  }

  /** @param {Settings} at @returns {Answers} */
  function answer(at) {
    const entropy = Math.log2(at.choices);
    const load = (at.facts * entropy) / at.bits;
    const range = [Math.min(1 / 8, load / 2), Math.max(8, load * 2)];
    const counts = countsOver(at, entropy, range);
    const guess = 1 / at.choices;
    /** @param {Kind} kind @param {Objective} of */
    const bound = (kind, of) => bounds.powerLawBound(at, at.bits, kind, of);
    return {
      entropy,
      load,
      range,
      counts,
      loads: counts.map((facts) => (facts * entropy) / at.bits),
      lines: [
        ...KINDS.map((name) => ({
          name,
          title: TITLES[name],
          accuracy: bounds.powerLawCurve(counts, at, at.bits, name, objective(at)),
        })),
        { name: "guess", title: TITLES.guess, accuracy: counts.map(() => guess) },
      ],
      rows: [
        ...KINDS.map((name) => ({
          name,
          title: TITLES[name],
          queries: bound(name, "weighted"),
          known: at.facts * bound(name, "accuracy"),
        })),
        { name: "guess", title: TITLES.guess, queries: guess, known: at.facts * guess },
      ],
      needs: KINDS.map((name) => ({
        name,
        title: TITLES[name],
        bits: bounds.smallestPowerLawBudget(at, at.reach / 100, name, objective(at)),
      })),
      runs: MEASURED.find((runs) => runs.name === at.runs),
    };
  }

  /** @param {Settings} at @param {Point} point its [mean, least, most] of what is counted */
  const measuredAccuracy = (at, point) => (at.count === "queries" ? point.queries : point.known);

  /**
   * The point of a series whose load is nearest, if it is near.
   * @param {Series} series @param {number} load @returns {Point | undefined}
   */
  function nearest(series, load) {
    const off = series.points.map((point) => Math.abs(Math.log(point.load / load)));
    const least = Math.min(...off);
    return least < Math.log(1.15) ? series.points[off.indexOf(least)] : undefined;
  }

  /**
   * What of the settings differs from those of the runs, in words.
   * @param {Settings} at @param {Runs} runs
   */
  function differences(at, runs) {
    const found = [];
    if (Math.abs(at.exponent - runs.exponent) > 0.005) found.push("exponent");
    if (at.choices !== runs.choices) found.push("number of choices");
    if (Math.abs(at.bits / runs.bits - 1) > 0.005) found.push("budget");
    return found;
  }

  /**
   * Whether lines and points may be compared: where all facts are equally frequent, only load and
   * choices matter.
   * @param {Settings} at @param {Runs} runs
   */
  function comparable(at, runs) {
    const other = differences(at, runs);
    return other.length === 0 || (at.exponent === 0 && other.join() === "budget");
  }

  /** The numbers of the picture, a row a point of a line. @param {Settings} at */
  function csv(at) {
    const { counts, loads, lines, runs } = answer(at);
    const rows = ["line,facts,choices,exponent,budget_bits,count,load,accuracy,least,most"];
    for (const line of lines) {
      counts.forEach((facts, i) => {
        const where = [facts, at.choices, at.exponent, at.bits, at.count, loads[i]];
        rows.push([line.name, ...where, line.accuracy[i], "", ""].join());
      });
    }
    for (const { title, points } of runs?.series ?? []) {
      for (const point of points) {
        const where = [point.facts, runs?.choices, runs?.exponent, runs?.bits, at.count];
        rows.push([title, ...where, point.load, ...measuredAccuracy(at, point)].join());
      }
    }
    return rows.join("\n") + "\n";
  }

  /** Python that prints the bounds and what the wanted accuracy needs. @param {Settings} at */
  function python(at) {
    const where = [at.facts, at.choices, at.exponent].join(", ");
    const of = at.count === "facts" ? ', objective="accuracy"' : "";
    return [
      "from factcap.capacity import power_law_bound, smallest_power_law_budget",
      "",
      `for kind in (${KINDS.map((kind) => `"${kind}"`).join(", ")}):`,
      `    best = power_law_bound(${where}, ${at.bits}, kind=kind${of})`,
      `    bits = smallest_power_law_budget(${where}, ${at.reach / 100}, kind=kind${of})`,
      "    print(kind, best.accuracy, bits)",
    ].join("\n");
  }

  return { answer, measuredAccuracy, nearest, differences, comparable, csv, python };
})();
