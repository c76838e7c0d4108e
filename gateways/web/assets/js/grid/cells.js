/** What columns of grids are made of. */

import { parse } from "../data/decimal.js";
import { arrow, fittedResult, NONE } from "../data/format.js";

/**
 * Reads cells by the name of their column, as numbers where rows are put in order. Not for sums.
 * @param {import("../data/table.js").Table | import("../data/table.js").Events} table
 */
export function reader(table) {
  const at = (/** @type {any[]} */ row, /** @type {string} */ name) => row[table.at[name]];
  const number = (/** @type {string} */ name) => (/** @type {any[]} */ row) => {
    const value = at(row, name);
    return value === null ? null : Number(value);
  };
  /** @param {string} id @param {string} label @param {number[]} width */
  const text = (id, label, width) => ({
    id,
    label,
    width,
    text: (/** @type {any[]} */ row) => at(row, id) || NONE,
  });
  /** @param {string} id @param {string} label @param {number[]} width @param {(value: any) => string} format */
  const figure = (id, label, width, format) => ({
    id,
    label,
    width,
    align: /** @type {const} */ ("number"),
    order: number(id),
    text: (/** @type {any[]} */ row) => format(at(row, id)),
  });
  return { at, number, text, figure };
}

/** The class of a figure above or below zero. @param {string | null} value */
export function tone(value) {
  const units = parse(value);
  return units ? (units > 0n ? "up" : "down") : "";
}

/** A profit or loss with arrow and sign, so that it is not told by colour alone. @param {string | null} value */
export function marked(value) {
  const units = parse(value);
  return units === null ? NONE : `${arrow(units)} ${fittedResult(units)}`.trim();
}

/** What a row is about. */
export const strong = () => "strong";
