/** Incidents: how bad, how long, when they escalate, and who has taken them. Taking one, or all of its rule, needs a comment. */

import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { hasSound, maySnooze, open, SEVERITIES, snooze, toggleSound, wake } from "../data/attention.js";
import { clock, count, lasting } from "../data/format.js";
import { second } from "../data/frames.js";
import { alerts, skewMs } from "../data/store.js";
import { html } from "../html.js";
import { problem } from "../net/api.js";
import { acknowledge } from "../net/commands.js";
import { may, person } from "../net/session.js";
import { Panel } from "../shell/panel.js";
import { isReject, rejectWords } from "../words/rejects.js";

const SIGNS = { INFO: "○", WARNING: "▲", ERROR: "◆", CRITICAL: "■" };
const TONES = { INFO: "muted", WARNING: "warn", ERROR: "bad", CRITICAL: "bad" };
const STATES = ["OPEN", "ACKNOWLEDGED", "RESOLVED"];
const SHOWN = 100;

/** The incident whose comment is being written. */
const taking = signal(0);
/** Snoozed ones are listed too. */
const showsSnoozed = signal(false);

/** Open ones first, the worst first, the newest first. */
function inOrder() {
  const { state, severity, opened_at: opened } = alerts.at;
  const rank = (/** @type {any[]} */ row) => STATES.indexOf(row[state]) * 10 - SEVERITIES.indexOf(row[severity]);
  return [...alerts.all()]
    .map((entry) => entry.row)
    .sort((a, b) => rank(a) - rank(b) || (a[opened] < b[opened] ? 1 : -1));
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

/** Numbers of the other open incidents of a rule. @param {any[]} row */
function othersOf(row) {
  const { id, rule } = alerts.at;
  return open.value.waiting.filter((other) => other[rule] === row[rule] && other[id] !== row[id]).map((other) => other[id]);
}

/** @param {{ row: any[] }} props */
function Take({ row }) {
  const id = row[alerts.at.id];
  const others = othersOf(row);
  const [error, setError] = useState("");
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  // Once, when it opens: what is painted anew later must not take the focus from where somebody types.
  useEffect(() => field.current?.focus(), []);
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.target));
    const words = String(form.get("comment")).trim();
    for (const one of form.get("others") ? [id, ...others] : [id]) {
      const answer = await acknowledge(one, words);
      if (!answer.ok) return setError(problem(answer));
    }
    taking.value = 0;
  };
  const key = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape") taking.value = 0;
  };
  return html`<form class="take" onSubmit=${submit} onKeyDown=${key}>
    <input name="comment" required maxlength="200" placeholder="What are you doing about it?" aria-label="Comment" ref=${field} />
    ${others.length ? html`<label class="check others"><input type="checkbox" name="others" /> and the ${count(others.length)} others of ${row[alerts.at.rule]}</label>` : null}
    <button type="submit" class="primary">Acknowledge</button>
    <button type="button" class="quiet" onClick=${() => (taking.value = 0)}>Cancel</button>
    ${error ? html`<p class="note bad" role="alert">✕ ${error}</p>` : null}
  </form>`;
}

/** Not now: for a quarter of an hour, on this screen alone. @param {{ row: any[], isSnoozed: boolean }} props */
function Snooze({ row, isSnoozed }) {
  if (isSnoozed) return html`<button type="button" class="wake" onClick=${() => wake(row[alerts.at.id])}>Wake</button>`;
  if (!maySnooze(row)) return null;
  return html`<button type="button" class="snooze" aria-label="Snooze for 15 minutes" title="Snooze for 15 minutes on this screen" onClick=${() => snooze(row)}>
    <svg viewBox="0 0 16 16" width="12" height="12" aria-hidden="true"><circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.5" /><path d="M8 4.5V8l2.5 2" fill="none" stroke="currentColor" stroke-width="1.5" /></svg></button>`;
}

