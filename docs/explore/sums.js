"use strict";
/** Sums over many integers: harmonic numbers, and the rules by which a smooth tail is summed. */

const sums = (() => {
  const DIRECT = 64; // terms of a harmonic number that are summed one by one
  // Bernoulli numbers over factorials, B_2k / (2k)!, of the Euler-Maclaurin formula.
  const EULER_MACLAURIN = [1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160];
  // Gregory's coefficients: a sum over integers is the integral plus these times end differences.
  const GREGORY = [1 / 2, 1 / 12, 1 / 24, 19 / 720, 3 / 160, 863 / 60480, 275 / 24192];
  const END = GREGORY.map((_, place) =>
    GREGORY.reduce((sum, each, order) => sum + each * (-1) ** place * binomial(order, place), 0),
  );
  // Gauss and Legendre's rule of 16 points on [-1, 1]: the positive nodes, and their weights.
  const NODES = [
    0.09501250983763744, 0.2816035507792589, 0.45801677765722737, 0.6178762444026438,
    0.755404408355003, 0.8656312023878318, 0.9445750230732326, 0.9894009349916499,
  ];
  const WEIGHTS = [
    0.18945061045506864, 0.18260341504492364, 0.16915651939500265, 0.1495959888165767,
    0.12462897125553407, 0.0951585116824926, 0.062253523938647456, 0.027152459411754176,
  ];

  /** @param {number} n @param {number} k @returns {number} */
  function binomial(n, k) {
    let product = 1;
    for (let i = 1; i <= k; i += 1) product *= (n - k + i) / i;
    return product;
  }

  /**
   * H_{N,s}: the sum of i^-s for i from 1 to N, without an array of N.
   * @param {number} facts @param {number} exponent
   */
  function harmonic(facts, exponent) {
    const first = Math.min(facts, DIRECT);
    let sum = 0;
    for (let i = first; i >= 1; i -= 1) sum += i ** -exponent;
    if (facts <= DIRECT) return sum;
    const [low, high] = [DIRECT, facts];
    const [span, power] = [Math.log(high / low), 1 - exponent];
    let total = low ** power * (power ? Math.expm1(power * span) / power : span);
    total += (high ** -exponent - low ** -exponent) / 2;
    let rising = exponent;
    EULER_MACLAURIN.forEach((coefficient, number) => {
      const order = 2 * number + 1;
      total += coefficient * rising * (low ** (-exponent - order) - high ** (-exponent - order));
      rising *= (exponent + order) * (exponent + order + 1);
    });
    return sum + total;
  }

  return { DIRECT, END, NODES, WEIGHTS, harmonic };
})();
