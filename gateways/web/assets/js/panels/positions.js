/** Positions: thousands of rows with sort, filter and a sum for each currency. A row fills the order ticket. */

import { signal } from "@preact/signals";
import { parse, sign } from "../data/decimal.js";
import { arrow, count, fitted, fittedResult, plain, price } from "../data/format.js";
import { positions } from "../data/store.js";
import { marked, reader, strong, tone } from "../grid/cells.js";
import { GridView } from "../grid/grid-view.js";
import { View } from "../grid/view.js";
import { html } from "../html.js";
import { TabPanel } from "../shell/panel.js";
import { Market, marketView } from "./market.js";
import { fill } from "./ticket.js";

const TOTALS_MS = 1_000;
const { at, number, text, figure } = reader(positions);

/** @type {import("../grid/view.js").Column[]} */
const COLUMNS = [
  { ...text("symbol", "Symbol", [82, 1]), tone: strong },
  text("account", "Account", [96, 1]),
  {
    ...figure("qty", "Position", [76, 1], signedQty),
    title: "Signed quantity: above zero long, below zero short",
    flash: true,
    tone: (row) => tone(at(row, "qty")),
  },
  figure("avg_px", "Avg price", [82, 1], price),
  { ...figure("mark", "Mark", [78, 1], price), flash: true },
  { ...figure("value", "Value", [92, 1.2], fitted), order: number("value_base") },
  { ...figure("unrealised", "Unrealised", [102, 1.2], marked), tone: (row) => tone(at(row, "unrealised")) },
  { ...figure("realised", "Realised", [102, 1.2], marked), tone: (row) => tone(at(row, "realised")) },
  figure("fees", "Fees", [80, 0.8], fitted),
  text("currency", "Ccy", [44, 0]),
  text("sector", "Sector", [84, 1]),
  { ...figure("fills", "Fills", [62, 0], count), order: (row) => at(row, "fills") },
];

/** @param {string} qty */
function signedQty(qty) {
  const units = parse(qty);
  if (!units) return "flat";
  return units > 0n ? `+${plain(qty)}` : plain(qty);
}

/** @param {any[]} row */
const isOpen = (row) => at(row, "qty") !== "0";

const view = new View(positions, COLUMNS, { sortBy: "value", down: true });
view.only(isOpen);
const withFlat = signal(false);
const filter = signal("");
const tab = signal("positions");

/** @type {{ rows: any[][], at: number, count: number }} */
let kept = { rows: [], at: -Infinity, count: -1 };

/** The sums, worked out once a second, and at once for other rows. */
function totals() {
  const now = performance.now();
  if (kept.count === view.entries.length && now - kept.at < TOTALS_MS) return kept.rows;
  kept = { rows: sums(), at: now, count: view.entries.length };
  return kept.rows;
}

/** A row for each currency that is shown: money of different currencies is not added. */
function sums() {
  const names = ["value", "unrealised", "realised", "fees"];
  /** @type {Map<string, { rows: number, units: bigint[] }>} */
  const found = new Map();
  for (const { row } of view.entries) {
    const currency = at(row, "currency");
    let sum = found.get(currency);
    if (!sum) found.set(currency, (sum = { rows: 0, units: names.map(() => 0n) }));
    sum.rows += 1;
    names.forEach((name, index) => (sum.units[index] += parse(at(row, name)) ?? 0n));
  }
  return [...found].sort().map(([currency, { rows, units }]) => {
    const [value, unrealised, realised, fees] = units;
    const name = `Total ${currency}`;
    return [name, `${count(rows)} rows`, "", "", "", fitted(value), result(unrealised), result(realised), fitted(fees), currency, "", ""];
  });
}

/** @param {bigint} units */
function result(units) {
  return { text: `${arrow(units)} ${fittedResult(units)}`.trim(), tone: ["down", "", "up"][sign(units) + 1] };
}

/** @param {string} words */
function setFilter(words) {
  filter.value = words;
  view.filter(words);
  marketView.filter(words);
}

function toggleFlat() {
  withFlat.value = !withFlat.value;
  view.only(withFlat.value ? () => true : isOpen);
}

function Tools() {
  const flat = html`<label class="check"><input type="checkbox" checked=${withFlat.value} onChange=${toggleFlat} /> flat too</label>`;
  return html`<div class="tools">
    ${tab.value === "positions" ? flat : null}
    <input type="search" id="filter" placeholder="Filter  /" aria-label="Filter positions and market" value=${filter.value}
      onInput=${(/** @type {any} */ event) => setFilter(event.target.value)} />
  </div>`;
}

const TABS = [
  { id: "positions", label: "Positions" },
  { id: "market", label: "Market" },
];

export function Positions() {
  const stamp = `${filter.value}|${withFlat.value}`;
  const open = (/** @type {any} */ { row }) => fill({ account: at(row, "account"), symbol: at(row, "symbol") });
  return html`<${TabPanel} id="positions" tabs=${TABS} active=${tab.value} onSelect=${(/** @type {string} */ id) => (tab.value = id)} tools=${html`<${Tools} />`}>
    ${tab.value === "positions"
      ? html`<${GridView} key="positions" view=${view} label="Positions" empty="No open positions" stamp=${stamp} totals=${totals} onOpen=${open} />`
      : html`<${Market} key="market" stamp=${stamp} />`}
  </${TabPanel}>`;
}
