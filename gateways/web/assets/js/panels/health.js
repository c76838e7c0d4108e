/** The engine's parts: checks, how full tables are, what the edges refuse; and this page's own connection. */

import { plain, short } from "../data/format.js";
import { faults, health } from "../data/store.js";
import { html } from "../html.js";
import { Panel } from "../shell/panel.js";

const STATUS = { PASS: ["ok", "●"], WARN: ["warn", "▲"], FAIL: ["bad", "■"] };
const RANK = ["FAIL", "WARN", "PASS"];
const UNITS = { percent: "%", per_s: "/s", count: "", ms: "ms" };

/** @param {string} value @param {string} unit */
function figure(value, unit) {
  if (value === null) return "";
  if (unit === "bytes") return `${short(Number(value))}B`;
  const suffix = UNITS[/** @type {keyof typeof UNITS} */ (unit)] ?? unit;
  return `${plain(value)}${suffix ? ` ${suffix}` : ""}`;
}

/** @param {any[]} row */
function line(row) {
  const at = health.at;
  const [tone, sign] = STATUS[/** @type {keyof typeof STATUS} */ (row[at.status])] ?? STATUS.WARN;
  return html`<tr data-testid="health" data-status=${row[at.status]}>
    <th scope="row"><span class=${tone}>${sign}</span> ${row[at.name].replace(":", " · ")}</th>
    <td class="number">${figure(row[at.value], row[at.unit])}</td><td>${row[at.text]}</td>
  </tr>`;
}

export function Health() {
  health.version.value;
  const { status, name } = health.at;
  const rows = [...health.all()].map((entry) => entry.row);
  rows.sort((a, b) => RANK.indexOf(a[status]) - RANK.indexOf(b[status]) || (a[name] < b[name] ? -1 : 1));
  const { gaps, reconnects } = faults.value;
  return html`<${Panel} id="health" title="System health">
    <table class="plain health-table"><tbody>${rows.map(line)}
      <tr><th scope="row"><span class=${gaps ? "warn" : "ok"}>${gaps ? "▲" : "●"}</span> this page · feed</th>
        <td class="number" data-testid="gaps">${gaps}</td><td>gaps found and mended, ${reconnects} connections made anew</td></tr>
    </tbody></table>
  </${Panel}>`;
}
