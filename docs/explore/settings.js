"use strict";
/** What a reader can set, its limits, and the link that carries it. */

/**
 * The settings of the page.
 * @typedef {object} Settings
 * @property {number} facts how many facts there are
 * @property {number} choices how many values of a fact are equally likely
 * @property {number} exponent of the power law of their frequencies; 0: all equally frequent
 * @property {number} bits what the model can hold
 * @property {number} per bits that it holds for each parameter
 * @property {number} reach the accuracy that is wanted, in percent
 * @property {"queries" | "facts"} count what accuracy counts: queries by frequency, or facts
 * @property {string} runs the name of the group of measured points, or "none"
 */
/**
 * A number that can be set: by a slider whose stops are `rungs`, or typed, from `low` to `high`.
 * @typedef {object} Field
 * @property {string} name
 * @property {string} label
 * @property {number} low
 * @property {number} high
 * @property {boolean} whole
 * @property {number[]} rungs
 * @property {(settings: Settings) => number} get
 * @property {(settings: Settings, value: number) => Settings} set
 */

const settings = (() => {
  /**
   * Numbers that grow by a nearly constant factor, to three digits.
   * @param {number} low @param {number} high powers of ten
   * @param {number} decade how many in a factor of ten
   */
  function ladder(low, high, decade) {
    const first = Math.round(Math.log10(low) * decade);
    const last = Math.round(Math.log10(high) * decade);
    /** @type {Set<number>} */
    const rungs = new Set();
    for (let step = first; step <= last; step += 1) {
      const value = 10 ** (step / decade);
      rungs.add(Number(value < 100 ? Math.round(value) : value.toPrecision(3)));
    }
    return [...rungs];
  }

  /** @param {number} low @param {number} high @param {number} step */
  function steps(low, high, step) {
    const count = Math.round((high - low) / step);
    return Array.from({ length: count + 1 }, (_, i) => Number((low + i * step).toPrecision(6)));
  }

  const PARAMETERS = { low: 1, high: 1e13 };
  const BITS = { low: 1, high: 1e14 };
  /** @param {number} value @param {{low: number, high: number}} limits */
  const within = (value, { low, high }) => Math.min(high, Math.max(low, value));
  /** @param {Settings} at */
  const parameters = (at) => within(Math.round(at.bits / at.per), PARAMETERS);
  /** The budget of as many parameters as it can be. @param {number} bits */
  const rounded = (bits) => within(Number(bits.toPrecision(12)), BITS);

  /** @type {Field[]} */
  const FIELDS = [
    {
      name: "facts",
      label: "Facts",
      low: 1,
      high: 1e12,
      whole: true,
      rungs: ladder(1, 1e12, 24),
      get: (at) => at.facts,
      set: (at, facts) => ({ ...at, facts }),
    },
    {
      name: "choices",
      label: "Choices a fact",
      low: 2,
      high: 2 ** 40,
      whole: true,
      rungs: steps(1, 40, 1).map((bits) => 2 ** bits),
      get: (at) => at.choices,
      set: (at, choices) => ({ ...at, choices }),
    },
    {
      name: "exponent",
      label: "Exponent",
      low: 0,
      high: 4,
      whole: false,
      rungs: steps(0, 4, 0.05),
      get: (at) => at.exponent,
      set: (at, exponent) => ({ ...at, exponent }),
    },
    {
      name: "parameters",
      label: "Parameters",
      ...PARAMETERS,
      whole: true,
      rungs: ladder(100, 1e12, 24),
      get: parameters,
      set: (at, value) => ({ ...at, bits: rounded(value * at.per) }),
    },
    {
      name: "per",
      label: "Bits a parameter",
      low: 0.01,
      high: 32,
      whole: false,
      rungs: steps(0.1, 8, 0.1),
      get: (at) => at.per,
      set: (at, per) => ({ ...at, per, bits: rounded(parameters(at) * per) }),
    },
    {
      name: "bits",
      label: "Budget in bits",
      ...BITS,
      whole: false,
      rungs: ladder(100, 1e13, 24),
      get: (at) => at.bits,
      set: (at, bits) => ({ ...at, bits }),
    },
    {
      name: "reach",
      label: "Accuracy wanted, %",
      low: 0.001,
      high: 100,
      whole: false,
      rungs: steps(1, 100, 1),
      get: (at) => at.reach,
      set: (at, reach) => ({ ...at, reach }),
    },
  ];

  /** Twice the facts that our model can hold. @type {Settings} */
  const DEFAULT = {
    facts: 1875,
    choices: 2097152,
    exponent: 0,
    bits: 19173,
    per: 2.3178,
    reach: 90,
    count: "queries",
    runs: "selection-0.0",
  };
  const CARRIED = ["facts", "choices", "exponent", "bits", "per", "reach"];

  /** @param {string} name @returns {Field} */
  function field(name) {
    const found = FIELDS.find((each) => each.name === name);
    if (!found) throw new Error(`no field ${name}`);
    return found;
  }

  /**
   * The number that a text says, or the one line that says what is wrong with it.
   * @param {Field} of @param {string} text @returns {number | string}
   */
  function read(of, text) {
    const plain = text.replace(/[\s,_]/g, "");
    const value = plain === "" ? NaN : Number(plain);
    const fits = value >= of.low && value <= of.high && (!of.whole || Number.isInteger(value));
    if (fits) return value;
    const kind = of.whole ? "a whole number" : "a number";
    const [low, high] = [of.low, of.high].map((limit) => limit.toLocaleString("en-US"));
    return `${of.label} must be ${kind} from ${low} to ${high}, not “${text.trim()}”.`;
  }

  /** The settings of a group of our runs. @param {Settings} at @param {Runs} runs */
  function asIn(at, { name, exponent, choices, bits, parameters }) {
    const per = Number((bits / parameters).toPrecision(5));
    return { ...at, runs: name, exponent, choices, per, bits: Math.round(bits) };
  }

  /** The part of a link after its #. @param {Settings} at */
  function toLink(at) {
    return Object.entries(at)
      .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
      .join("&");
  }

  /** @param {string} coded as in a link */
  function plainly(coded) {
    try {
      return decodeURIComponent(coded);
    } catch {
      return coded; // a lone %
    }
  }

  /**
   * The settings of a link, and a line for each part of it that cannot be.
   * @param {string} link @returns {{settings: Settings, wrong: string[]}}
   */
  function fromLink(link) {
    let found = { ...DEFAULT };
    /** @type {string[]} */
    const wrong = [];
    const known = ["none", ...MEASURED.map((runs) => runs.name)];
    for (const part of link.split("&").filter(Boolean)) {
      const [name, text = ""] = part.split("=").map(plainly);
      if (CARRIED.includes(name)) {
        const value = read(field(name), text);
        if (typeof value === "string") wrong.push(value);
        else found = { ...found, [name]: value };
      } else if (name === "count" && (text === "queries" || text === "facts")) {
        found = { ...found, count: text };
      } else if (name === "runs" && known.includes(text)) {
        found = { ...found, runs: text };
      } else {
        wrong.push(`The link says ${name}=${text}, which is nothing that can be set.`);
      }
    }
    return { settings: found, wrong };
  }

  return { DEFAULT, FIELDS, field, read, asIn, parameters, toLink, fromLink };
})();
