/** Figures that several panels show, added up from the tables. Exact: BigInt of decimals, in base currency where the rows have it. */

import { near, parse } from "./decimal.js";
import { limits, orders, positions, rejects, welcome, wholeRows, pnl } from "./store.js";

/** Profit of all that the user sees: base currency, or nothing where a rate is missing. */
export function wholePnl() {
  const { total_base: base, total, realised, unrealised, fees, currency } = pnl.at;
  const rows = wholeRows();
  const add = (/** @type {number} */ column) => rows.reduce((sum, row) => sum + (parse(row[column]) ?? 0n), 0n);
  const currencies = new Set(rows.map((row) => row[currency]));
  return {
    isLoaded: rows.length > 0,
    total: rows.every((row) => row[base] !== null) ? add(base) : add(total),
    // Realised, unrealised and fees are in the rows' own currencies: shown only where there is one.
    parts: currencies.size === 1 ? { realised: add(realised), unrealised: add(unrealised), fees: add(fees) } : null,
  };
}

/** Long, short, net and gross value of positions in base currency, and how many have no value. */
export function exposure() {
  const { value_base: value, qty } = positions.at;
  const sums = { long: 0n, short: 0n, open: 0, unvalued: 0 };
  for (const { row } of positions.all()) {
    if (row[qty] === "0") continue;
    sums.open += 1;
    const units = parse(row[value]);
    if (units === null) sums.unvalued += 1;
    else if (units >= 0n) sums.long += units;
    else sums.short -= units;
  }
  return { ...sums, net: sums.long - sums.short, gross: sums.long + sums.short };
}

/**
 * Long and short value by sector, the largest gross first.
 * @returns {{ sector: string, long: bigint, short: bigint }[]}
 */
export function sectors() {
  const { value_base: value, sector } = positions.at;
  /** @type {Map<string, { sector: string, long: bigint, short: bigint }>} */
  const found = new Map();
  for (const { row } of positions.all()) {
    const units = parse(row[value]);
    if (!units) continue;
    let sums = found.get(row[sector]);
    if (!sums) found.set(row[sector], (sums = { sector: row[sector], long: 0n, short: 0n }));
    if (units > 0n) sums.long += units;
    else sums.short -= units;
  }
  return [...found.values()].sort((a, b) => near(b.long + b.short - a.long - a.short));
}

const CLOSED = new Set(["FILLED", "CANCELLED", "REJECTED", "EXPIRED"]);

/** @param {string} state of an order */
export const isClosed = (state) => CLOSED.has(state);

export function openOrderCount() {
  const { state } = orders.at;
  let open = 0;
  for (const { row } of orders.all()) if (!CLOSED.has(row[state])) open += 1;
  return open;
}

/** Refusals of the last minute. @param {number} now milliseconds since 1970, the server's clock */
export function rejectsLately(now) {
  const { time } = rejects.at;
  const from = new Date(now - 60_000).toISOString();
  let count = 0;
  for (let index = rejects.list.length - 1; index >= 0 && rejects.list[index].row[time] >= from; index -= 1) count += 1;
  return count;
}

/** The limits in the order of their use, those without a figure last. */
export function limitsByUse() {
  const { used_pct: pct, label } = limits.at;
  return [...limits.all()]
    .map((entry) => entry.row)
    .sort((a, b) => (b[pct] ?? -1) - (a[pct] ?? -1) || (a[label] < b[label] ? -1 : 1));
}

/** What the figures of a limit are in: values are in base currency. @param {string} unit */
export const unitOf = (unit) => (unit === "value" && welcome.value?.base_currency) || unit;
