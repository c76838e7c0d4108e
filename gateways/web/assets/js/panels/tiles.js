/** The figures that a desk looks at first, in one strip. */

import { arrow, count, money, short, signed, span } from "../data/format.js";
import { near, sign } from "../data/decimal.js";
import { exposure, limitsByUse, openOrderCount, rejectsLately, wholePnl } from "../data/figures.js";
import { second } from "../data/frames.js";
import { latency, limits, orders, pnl, positions, rejects, skewMs, welcome } from "../data/store.js";
import { html } from "../html.js";

/**
 * @param {object} props
 * @param {string} props.id
 * @param {string} props.label
 * @param {string} props.value
 * @param {string} [props.note]
 * @param {string} [props.tone]
 * @param {string} [props.title]
 */
function Tile({ id, label, value, note = "", tone = "", title = "" }) {
  return html`<div class=${`tile ${tone}`} data-testid=${`tile-${id}`} title=${title}>
    <span class="tile-label">${label}</span><span class="tile-value">${value}</span><span class="tile-note">${note}</span>
  </div>`;
}

function Profit() {
  pnl.version.value;
  const { isLoaded, total, parts } = wholePnl();
  if (!isLoaded) return html`<${Tile} id="pnl" label="Total P&L" value="–" />`;
  const tone = ["down", "", "up"][sign(total) + 1];
  const note = parts ? `${signed(parts.realised, 0)} realised, ${signed(parts.unrealised, 0)} open` : "after fees, in base currency";
  return html`<${Tile} id="pnl" label=${`Total P&L ${welcome.value?.base_currency ?? ""}`} tone=${`wide ${tone}`}
    value=${`${arrow(total)} ${signed(total)}`} note=${note} />`;
}

function Exposure() {
  positions.slowVersion.value;
  const { gross, net, open, unvalued } = exposure();
  const missing = unvalued ? `, ${unvalued} without value` : "";
  return html`<${Tile} id="gross" label="Gross exposure" value=${short(near(gross))} note=${`${count(open)} positions${missing}`} title=${money(gross)} />
    <${Tile} id="net" label="Net exposure" value=${short(near(net))} note=${net >= 0n ? "▲ long" : "▼ short"} title=${money(net)} />`;
}

function Flow() {
  orders.version.value;
  rejects.version.value;
  second.value;
  const lately = rejectsLately(Date.now() + skewMs.value);
  return html`<${Tile} id="orders" label="Open orders" value=${count(openOrderCount())} note="working and pending" />
    <${Tile} id="rejects" label="Rejects, 1 min" value=${count(lately)} note=${lately ? "see Rejects" : "none"} />`;
}

function Engine() {
  latency.version.value;
  const row = latency.get("pipeline")?.row;
  const { events_per_s: rate, p99_ns: p99 } = latency.at;
  return html`<${Tile} id="rate" label="Events a second" value=${row ? count(row[rate]) : "–"} note="through the pipeline" />
    <${Tile} id="p99" label="p99, ingest to release" value=${row ? span(row[p99]) : "–"} note="last 10 s" />`;
}

function Limit() {
  limits.version.value;
  const [worst] = limitsByUse();
  const { label, used_pct: pct, status } = limits.at;
  if (!worst || worst[pct] === null) return html`<${Tile} id="limit" label="Highest limit use" value="–" />`;
  const tone = { WARN: "warn", BREACH: "bad" }[worst[status]] ?? "";
  const sign = { WARN: "▲ ", BREACH: "■ " }[worst[status]] ?? "";
  return html`<${Tile} id="limit" label="Highest limit use" tone=${tone} value=${`${sign}${count(worst[pct])} %`} note=${worst[label]} title=${worst[label]} />`;
}

export function Tiles() {
  return html`<div class="tiles"><${Profit} /><${Exposure} /><${Flow} /><${Limit} /><${Engine} /></div>`;
}
