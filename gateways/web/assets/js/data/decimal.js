/**
 * Decimals as whole numbers: text such as "-1234.5" is kept as a BigInt of units of 1e-18.
 *
 * Figures of money and quantity come as text and are added, compared and rounded here, never as doubles. Invariant: `parse` and
 * `text` are exact for up to 18 decimals, and a sum is exact whatever its length.
 * Deliberately absent: multiplication and division. The engine computes; the page adds up what it shows.
 */

const SCALE = 18;
const UNIT = 10n ** 18n;
const ZEROS = "0".repeat(SCALE);
const PATTERN = /^[+-]?\d+(\.\d+)?$/;

/**
 * @param {string | number | null | undefined} text
 * @returns {bigint | null} null for what is no decimal, or has more than 18 decimals other than zeros
 */
export function parse(text) {
  if (text === null || text === undefined) return null;
  const string = String(text);
  if (!PATTERN.test(string)) return null;
  const point = string.indexOf(".");
  if (point < 0) return BigInt(string) * UNIT;
  const fraction = string.slice(point + 1);
  if (fraction.length > SCALE && !/^0*$/.test(fraction.slice(SCALE))) return null;
  return BigInt(string.slice(0, point) + (fraction + ZEROS).slice(0, SCALE));
}

/**
 * The shortest text of a value.
 * @param {bigint} units
 */
export function text(units) {
  const digits = (units < 0n ? -units : units).toString().padStart(SCALE + 1, "0");
  const fraction = digits.slice(-SCALE).replace(/0+$/, "");
  return (units < 0n ? "-" : "") + digits.slice(0, -SCALE) + (fraction ? `.${fraction}` : "");
}

/**
 * Text with a fixed number of decimals, rounded half away from zero.
 * @param {bigint} units
 * @param {number} places 0 to 18
 */
export function fixed(units, places) {
  const step = 10n ** BigInt(SCALE - places);
  const size = units < 0n ? -units : units;
  const rounded = (size + step / 2n) / step;
  const digits = rounded.toString().padStart(places + 1, "0");
  const whole = places ? digits.slice(0, -places) : digits;
  const fraction = places ? `.${digits.slice(-places)}` : "";
  return (units < 0n && rounded !== 0n ? "-" : "") + whole + fraction;
}

/**
 * Adds up what is a decimal, leaves out what is not.
 * @param {Iterable<string | null | undefined>} texts
 * @returns {bigint}
 */
export function sum(texts) {
  let total = 0n;
  for (const text of texts) total += parse(text) ?? 0n;
  return total;
}

/**
 * A double near the value: for pictures, bars and the order of rows, never for a sum.
 * @param {bigint} units
 */
export function near(units) {
  return Number(units) / 1e18;
}

/** @param {bigint} units @returns {-1 | 0 | 1} */
export function sign(units) {
  return units > 0n ? 1 : units < 0n ? -1 : 0;
}
