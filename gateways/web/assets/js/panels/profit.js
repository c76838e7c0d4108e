/** Profit over the last hours, and how far below its highest point it is. */

import { signal } from "@preact/signals";
import { Chart } from "../chart.js";
import { short } from "../data/format.js";
import { pnlSeries, welcome } from "../data/store.js";
import { html } from "../html.js";
import { Panel } from "../shell/panel.js";

const SPANS = [
  ["5 min", 300],
  ["30 min", 1_800],
  ["4 h", 14_400],
];
const seconds = signal(300);

const PROFIT = [
  { label: "Total", colour: "--accent", column: 1, fill: true },
  { label: "Realised", colour: "--up", column: 2, dash: [6, 3] },
  { label: "Unrealised", colour: "--warn", column: 3, dash: [2, 3] },
  { label: "Fees", colour: "--down", column: 5, dash: [9, 3, 2, 3] },
];
const DRAWDOWN = [{ label: "Below the highest total", colour: "--down", column: 4, fill: true }];

export function Spans() {
  return html`<div class="tools spans" role="group" aria-label="Time shown">
    ${SPANS.map(([label, span]) => html`<button type="button" class="quiet" aria-pressed=${seconds.value === span ? "true" : "false"} onClick=${() => (seconds.value = Number(span))}>${label}</button>`)}
  </div>`;
}

export function Profit() {
  const title = `P&L ${welcome.value?.base_currency ?? ""}`;
  return html`<${Panel} id="profit" title=${title} tools=${html`<${Spans} />`}>
    <${Chart} series=${pnlSeries} lines=${PROFIT} format=${short} seconds=${seconds.value} label="Total, realised and unrealised profit over time" />
  </${Panel}>`;
}

export function Drawdown() {
  return html`<${Panel} id="drawdown" title="Drawdown">
    <${Chart} series=${pnlSeries} lines=${DRAWDOWN} format=${short} seconds=${seconds.value} label="Distance from the highest profit over time" />
  </${Panel}>`;
}
