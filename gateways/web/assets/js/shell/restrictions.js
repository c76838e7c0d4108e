/**
 * What does not trade freely, under the top bar for as long as it lasts; and the way back. After a kill the way back takes two people: the
 * first asks, the second confirms.
 */

import { signal } from "@preact/signals";
import { useState } from "preact/hooks";
import { second } from "../data/frames.js";
import { alerts, status } from "../data/store.js";
import { html } from "../html.js";
import { problem } from "../net/api.js";
import { confirmRearm, rearm, restrictions, waitingRearms } from "../net/commands.js";
import { isMe, may, person, session } from "../net/session.js";
import { Dialog } from "./dialog.js";
import { tell } from "./toast.js";

const EVERY_S = 5;

/** @type {import("@preact/signals").Signal<{ node: string, level: string, state: string }[]>} */
const restricted = signal([]);
/** @type {import("@preact/signals").Signal<{ id: number, target: string, operator: string, reason: string }[]>} */
const waiting = signal([]);
/** What the open dialog is about. @type {import("@preact/signals").Signal<{ node: string, id: number } | null>} */
const asked = signal(null);

/** Asks the server anew; also called where something was changed here. */
export async function lookAgain() {
  if (!session.value || status.value.phase !== "live") return;
  const now = await restrictions();
  if (now.ok) restricted.value = now.body.data;
  if (!restricted.value.length || !may("CONTROL")) waiting.value = [];
  else {
    const open = await waitingRearms();
    if (open.ok) waiting.value = open.body.data;
  }
}

/** Looks every few seconds, and at once where an alert comes or goes. */
export function watchRestrictions() {
  let ticks = 0;
  second.subscribe(() => {
    if ((ticks += 1) % EVERY_S === 0) void lookAgain();
  });
  let shape = -1;
  alerts.version.subscribe(() => {
    if (alerts.shape === shape) return;
    shape = alerts.shape;
    void lookAgain();
  });
}

/** @param {{ node: string, level: string, state: string }} row */
function restriction({ node, level, state }) {
  const waits = waiting.value.find(({ target }) => target === `node ${node}`);
  const ask = () => (asked.value = { node, id: waits ? waits.id : 0 });
  const button = waits
    ? isMe(waits.operator)
      ? html`<span>waits for a second person</span>`
      : html`<button type="button" onClick=${ask}>Confirm re-arm by ${person(waits.operator)}</button>`
    : html`<button type="button" onClick=${ask} data-testid="rearm">Re-arm</button>`;
  return html`<span class="restriction" data-testid="restriction">■ ${state.replace("_", " ")}: ${node} (${level.toLowerCase()}) ${may("CONTROL") ? button : null}</span>`;
}

function Rearm() {
  const [error, setError] = useState("");
  const { node, id } = /** @type {{ node: string, id: number }} */ (asked.value);
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const reason = String(new FormData(/** @type {HTMLFormElement} */ (event.target)).get("reason")).trim();
    const answer = id ? await confirmRearm(id, reason) : await rearm(node, reason);
    if (!answer.ok) return setError(problem(answer));
    asked.value = null;
    if (answer.body.rearmed) tell("ok", `${node} trades again.`);
    else tell("warn", `${node}: a second person must confirm.`);
    await lookAgain();
  };
  return html`<${Dialog} title=${id ? `Confirm: trade again at ${node}` : `Trade again at ${node}`} onClose=${() => (asked.value = null)}>
    <form class="kill-form" onSubmit=${submit}>
      <label>Why, for the record <input name="reason" required maxlength="200" autocomplete="off" /></label>
      <p class="note bad" role="alert">${error ? `✕ ${error}` : ""}</p>
      <button type="submit" class="primary">${id ? "Confirm" : "Re-arm"} ${node}</button>
    </form>
  </${Dialog}>`;
}

export function Restrictions() {
  const rows = restricted.value;
  return html`${rows.length ? html`<div class="restrictions" role="alert">${rows.map(restriction)}</div>` : null}
    ${asked.value ? html`<${Rearm} />` : null}`;
}