/** @param {{ row: any[], now: number, isSnoozed: boolean }} props */
function Alert({ row, now, isSnoozed }) {
  const at = alerts.at;
  const [id, severity, state] = [row[at.id], row[at.severity], row[at.state]];
  const isOpen = state === "OPEN";
  const who = row[at.acknowledged_by];
  return html`<li class=${`alert ${severity.toLowerCase()} ${state.toLowerCase()} ${isSnoozed ? "snoozed" : ""}`} data-testid="alert" data-id=${id} data-state=${state}>
    <div class="alert-line">
      <span class=${`severity ${TONES[/** @type {keyof typeof TONES} */ (severity)]}`}>${SIGNS[/** @type {keyof typeof SIGNS} */ (severity)]} ${severity}</span>
      <span class="spring"></span>
      ${escalation(row, now)}
      ${isOpen && taking.value !== id ? html`<${Snooze} row=${row} isSnoozed=${isSnoozed} />` : null}
      ${isOpen && taking.value !== id && may("CONTROL") ? html`<button type="button" class="take-button" onClick=${() => (taking.value = id)}>Take</button>` : null}
    </div>
    <p class="alert-text"><b>${row[at.scope]}${row[at.instrument] ? ` · ${row[at.instrument]}` : ""}</b> ${inWords(row[at.text])}</p>
    <p class="note">${row[at.rule]} · since ${clock(row[at.opened_at], false)} (${lasting((now - Date.parse(row[at.opened_at])) / 1_000)})
      ${row[at.count] > 1 ? ` · ${count(row[at.count])} times` : ""}
      ${who ? ` · taken by ${person(who)}: ${comment(row[at.acknowledge_comment])}` : ""}
      ${state === "RESOLVED" ? ` · over since ${clock(row[at.resolved_at], false)}` : ""}
      ${row[at.cleared_at] && state !== "RESOLVED" ? " · condition is gone, waits for a person" : ""}</p>
    ${taking.value === id ? html`<${Take} row=${row} />` : null}
  </li>`;
}

/** Opens the comment of the worst incident that nobody has taken. */
export function takeFirst() {
  const { waiting } = open.value;
  const first = inOrder().find((row) => waiting.includes(row));
  if (first && may("CONTROL")) taking.value = first[alerts.at.id];
}

function Tools() {
  const { waiting, snoozed } = open.value;
  const shown = showsSnoozed.value;
  return html`<div class="tools">
    ${snoozed.length ? html`<button type="button" class="quiet" aria-pressed=${shown ? "true" : "false"} onClick=${() => (showsSnoozed.value = !shown)}>${snoozed.length} snoozed</button>` : null}
    <button type="button" class="quiet" aria-pressed=${hasSound.value ? "true" : "false"} title="A sound where a new alert comes or one escalates" data-testid="sound"
      onClick=${toggleSound}>${hasSound.value ? "Sound on" : "Sound off"}</button>
    <span class=${`badge ${waiting.length ? "bad" : ""}`}>${waiting.length} not taken</span>
  </div>`;
}

export function Alerts() {
  alerts.version.value;
  const now = second.value + skewMs.value;
  const asleep = new Set(open.value.snoozed.map((row) => row[alerts.at.id]));
  const isAsleep = (/** @type {any[]} */ row) => asleep.has(row[alerts.at.id]);
  const rows = alerts.isLoaded.value ? inOrder().filter((row) => showsSnoozed.value || !isAsleep(row)).slice(0, SHOWN) : [];
  return html`<${Panel} id="alerts" title="Alerts" tools=${html`<${Tools} />`}>
    ${rows.length ? html`<ul class="alert-list">${rows.map((row) => html`<${Alert} key=${row[alerts.at.id]} row=${row} now=${now} isSnoozed=${isAsleep(row)} />`)}</ul>` : html`<p class="empty">✓ No incidents</p>`}
  </${Panel}>`;
}
