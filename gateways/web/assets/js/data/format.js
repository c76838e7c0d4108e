/** How figures and times are written on the screen. English notation, UTC, the same for everybody who looks at a screen. */

import { fixed, parse, sign } from "./decimal.js";

/** From here on a price has fewer decimals: 1,000. */
const LARGE = 10n ** 21n;
const THIN = "\u2009";
export const NONE = "\u2013";
export const MINUS = "\u2212";

/** @param {string} whole digits, perhaps with a minus */
function grouped(whole) {
  return whole.replace(/\B(?=(\d{3})+$)/g, ",");
}

/** @param {string} plain */
function dressed(plain) {
  const [whole, fraction] = plain.replace("-", "").split(".");
  const body = grouped(whole) + (fraction ? `.${fraction}` : "");
  return plain.startsWith("-") ? MINUS + body : body;
}

/**
 * A decimal as it was sent, in its shortest form, with separators.
 * @param {string | null | undefined} value
 */
export function plain(value) {
  if (value === null || value === undefined) return NONE;
  return parse(value) === null ? value : dressed(value);
}

/**
 * Money with two decimals.
 * @param {string | bigint | null | undefined} value
 */
export function money(value, places = 2) {
  const units = typeof value === "bigint" ? value : parse(value);
  return units === null ? NONE : dressed(fixed(units, places));
}

/** From here on cents are left out where room is scarce: 100 million, and a profit of one million, which has sign and arrow. */
const WHOLE = 10n ** 26n;
const WHOLE_RESULT = 10n ** 24n;
/** From here on even whole units have no room in a column: 100 thousand million. */
const HUGE = 10n ** 29n;

/**
 * Money for a column: a figure that is cut is none, so large ones have fewer places.
 * @param {string | bigint | null | undefined} value
 * @param {(value: bigint, places: number) => string} [write]
 */
export function fitted(value, write = money, whole = WHOLE) {
  const units = typeof value === "bigint" ? value : parse(value);
  if (units === null) return NONE;
  const size = units < 0n ? -units : units;
  if (size >= HUGE) return `${write(units / 1_000_000n, 2)}M`;
  return write(units, size >= whole ? 0 : 2);
}

/** A profit or loss for a column. @param {string | bigint | null | undefined} value */
export const fittedResult = (value) => fitted(value, signed, WHOLE_RESULT);

/**
 * A figure of a limit: two decimals, or none where both are zero.
 * @param {string | null | undefined} value
 */
export function figure(value) {
  const units = parse(value);
  return units === null ? (value ?? NONE) : dressed(fixed(units, 2).replace(/\.00$/, ""));
}

/**
 * Money with its sign, also above zero: a profit is told by more than its colour.
 * @param {string | bigint | null | undefined} value
 */
export function signed(value, places = 2) {
  const units = typeof value === "bigint" ? value : parse(value);
  if (units === null) return NONE;
  const body = fixed(units, places);
  return (sign(units) > 0 && /[1-9]/.test(body) ? "+" : "") + dressed(body);
}

/**
 * A price: at least two decimals, or as many as its instrument has (`places`), at most five, of large ones three (averages have many).
 * @param {string | null | undefined} value
 */
export function price(value, places = 2) {
  const units = parse(value);
  if (units === null) return NONE;
  const isLarge = units >= LARGE || units <= -LARGE;
  const [most, spare] = isLarge ? [3, Math.max(0, 3 - places)] : [5, Math.max(0, 5 - places)];
  return dressed(fixed(units, most).replace(new RegExp(`0{0,${spare}}$`), ""));
}

/**
 * "▲", "▼" or nothing.
 * @param {bigint | null} units
 */
export function arrow(units) {
  if (units === null || units === 0n) return "";
  return units > 0n ? "▲" : "▼";
}

/**
 * A large figure in few places: 1.24M. For tiles and axes, not for books.
 * @param {number} value
 */
export function short(value) {
  const size = Math.abs(value);
  const minus = value < 0 ? MINUS : "";
  for (const [unit, letter] of /** @type {const} */ ([[1e12, "T"], [1e9, "B"], [1e6, "M"], [1e3, "k"]])) {
    if (size >= unit) return minus + trimmed(size / unit) + letter;
  }
  return minus + trimmed(size);
}

/** @param {number} value */
function trimmed(value) {
  const places = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  const text = value.toFixed(places);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** @param {number} value whole number */
export function count(value) {
  return grouped(String(Math.round(value)));
}

/**
 * A span of nanoseconds in the unit that suits it.
 * @param {number | null | undefined} ns
 */
export function span(ns) {
  if (ns === null || ns === undefined) return NONE;
  if (ns < 1e3) return `${Math.round(ns)}${THIN}ns`;
  if (ns < 1e6) return `${trimmed(ns / 1e3)}${THIN}µs`;
  if (ns < 1e9) return `${trimmed(ns / 1e6)}${THIN}ms`;
  return `${trimmed(ns / 1e9)}${THIN}s`;
}

/**
 * Time of day, UTC, with milliseconds.
 * @param {string | number | null | undefined} time RFC 3339, or milliseconds
 */
export function clock(time, withMillis = true) {
  const date = time === null || time === undefined || time === "" ? null : new Date(time);
  if (!date || Number.isNaN(date.getTime())) return NONE;
  return date.toISOString().slice(11, withMillis ? 23 : 19);
}

/**
 * A span for a person: 45 s, 12 min 5 s, 3 h 20 min, 2 d 4 h.
 * @param {number} seconds
 */
export function lasting(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`;
}
