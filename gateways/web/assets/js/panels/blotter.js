/** The blotter: orders, executions, and what was refused and why. Newest first. */

import { signal } from "@preact/signals";
import { isClosed } from "../data/figures.js";
import { clock, money, NONE, plain, price, short } from "../data/format.js";
import { near, parse } from "../data/decimal.js";
import { orders, rejects, trades } from "../data/store.js";
import { marked, reader, strong, tone } from "../grid/cells.js";
import { GridView } from "../grid/grid-view.js";
import { View } from "../grid/view.js";
import { html } from "../html.js";
import { problem } from "../net/api.js";
import { cancel } from "../net/commands.js";
import { may } from "../net/session.js";
import { TabPanel } from "../shell/panel.js";
import { tell } from "../shell/toast.js";
import { rejectWords } from "../words/rejects.js";
import { lifeButton } from "./life.js";
import { fill } from "./ticket.js";

const OF_RULES = new Set(["BUSINESS_RULE", "QUARANTINE_RULE"]);
const BUYS = new Set(["BUY"]);
const TIME = [94, 0];

/** @param {string | null} side */
const sideTone = (side) => (side === null ? "" : BUYS.has(side) ? "buy" : "sell");
/** @param {string | null} side */
const sideText = (side) => (side ? `${BUYS.has(side) ? "▲" : "▼"} ${side.replace("SELL_", "")}` : NONE);

/** @param {ReturnType<typeof reader>} of */
function common({ at, text, figure }) {
  return {
    /** @param {string} id */
    time: (id) => ({ ...text(id, "Time", TIME), text: (/** @type {any[]} */ row) => clock(at(row, id)) }),
    side: {
      ...text("side", "Side", [78, 0]),
      text: (/** @type {any[]} */ row) => sideText(at(row, "side")),
      tone: (/** @type {any[]} */ row) => sideTone(at(row, "side")),
    },
    account: text("account", "Account", [92, 1]),
    symbol: { ...text("symbol", "Symbol", [76, 1]), tone: strong },
    /** @param {string} id @param {string} label */
    qty: (id, label) => figure(id, label, [70, 0.8], plain),
    /** @param {string} id @param {string} label */
    px: (id, label) => figure(id, label, [78, 0.8], price),
  };
}

/** The order's number, which shows its life. @param {ReturnType<typeof reader>} of */
function order({ at, text }) {
  return { ...text("order_id", "Order", [72, 0.8]), action: (/** @type {any[]} */ row) => (at(row, "order_id") ? lifeButton(at(row, "order_id")) : null) };
}

const o = reader(orders);
const ORDER = common(o);
const ORDER_TONES = { WORKING: "ok", FILLED: "done", HELD: "warn", UNKNOWN: "bad", REJECTED: "bad", CANCELLED: "muted", EXPIRED: "muted" };

/** @type {import("../grid/view.js").Column[]} */
const ORDERS = [
  { ...ORDER.time("created"), order: (row) => o.at(row, "created") },
  ORDER.symbol,
  ORDER.account,
  ORDER.side,
  ORDER.qty("qty", "Qty"),
  ORDER.qty("cum", "Filled"),
  { ...ORDER.px("px", "Limit"), text: (row) => (o.at(row, "px") === null ? o.at(row, "type") : price(o.at(row, "px"))) },
  ORDER.px("avg_px", "Avg"),
  { ...o.text("state", "State", [134, 1]), text: (row) => o.at(row, "state").replaceAll("_", " "), tone: (row) => ORDER_TONES[/** @type {keyof typeof ORDER_TONES} */ (o.at(row, "state"))] ?? "" },
  o.text("tif", "TIF", [44, 0]),
  order(o),
  {
    id: "cancel", label: "", title: "Cancel", width: [70, 0],
    text: (row) => (mayCancel(row) ? "Cancel" : ""),
    action: (row) => (mayCancel(row) ? cancelButton(o.at(row, "order_id")) : null),
  },
];

/** @param {any[]} row */
function mayCancel(row) {
  return !isClosed(o.at(row, "state")) && may("TRADE");
}

/** @param {string} id */
function cancelButton(id) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "cell-button";
  button.textContent = "Cancel";
  button.tabIndex = -1;
  button.setAttribute("aria-label", `Cancel order ${id}`);
  button.addEventListener("click", async () => {
    button.disabled = true;
    const answer = await cancel(id);
    if (!answer.ok) tell("bad", `Order ${id} is not cancelled: ${problem(answer)}`);
    button.disabled = false;
  });
  return button;
}

