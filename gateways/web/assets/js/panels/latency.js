/** Latency: the whole pipeline over time, and percentiles of each stage. */

import { Chart } from "../chart.js";
import { count, NONE, span } from "../data/format.js";
import { latency, latencySeries } from "../data/store.js";
import { html } from "../html.js";
import { Panel } from "../shell/panel.js";

const ORDER = ["ingest", "normalize", "validate", "limit", "settle", "position", "journal", "pipeline"];
const LINES = [
  { label: "p50", colour: "--up", column: 1 },
  { label: "p99", colour: "--warn", column: 2, dash: [6, 3] },
  { label: "p99.9", colour: "--down", column: 3, dash: [2, 3] },
];
const SECONDS = 600;

/** @param {any[]} row @param {number} widest */
function line(row, widest) {
  const at = latency.at;
  const figure = (/** @type {string} */ name) => html`<td class="number">${span(row[at[name]])}</td>`;
  const [p50, p99] = [row[at.p50_ns] ?? 0, row[at.p99_ns] ?? 0];
  // On a logarithmic scale, from 10 ns: stages differ by orders of magnitude.
  const part = (/** @type {number} */ ns) => Math.max(0, (Math.log10(Math.max(ns, 10)) - 1) / (Math.log10(widest) - 1)) * 100;
  return html`<tr class=${row[at.stage] === "pipeline" ? "whole" : ""} data-testid="stage">
    <th scope="row">${row[at.stage]}</th>
    <td class="number">${count(row[at.events_per_s])}</td>
    ${["p50_ns", "p90_ns", "p99_ns", "p999_ns", "max_ns"].map(figure)}
    <td class="stage-bar"><svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect class="tail" width=${part(p99)} height="8" /><rect class="middle" width=${part(p50)} height="8" /></svg></td>
    <td class="number">${row[at.idle_pct] === null ? NONE : `${row[at.idle_pct]} %`}</td>
    <td class="number">${count(row[at.full_waits])}</td>
  </tr>`;
}

export function LatencyChart() {
  const format = (/** @type {number} */ micros) => span(micros * 1_000);
  return html`<${Panel} id="latency-chart" title="Pipeline latency, ingest to release">
    <${Chart} series=${latencySeries} lines=${LINES} format=${format} seconds=${SECONDS} label="Percentiles of the pipeline's latency over time" isLog />
  </${Panel}>`;
}

export function LatencyTable() {
  latency.version.value;
  const rows = [...latency.all()].map((entry) => entry.row);
  const rank = (/** @type {any[]} */ row) => (ORDER.indexOf(row[latency.at.stage]) + ORDER.length + 1) % (ORDER.length + 1);
  rows.sort((a, b) => rank(a) - rank(b));
  const widest = Math.max(100, ...rows.map((row) => row[latency.at.p99_ns] ?? 0));
  return html`<${Panel} id="latency" title="Latency by stage, last 10 s">
    <table class="plain latency-table"><thead><tr><th scope="col">Stage</th><th scope="col" class="number">Events/s</th>
      ${["p50", "p90", "p99", "p99.9", "max"].map((name) => html`<th scope="col" class="number">${name}</th>`)}
      <th scope="col" title="p50 and p99, logarithmic">p50 / p99</th><th scope="col" class="number">Idle</th><th scope="col" class="number" title="Times that it waited for room behind it">Waits</th></tr></thead>
      <tbody>${rows.map((row) => line(row, widest))}</tbody></table>
  </${Panel}>`;
}
