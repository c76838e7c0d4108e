/** The settlement pipeline: what falls due on which date, in which currency, what is late and what was settled; accounts below it on request. */

import { signal } from "@preact/signals";
import { parse, sign } from "../data/decimal.js";
import { arrow, count, money, signed } from "../data/format.js";
import { settlement } from "../data/store.js";
import { html } from "../html.js";
import { Panel } from "../shell/panel.js";

/** The group whose accounts are shown. */
const opened = signal("");

/** @typedef {{ key: string, date: string, currency: string, state: string, receive: bigint, pay: bigint, net: bigint, trades: number, rows: any[][] }} Due */

/** From what is done to what is wrong; a group is as its worst row. */
const STATES = ["SETTLED", "PENDING", "LATE"];
const SHOWN = { SETTLED: ["ok", "✓ settled"], PENDING: ["", "◔ pending"], LATE: ["bad", "■ late"] };

/** @param {string} state */
function stateCell(state) {
  const [tone, words] = SHOWN[/** @type {keyof typeof SHOWN} */ (state)] ?? ["", state];
  return html`<td class=${tone}>${words}</td>`;
}

/** One group for each date and currency, in the order of dates. */
function groups() {
  const at = settlement.at;
  /** @type {Map<string, Due>} */
  const found = new Map();
  for (const { row } of settlement.all()) {
    const [date, currency, state] = [row[at.settle_date], row[at.currency], row[at.state]];
    const key = `${date} ${currency}`;
    let due = found.get(key);
    if (!due) found.set(key, (due = { key, date, currency, state, receive: 0n, pay: 0n, net: 0n, trades: 0, rows: [] }));
    due.receive += parse(row[at.to_receive]) ?? 0n;
    due.pay += parse(row[at.to_pay]) ?? 0n;
    due.net += parse(row[at.net]) ?? 0n;
    due.trades += row[at.trades];
    due.rows.push(row);
    if (STATES.indexOf(state) > STATES.indexOf(due.state)) due.state = state;
  }
  return [...found.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** @param {bigint} units */
const net = (units) => html`<td class=${`number ${["down", "", "up"][sign(units) + 1]}`}>${arrow(units)} ${signed(units)}</td>`;

/** @param {any[]} row */
function account(row) {
  const at = settlement.at;
  return html`<tr class="detail"><td colspan="2"></td><td>${row[at.account]}</td><td class="number">${money(row[at.to_receive])}</td>
    <td class="number">${money(row[at.to_pay])}</td>${net(parse(row[at.net]) ?? 0n)}<td class="number">${count(row[at.trades])}</td>${stateCell(row[at.state])}</tr>`;
}

/** @param {Due} due */
function line(due) {
  const isOpen = opened.value === due.key;
  const toggle = () => (opened.value = isOpen ? "" : due.key);
  return html`<tr data-testid="due">
      <th scope="row">${due.date}</th><td>${due.currency}</td>
      <td><button type="button" class="quiet" aria-expanded=${isOpen ? "true" : "false"} onClick=${toggle}>${isOpen ? "▾" : "▸"} ${count(due.rows.length)}</button></td>
      <td class="number">${money(due.receive)}</td><td class="number">${money(due.pay)}</td>${net(due.net)}
      <td class="number">${count(due.trades)}</td>${stateCell(due.state)}
    </tr>
    ${isOpen ? due.rows.sort((a, b) => (a[settlement.at.account] < b[settlement.at.account] ? -1 : 1)).map(account) : null}`;
}

export function Settlement() {
  settlement.version.value;
  const found = settlement.isLoaded.value ? groups() : [];
  return html`<${Panel} id="settlement" title="Settlement">
    ${found.length
      ? html`<table class="plain"><thead><tr><th scope="col">Due</th><th scope="col">Ccy</th><th scope="col">Accounts</th><th scope="col" class="number">To receive</th>
          <th scope="col" class="number">To pay</th><th scope="col" class="number">Net</th><th scope="col" class="number">Trades</th><th scope="col">State</th></tr></thead>
          <tbody>${found.map(line)}</tbody></table>`
      : html`<p class="empty">Nothing falls due</p>`}
  </${Panel}>`;
}
