/** The market: top of book, last trade and mark of each instrument. A row fills the order ticket. */

import { NONE, plain, price } from "../data/format.js";
import { market } from "../data/store.js";
import { marked, reader, strong, tone } from "../grid/cells.js";
import { GridView } from "../grid/grid-view.js";
import { View } from "../grid/view.js";
import { html } from "../html.js";
import { fill } from "./ticket.js";

const { at, number, text, figure } = reader(market);
const WIDTH = [80, 1];

/** Decimals of each instrument's prices: the most that were seen, so that they stand below one another. @type {Map<string, number>} */
const places = new Map();

/** A price of the row's instrument. @param {string} id @param {string} label */
function aligned(id, label) {
  const text = (/** @type {any[]} */ row) => {
    const [symbol, value] = [at(row, "symbol"), at(row, id)];
    const seen = Math.max(places.get(symbol) ?? 2, value?.split(".")[1]?.length ?? 0);
    places.set(symbol, seen);
    return price(value, seen);
  };
  return { ...figure(id, label, WIDTH, price), text };
}

/** @type {import("../grid/view.js").Column[]} */
const COLUMNS = [
  { ...text("symbol", "Symbol", [84, 1]), tone: strong },
  figure("bid_qty", "Bid size", WIDTH, plain),
  { ...aligned("bid", "Bid"), flash: true },
  { ...aligned("ask", "Ask"), flash: true },
  figure("ask_qty", "Ask size", WIDTH, plain),
  { ...aligned("last", "Last"), flash: true },
  aligned("mark", "Mark"),
  {
    ...figure("change_pct", "Change", WIDTH, (value) => (value === null ? NONE : `${marked(value)} %`)),
    title: "Mark against the first mark of this run",
    order: number("change_pct"),
    tone: (row) => tone(at(row, "change_pct")),
  },
  { ...text("status", "Status", [88, 0]), tone: (row) => (at(row, "status") === "HALTED" ? "warn" : "") },
  text("sector", "Sector", [88, 1]),
];

export const marketView = new View(market, COLUMNS, { sortBy: "symbol" });

/** @param {{ stamp: string }} props */
export function Market({ stamp }) {
  const open = (/** @type {any} */ { row }) => fill({ symbol: at(row, "symbol") });
  return html`<${GridView} view=${marketView} label="Market" empty="No market data yet" stamp=${stamp} onOpen=${open} />`;
}
