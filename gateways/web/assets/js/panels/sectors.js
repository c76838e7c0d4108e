/** Exposure by sector in base currency: short to the left, long to the right, added up exactly from the positions. */

import { near } from "../data/decimal.js";
import { sectors } from "../data/figures.js";
import { money, short } from "../data/format.js";
import { positions, welcome } from "../data/store.js";
import { html } from "../html.js";
import { Panel } from "../shell/panel.js";

/** @param {{ sector: string, long: bigint, short: bigint }} sums @param {number} widest */
function row(sums, widest) {
  const [long, shorted] = [near(sums.long), near(sums.short)];
  const net = sums.long - sums.short;
  const part = (/** @type {number} */ value) => (widest ? (value / widest) * 50 : 0);
  return html`<tr data-testid="sector">
    <th scope="row">${sums.sector}</th>
    <td class="number" title=${money(sums.short)}>${short(shorted)}</td>
    <td class="sector-bar"><svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
      <rect class="short" x=${50 - part(shorted)} width=${part(shorted)} height="10" /><rect class="long" x="50" width=${part(long)} height="10" />
      <rect class="middle" x="49.8" width="0.4" height="10" /></svg></td>
    <td class="number" title=${money(sums.long)}>${short(long)}</td>
    <td class=${`number ${net >= 0n ? "up" : "down"}`} title=${money(net)}>${net >= 0n ? "▲" : "▼"} ${short(near(net))}</td>
  </tr>`;
}

export function Sectors() {
  positions.slowVersion.value;
  const found = positions.isLoaded.value ? sectors() : [];
  const widest = Math.max(0, ...found.map((sums) => Math.max(near(sums.long), near(sums.short))));
  return html`<${Panel} id="sectors" title=${`Exposure by sector ${welcome.value?.base_currency ?? ""}`}>
    ${found.length
      ? html`<table class="plain sector-table"><thead><tr><th scope="col">Sector</th><th scope="col" class="number">Short</th><th></th><th scope="col" class="number">Long</th><th scope="col" class="number">Net</th></tr></thead>
          <tbody>${found.map((sums) => row(sums, widest))}</tbody></table>`
      : html`<p class="empty">No open positions</p>`}
  </${Panel}>`;
}
