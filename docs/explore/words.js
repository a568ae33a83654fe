"use strict";
/** Numbers as a reader wants them. */

const words = (() => {
  const SCALES = /** @type {[number, string][]} */ ([
    [1e12, "trillion"],
    [1e9, "billion"],
    [1e6, "million"],
  ]);

  /** Three digits or more: 1,875, 25.3 million, 0.0025. @param {number} value */
  function number(value) {
    if (value === Infinity) return "any";
    for (const [scale, name] of SCALES) {
      if (value >= scale) return `${plain(value / scale)} ${name}`;
    }
    return plain(value);
  }

  /** @param {number} value */
  function plain(value) {
    if (value === 0) return "0";
    if (value < 1e-6) return value.toExponential(1);
    if (value < 1e-2) return value.toLocaleString("en-US", { maximumSignificantDigits: 2 });
    const digits = Math.max(3, Math.ceil(Math.log10(value + 1)));
    return value.toLocaleString("en-US", { maximumSignificantDigits: digits });
  }

  /** A count of facts, which has no parts but where it is small. @param {number} value */
  const count = (value) => number(value >= 9.5 && value < 1e6 ? Math.round(value) : value);

  /** A share in percent; never 100 or 0 where it is not. @param {number} share */
  function percent(share) {
    const of = 100 * share;
    if (share === 0 || share >= 1) return `${of}%`;
    if (of < 0.1) return `${plain(Number(of.toPrecision(2)))}%`;
    // Two digits of what is missing.
    const places = of > 99.9 ? Math.min(12, 1 - Math.floor(Math.log10(100 - of))) : 1;
    return `${(Math.floor(of * 10 ** places + 1e-9) / 10 ** places).toFixed(places)}%`;
  }

  /** Short, for an axis: 0.5, 937, 15k, 2M, 1e10. @param {number} value */
  function tick(value) {
    if (value >= 1e9) return `1e${Math.log10(value).toFixed(0)}`;
    if (value >= 1e6) return `${Number((value / 1e6).toPrecision(3))}M`;
    if (value >= 1e4) return `${Number((value / 1e3).toPrecision(3))}k`;
    return plain(Number(value.toPrecision(3)));
  }

  return { number, count, percent, tick };
})();
