"use strict";
/**
 * The bounds of `factcap.capacity.bounds` for power-law facts: the same numbers, in the browser.
 *
 * `powerLawBound` is `power_law_bound(...).accuracy`, `smallestPowerLawBudget` is
 * `smallest_power_law_budget`; their docstrings give the formulas and sources. The test suite holds
 * both against Python, to 1e-9. A curve is quick because a sum over facts takes some hundred terms,
 * however many facts there are, and because each point starts from the price of the one before.
 */

/** @typedef {"rate_distortion" | "all_or_nothing" | "even_spreading"} Kind */
/** @typedef {"weighted" | "accuracy"} Objective */
/**
 * What the optimum depends on: N facts of K choices, with frequencies proportional to rank^-s.
 * @typedef {{facts: number, choices: number, exponent: number}} Problem
 */
/**
 * At one price: all facts' rate in nats, its slope in log_scale, and the sum of weight times recall.
 * @typedef {{nats: number, slope: number, recalled: number}} Rates
 */

const bounds = (() => {
  const { DIRECT, END, NODES, WEIGHTS, harmonic } = sums;
  const LARGEST = 709; // exp of it is finite
  const SMALLEST = 1e-290; // below it a number of nats is as good as none
  // From this far above x = ln K on, a fact counts as known: it is, but for 1e-14.
  const KNOWN = 32;
  const FINEST = 6; // width in x of a panel of the rule; the nearest poles are pi away
  const STEP = 0.1; // most that x changes between two facts where the integral begins or ends

  /**
   * Where the rule's panels in ln i end: every FINEST in x, and often enough for i^-s itself.
   * @param {number} low @param {number} high @param {number} exponent @param {number} logScale
   * @param {number} largest of x
   */
  function panelEdges(low, high, exponent, logScale, largest) {
    const edges = [low, high];
    const even = Math.ceil((high - low) * Math.max(1, exponent / 2));
    for (let i = 1; i < even; i += 1) edges.push(low + ((high - low) * i) / even);
    for (let x = FINEST; x < largest; x += FINEST) {
      const edge = (logScale - Math.log(x)) / exponent;
      if (edge > low && edge < high) edges.push(edge);
    }
    return edges.sort((a, b) => a - b);
  }

  /**
   * The sums over facts at the price theta, where x_i = i^-s exp(log_scale) = i^-s ln 2 / theta.
   *
   * With z = x - ln(K - 1): a = 1 / (1 + e^-z), R = a x - ln((e^x + K - 1) / K) nats. The most
   * frequent facts are known and counted at once; those at the margin are taken one by one, and the
   * smooth tail by integration over ln i with Gregory's end corrections.
   * @param {Problem} problem @param {number} logScale @returns {Rates}
   */
  function ratesAt({ facts, choices, exponent }, logScale) {
    const [logK, logOthers] = [Math.log(choices), Math.log(choices - 1)];
    const [scale, constant] = [Math.exp(logScale), logK + KNOWN];
    const known = Math.min(facts, Math.floor(Math.exp((logScale - Math.log(constant)) / exponent)));
    let nats = known * logK;
    let recalled = harmonic(known, exponent);
    let slope = 0;

    /** @param {number} weight @param {number} copies */
    function add(weight, copies) {
      const x = weight * scale;
      const z = x - logOthers;
      const small = Math.exp(-Math.abs(z));
      const minor = small / (1 + small); // the smaller one of a and 1 - a
      if (x < 1e-2) {
        // R = sum over n of kappa_n x^n (n - 1) / n!, cumulants of a guess: there is no cancellation.
        const [p, v] = [1 / choices, (1 - 1 / choices) / choices];
        const skew = 1 - 2 * p;
        const fifth = x * ((skew * (1 - 12 * v)) / 30 + (x * (1 - 30 * v + 120 * v * v)) / 144);
        nats += copies * v * x * x * (1 / 2 + x * (skew / 3 + x * ((1 - 6 * v) / 8 + fifth)));
        recalled += copies * weight * (z > 0 ? 1 - minor : minor);
      } else if (z > 0) {
        nats += copies * (logK - minor * x - Math.log1p(small));
        recalled += copies * weight * (1 - minor);
      } else {
        nats += copies * (minor * x - Math.log1p(Math.expm1(x) / choices));
        recalled += copies * weight * minor;
      }
      slope += copies * (x * minor) * (x * (1 - minor));
    }

    // Of rank i on, x changes by less than STEP a fact: s x / i <= STEP.
    const smooth = Math.min(
      (exponent * constant) / STEP,
      Math.exp((logScale + Math.log(exponent / STEP)) / (1 + exponent)),
    );
    const start = Math.max(DIRECT, known + 1, Math.ceil(smooth));
    const whole = facts <= start + 2 * END.length;
    for (let i = known + 1; i < (whole ? facts + 1 : start); i += 1) add(i ** -exponent, 1);
    if (whole) return { nats, slope, recalled };

    END.forEach((correction, place) => {
      add((start + place) ** -exponent, correction);
      add((facts - place) ** -exponent, correction);
    });
    const [low, high] = [Math.log(start), Math.log(facts)];
    const edges = panelEdges(low, high, exponent, logScale, constant);
    for (let panel = 1; panel < edges.length; panel += 1) {
      const half = (edges[panel] - edges[panel - 1]) / 2;
      const middle = (edges[panel] + edges[panel - 1]) / 2;
      for (let node = 0; node < NODES.length; node += 1) {
        for (const sign of [-1, 1]) {
          const logRank = middle + sign * half * NODES[node];
          add(Math.exp(-exponent * logRank), half * WEIGHTS[node] * Math.exp(logRank));
        }
      }
    }
    return { nats, slope, recalled };
  }

  /**
   * The root of a function that grows with log_scale: Newton within a bracket.
   * @param {(logScale: number) => [number, number]} excess its value and its slope
   * @param {number} low @param {number} high @param {number} guess
   */
  function root(excess, low, high, guess) {
    let point = Math.min(Math.max(guess, low), high);
    for (let round = 0; round < 200; round += 1) {
      const [value, slope] = excess(point);
      if (Math.abs(value) < 1e-13) break;
      if (value < 0) low = point;
      else high = point;
      if (high - low < 1e-14 * Math.max(1, Math.abs(low))) break;
      const newton = point - value / slope;
      point = low < newton && newton < high ? newton : (low + high) / 2;
    }
    return point;
  }

  /**
   * The log_scale at which the rates sum to the budget, in nats.
   * @param {Problem} problem @param {number} budget @param {number} [guess]
   */
  function solve(problem, budget, guess) {
    const { facts, choices, exponent } = problem;
    // dR/dx <= x / 4, so R <= x^2 / 8: at this scale the rates are at most the budget.
    const low = 0.5 * Math.log((8 * budget) / harmonic(facts, 2 * exponent));
    const logK = Math.log(choices);
    const near = Math.log(logK) + exponent * Math.log(Math.max(1, budget / logK));
    return root(
      (logScale) => {
        const { nats, slope } = ratesAt(problem, logScale);
        if (!(nats > SMALLEST * budget)) return [-Infinity, 0];
        return [Math.log(nats / budget), slope / nats];
      },
      low,
      Math.max(LARGEST, low),
      guess ?? near,
    );
  }

  /** @param {number} facts @param {number} choices @param {number} exponent @param {number} stored */
  function allOrNothing(facts, choices, exponent, stored) {
    const whole = Math.floor(stored);
    const part = (stored - whole) * (whole + 1) ** -exponent;
    const share = (harmonic(whole, exponent) + part) / harmonic(facts, exponent);
    return share + (1 - share) / choices;
  }

  /**
   * Below 1e-15 the frequencies of all facts are one in doubles; and plain accuracy has no others.
   * @param {number} exponent @param {Objective} objective
   */
  function isFlat(exponent, objective) {
    return exponent < 1e-15 || objective === "accuracy";
  }

  /**
   * The accuracy of a bound, and the log_scale at which it was found where there was one.
   * @param {Problem} problem @param {number} budgetBits @param {Kind} kind
   * @param {Objective} objective @param {number} [guess] @returns {[number, number | undefined]}
   */
  function boundAt({ facts, choices, exponent }, budgetBits, kind, objective, guess) {
    const entropy = Math.log2(choices);
    if (budgetBits >= facts * entropy) return [1, undefined];
    const share = budgetBits / facts;
    if (kind === "even_spreading") return [2 ** (share - entropy), undefined];
    const flat = isFlat(exponent, objective);
    if (kind === "all_or_nothing") {
      const stored = budgetBits / entropy;
      if (!flat) return [allOrNothing(facts, choices, exponent, stored), undefined];
      return [share / entropy + (1 - share / entropy) / choices, undefined];
    }
    const problem = flat ? { facts: 1, choices, exponent: 1 } : { facts, choices, exponent };
    const budget = (flat ? share : budgetBits) * Math.log(2);
    if (budget < SMALLEST) return [1 / choices, undefined];
    const logScale = solve(problem, budget, guess);
    const recalled = ratesAt(problem, logScale).recalled;
    return [Math.min(recalled / harmonic(problem.facts, problem.exponent), 1), logScale];
  }

  /**
   * `factcap.capacity.power_law_bound(...).accuracy`.
   * @param {Problem} problem @param {number} budgetBits @param {Kind} kind
   * @param {Objective} objective
   */
  function powerLawBound(problem, budgetBits, kind, objective) {
    return boundAt(problem, budgetBits, kind, objective)[0];
  }

  /**
   * `powerLawBound` for several numbers of facts, in growing order.
   * @param {number[]} counts @param {{choices: number, exponent: number}} each
   * @param {number} budgetBits @param {Kind} kind @param {Objective} objective
   */
  function powerLawCurve(counts, { choices, exponent }, budgetBits, kind, objective) {
    /** @type {number | undefined} */
    let guess;
    return counts.map((facts) => {
      const problem = { facts, choices, exponent };
      const [accuracy, found] = boundAt(problem, budgetBits, kind, objective, guess);
      guess = found;
      return accuracy;
    });
  }

  /**
   * `factcap.capacity.smallest_power_law_budget`: the bits that an accuracy needs.
   * @param {Problem} problem @param {number} accuracy 0 to 1
   * @param {Kind} kind @param {Objective} objective
   */
  function smallestPowerLawBudget({ facts, choices, exponent }, accuracy, kind, objective) {
    const entropy = Math.log2(choices);
    if (1 / choices >= accuracy * (1 - 2 ** -50)) return 0;
    if (accuracy >= 1 - 2 ** -50) return facts * entropy;
    if (kind === "even_spreading") return facts * (entropy + Math.log2(accuracy));
    const flat = isFlat(exponent, objective);
    if (kind === "all_or_nothing") {
      const share = (accuracy - 1 / choices) / (1 - 1 / choices);
      return entropy * (flat ? share * facts : factsHolding(facts, exponent, share));
    }
    const problem = flat ? { facts: 1, choices, exponent: 1 } : { facts, choices, exponent };
    const total = harmonic(problem.facts, problem.exponent);
    const near = Math.log(Math.log(choices) + 1);
    const logScale = root(
      (point) => {
        const { recalled, slope } = ratesAt(problem, point);
        // dR = x da, so the accuracy grows by slope / scale.
        return [Math.log(recalled / total / accuracy), slope / Math.exp(point) / recalled];
      },
      -LARGEST,
      LARGEST,
      near,
    );
    return (ratesAt(problem, logScale).nats / Math.log(2)) * (flat ? facts : 1);
  }

  /**
   * How many of the most frequent facts have this share of the queries, the last one in part.
   * @param {number} facts @param {number} exponent @param {number} share
   */
  function factsHolding(facts, exponent, share) {
    const wanted = share * harmonic(facts, exponent);
    let [low, high] = [0, facts];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (harmonic(middle, exponent) <= wanted) low = middle;
      else high = middle;
    }
    return low + Math.min(1, (wanted - harmonic(low, exponent)) * (low + 1) ** exponent);
  }

  return { powerLawBound, powerLawCurve, smallestPowerLawBudget };
})();
