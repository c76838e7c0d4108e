/** Limits as bars: what is used, where the warning is, where the end is. The fullest first. */

import { signal } from "@preact/signals";
import { limitsByUse, unitOf } from "../data/figures.js";
import { count, figure } from "../data/format.js";
import { limits } from "../data/store.js";
import { html } from "../html.js";
import { Panel } from "../shell/panel.js";

const SHOWN = 200;
const WARN_PCT = 80;
const STATUS = { OK: ["ok", "●", "fine"], WARN: ["warn", "▲", "warning"], BREACH: ["bad", "■", "at its end"] };
const filter = signal("");

/** @param {{ row: any[] }} props */
function Bar({ row }) {
  const at = limits.at;
  const [tone, sign, words] = STATUS[/** @type {keyof typeof STATUS} */ (row[at.status])] ?? STATUS.OK;
  const pct = row[at.used_pct];
  const soft = row[at.soft_pct] || WARN_PCT;
  const width = Math.min(100, pct ?? 0);
  const most = row[at.hard] === "none" ? "no bound" : figure(row[at.hard]);
  const figures = row[at.used] === null ? `up to ${most}` : `${figure(row[at.used])} of ${most}`;
  return html`<li class=${`limit ${tone}`} data-testid="limit" title=${`${row[at.type]} on ${row[at.level]} ${row[at.scope]}, then ${row[at.action]}`}>
    <div class="limit-line">
      <span class="limit-name">${row[at.label]}</span>
      <span class="limit-scope">${row[at.scope]}${row[at.symbol] ? ` · ${row[at.symbol]}` : ""}</span>
      <span class="limit-figures">${figures} ${unitOf(row[at.unit])}</span>
      <span class="limit-pct">${sign} ${pct === null ? "–" : `${count(pct)} %`}</span>
    </div>
    <svg class="bar" role="img" aria-label=${`${pct ?? 0} percent, ${words}`} preserveAspectRatio="none" viewBox="0 0 100 8">
      <rect class="bar-back" width="100" height="8" /><rect class="bar-fill" width=${width} height="8" /><rect class="bar-soft" x=${soft - 0.3} width="0.6" height="8" />
    </svg>
  </li>`;
}

/** @param {any[]} row @param {string[]} terms */
function matches(row, terms) {
  const words = row.filter((cell) => typeof cell === "string").join(" ").toLowerCase();
  return terms.every((term) => words.includes(term));
}

export function Limits() {
  limits.version.value;
  const terms = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = limits.isLoaded.value ? limitsByUse().filter((row) => matches(row, terms)) : [];
  const tools = html`<div class="tools"><input type="search" placeholder="Filter" aria-label="Filter limits" value=${filter.value}
    onInput=${(/** @type {any} */ event) => (filter.value = event.target.value)} /></div>`;
  return html`<${Panel} id="limits" title="Limits" tools=${tools}>
    ${rows.length ? html`<ul class="limit-list">${rows.slice(0, SHOWN).map((row) => html`<${Bar} key=${row[limits.at.label]} row=${row} />`)}</ul>` : html`<p class="empty">No limits</p>`}
    ${rows.length > SHOWN ? html`<p class="note">${rows.length - SHOWN} more with less use: filter to see them.</p>` : null}
  </${Panel}>`;
}
