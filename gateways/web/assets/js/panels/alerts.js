/** Incidents: how bad, how long, when they escalate, and who has taken them. Taking one needs a comment. */

import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { clock, count, lasting } from "../data/format.js";
import { second } from "../data/frames.js";
import { alerts, skewMs, unackedCount } from "../data/store.js";
import { html } from "../html.js";
import { problem } from "../net/api.js";
import { acknowledge } from "../net/commands.js";
import { may, person } from "../net/session.js";
import { Panel } from "../shell/panel.js";
import { isReject, rejectWords } from "../words/rejects.js";

const SEVERITIES = ["INFO", "WARNING", "ERROR", "CRITICAL"];
const SIGNS = { INFO: "○", WARNING: "▲", ERROR: "◆", CRITICAL: "■" };
const TONES = { INFO: "muted", WARNING: "warn", ERROR: "bad", CRITICAL: "bad" };
const STATES = ["OPEN", "ACKNOWLEDGED", "RESOLVED"];
const SHOWN = 100;

/** The incident whose comment is being written. */
const taking = signal(0);

/** Open ones first, the worst first, the newest first. */
function inOrder() {
  const { state, severity, opened_at: opened } = alerts.at;
  const rank = (/** @type {any[]} */ row) => STATES.indexOf(row[state]) * 10 - SEVERITIES.indexOf(row[severity]);
  return [...alerts.all()]
    .map((entry) => entry.row)
    .sort((a, b) => rank(a) - rank(b) || (a[opened] < b[opened] ? 1 : -1))
    .slice(0, SHOWN);
}

/** @param {any[]} row @param {number} now */
function escalation(row, now) {
  const { next_level_at: next, level, state } = alerts.at;
  if (row[state] !== "OPEN") return null;
  if (!row[next]) return html`<span class="clock">level ${row[level]}</span>`;
  const left = (Date.parse(row[next]) - now) / 1_000;
  const tone = left < 60 ? "bad" : left < 300 ? "warn" : "";
  return html`<span class=${`clock ${tone}`} title="Escalates unless somebody takes it">level ${row[level] + 1} in ${lasting(left)}</span>`;
}

/** A refusal's code becomes its words. @param {string} text */
function inWords(text) {
  return text.replace(/(?<=refused: )[A-Z_]+/, (code) => (isReject(code) ? rejectWords(code) : code));
}

/** What somebody said, without what the server noted behind it. @param {string | null} text */
function comment(text) {
  return (text ?? "").replace(/\s*\[request [^\]]*\]/g, "");
}

/** @param {{ id: number }} props */
function Take({ id }) {
  const [error, setError] = useState("");
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const words = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get("comment")).trim();
    const answer = await acknowledge(id, words);
    if (answer.ok) taking.value = 0;
    else setError(problem(answer));
  };
  const key = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape") taking.value = 0;
  };
  return html`<form class="take" onSubmit=${submit} onKeyDown=${key}>
    <input name="comment" required maxlength="200" placeholder="What are you doing about it?" aria-label="Comment" autofocus ref=${(/** @type {any} */ node) => node?.focus()} />
    <button type="submit" class="primary">Acknowledge</button>
    <button type="button" class="quiet" onClick=${() => (taking.value = 0)}>Cancel</button>
    ${error ? html`<p class="note bad" role="alert">✕ ${error}</p>` : null}
  </form>`;
}

/** @param {{ row: any[], now: number }} props */
function Alert({ row, now }) {
  const at = alerts.at;
  const [id, severity, state] = [row[at.id], row[at.severity], row[at.state]];
  const isOpen = state === "OPEN";
  const who = row[at.acknowledged_by];
  return html`<li class=${`alert ${severity.toLowerCase()} ${state.toLowerCase()}`} data-testid="alert" data-id=${id} data-state=${state}>
    <div class="alert-line">
      <span class=${`severity ${TONES[/** @type {keyof typeof TONES} */ (severity)]}`}>${SIGNS[/** @type {keyof typeof SIGNS} */ (severity)]} ${severity}</span>
      <span class="spring"></span>
      ${escalation(row, now)}
      ${isOpen && taking.value !== id && may("CONTROL") ? html`<button type="button" class="take-button" onClick=${() => (taking.value = id)}>Take</button>` : null}
    </div>
    <p class="alert-text"><b>${row[at.scope]}${row[at.instrument] ? ` · ${row[at.instrument]}` : ""}</b> ${inWords(row[at.text])}</p>
    <p class="note">${row[at.rule]} · since ${clock(row[at.opened_at], false)} (${lasting((now - Date.parse(row[at.opened_at])) / 1_000)})
      ${row[at.count] > 1 ? ` · ${count(row[at.count])} times` : ""}
      ${who ? ` · taken by ${person(who)}: ${comment(row[at.acknowledge_comment])}` : ""}
      ${state === "RESOLVED" ? ` · over since ${clock(row[at.resolved_at], false)}` : ""}
      ${row[at.cleared_at] && state !== "RESOLVED" ? " · condition is gone, waits for a person" : ""}</p>
    ${taking.value === id ? html`<${Take} id=${id} />` : null}
  </li>`;
}

/** Opens the comment of the worst incident that nobody has taken. */
export function takeFirst() {
  const first = inOrder().find((row) => row[alerts.at.state] === "OPEN");
  if (first && may("CONTROL")) taking.value = first[alerts.at.id];
}

export function Alerts() {
  alerts.version.value;
  const now = second.value + skewMs.value;
  const rows = alerts.isLoaded.value ? inOrder() : [];
  const open = unackedCount.value;
  const tools = html`<span class=${`badge ${open ? "bad" : ""}`}>${open} not taken</span>`;
  return html`<${Panel} id="alerts" title="Alerts" tools=${tools}>
    ${rows.length ? html`<ul class="alert-list">${rows.map((row) => html`<${Alert} key=${row[alerts.at.id]} row=${row} now=${now} />`)}</ul>` : html`<p class="empty">✓ No incidents</p>`}
  </${Panel}>`;
}