const t = reader(trades);
const TRADE = common(t);
/** @type {import("../grid/view.js").Column[]} */
const TRADES = [
  TRADE.time("time"),
  TRADE.symbol,
  TRADE.account,
  TRADE.side,
  TRADE.qty("qty", "Qty"),
  TRADE.px("px", "Price"),
  t.figure("principal", "Principal", [92, 1], money),
  t.figure("fee", "Fee", [60, 0.6], money),
  { ...t.figure("realised", "Realised", [92, 1], (value) => (parse(value) ? marked(value) : NONE)), tone: (row) => tone(t.at(row, "realised")) },
  { ...t.text("kind", "Kind", [72, 0]), tone: (row) => ({ BUST: "bad", CORRECT: "warn" })[/** @type {string} */ (t.at(row, "kind"))] ?? "" },
  { ...t.text("flags", "Flags", [80, 1]), tone: () => "warn" },
  order(t),
];

const r = reader(rejects);
const REJECT = common(r);
/** @type {import("../grid/view.js").Column[]} */
const REJECTS = [
  REJECT.time("time"),
  { ...r.text("kind", "What", [58, 0.4]), text: (row) => r.at(row, "kind").replace("order_", "").replaceAll("_", " ") },
  REJECT.symbol,
  REJECT.account,
  REJECT.side,
  REJECT.qty("qty", "Qty"),
  REJECT.px("px", "Price"),
  { id: "why", label: "Why", width: [264, 4], text: why, tone: () => "why" },
  { id: "found", label: "Found / max", width: [94, 0.5], align: "number", text: found },
  r.text("limit", "Limit", [112, 1.2]),
  r.text("code", "Code", [150, 1.4]),
];

/** The words of the code; a rule of the firm has words of its own. @param {any[]} row */
function why(row) {
  const [code, reason] = [r.at(row, "code"), r.at(row, "reason")];
  return OF_RULES.has(code) && reason ? reason : rejectWords(code);
}

/** @param {any[]} row */
function found(row) {
  const [used, hard] = [parse(r.at(row, "used")), parse(r.at(row, "hard"))];
  return used === null || hard === null ? NONE : `${short(near(used))} / ${short(near(hard))}`;
}

const ordersView = new View(orders, ORDERS, { sortBy: "created", down: true });
const tradesView = new View(trades, TRADES);
const rejectsView = new View(rejects, REJECTS);
const VIEWS = { orders: ordersView, trades: tradesView, rejects: rejectsView };
const onlyOpen = signal(false);
const filter = signal("");
export const blotterTab = signal("orders");

/** @param {string} words */
function setFilter(words) {
  filter.value = words;
  for (const view of Object.values(VIEWS)) view.filter(words);
}

function toggleOpen() {
  onlyOpen.value = !onlyOpen.value;
  ordersView.only(onlyOpen.value ? (row) => !isClosed(o.at(row, "state")) : () => true);
}

function Tools() {
  const open = html`<label class="check"><input type="checkbox" checked=${onlyOpen.value} onChange=${toggleOpen} /> open only</label>`;
  return html`<div class="tools">
    ${blotterTab.value === "orders" ? open : null}
    <input type="search" placeholder="Filter" aria-label="Filter the blotter" value=${filter.value}
      onInput=${(/** @type {any} */ event) => setFilter(event.target.value)} />
  </div>`;
}

export function Blotter() {
  const active = /** @type {keyof typeof VIEWS} */ (blotterTab.value);
  rejects.hasGap.value;
  const isCut = { orders: false, trades: trades.hasGap.value, rejects: rejects.hasGap.value }[active];
  const tabs = [
    { id: "orders", label: "Orders" },
    { id: "trades", label: "Trades" },
    { id: "rejects", label: "Rejects" },
  ];
  const of = { orders: o, trades: t, rejects: r }[active];
  const open = (/** @type {any} */ { row }) => fill({ account: of.at(row, "account"), symbol: of.at(row, "symbol") });
  return html`<${TabPanel} id="blotter" tabs=${tabs} active=${active} onSelect=${(/** @type {string} */ id) => (blotterTab.value = id)} tools=${html`<${Tools} />`}>
    ${isCut ? html`<p class="note warn" role="status">▲ Some rows came while the connection was away and are not listed here. They stand in the history.</p>` : null}
    <${GridView} key=${active} view=${VIEWS[active]} label=${tabs.find((tab) => tab.id === active)?.label} empty="Nothing yet"
      stamp=${`${filter.value}|${onlyOpen.value}`} onOpen=${open} />
  </${TabPanel}>`;
}
