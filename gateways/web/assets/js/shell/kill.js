/**
 * The kill switch. What it does is said before, and the node's name must be typed: a click alone stops nobody's trading.
 */

import { computed, signal } from "@preact/signals";
import { limits, pnl } from "../data/store.js";
import { html } from "../html.js";
import { problem } from "../net/api.js";
import { stopTrading } from "../net/commands.js";
import { dialog } from "./dialogs.js";
import { Dialog } from "./dialog.js";
import { lookAgain } from "./restrictions.js";
import { tell } from "./toast.js";

const LEVELS = [
  ["KILL", "Kill: cancel all open orders and refuse new ones. Undoing it takes two people."],
  ["CANCEL_ONLY", "Cancel only: refuse new orders, leave open ones. Cancels are taken."],
  ["REDUCE_ONLY", "Reduce only: take only orders that reduce a position."],
];

const level = signal("KILL");
const node = signal("");
const typed = signal("");
const reason = signal("");
const error = signal("");
const isBusy = signal(false);
const NODES = new Set(["FIRM", "ORG", "DESK", "USER", "ACCOUNT", "STRATEGY"]);

/** Nodes that the user sees, the firm first. */
const nodes = computed(() => {
  pnl.version.value;
  limits.version.value;
  const { group, name } = pnl.at;
  const order = [...NODES];
  const found = new Map();
  for (const { row } of pnl.all()) if (NODES.has(row[group])) found.set(row[name], row[group]);
  for (const { row } of limits.all()) if (NODES.has(row[limits.at.level])) found.set(row[limits.at.scope], row[limits.at.level]);
  return [...found].sort((a, b) => order.indexOf(a[1]) - order.indexOf(b[1]) || (a[0] < b[0] ? -1 : 1));
});

const isReady = computed(() => node.value !== "" && typed.value === node.value && reason.value.trim() !== "" && !isBusy.value);

function close() {
  dialog.value = "";
  [typed.value, reason.value, error.value] = ["", "", ""];
}

/** @param {SubmitEvent} event */
async function submit(event) {
  event.preventDefault();
  if (!isReady.value) return;
  isBusy.value = true;
  const answer = await stopTrading(node.value, level.value, reason.value.trim());
  isBusy.value = false;
  if (!answer.ok) {
    error.value = problem(answer);
    return;
  }
  tell("warn", `${node.value} is now ${level.value.replace("_", " ")}.`);
  close();
  await lookAgain();
}

export function Kill() {
  if (!node.value && nodes.value.length) node.value = nodes.value[0][0];
  return html`<${Dialog} title="Stop trading" tone="danger" onClose=${close}>
    <form class="kill-form" onSubmit=${submit} data-testid="kill-form">
      <label>What
        <select value=${node.value} onChange=${(/** @type {any} */ event) => (node.value = event.target.value)} data-testid="kill-node">
          ${nodes.value.map(([name, kind]) => html`<option value=${name}>${name} (${kind.toLowerCase()})</option>`)}
        </select></label>
      <fieldset><legend>How</legend>
        ${LEVELS.map(([id, words]) => html`<label class="check"><input type="radio" name="level" value=${id} checked=${level.value === id} onChange=${() => (level.value = id)} /> ${words}</label>`)}
      </fieldset>
      <label>Why, for the record <input value=${reason.value} maxlength="200" autocomplete="off" data-testid="kill-reason" onInput=${(/** @type {any} */ event) => (reason.value = event.target.value)} /></label>
      <label><span>Type <b>${node.value}</b> to confirm</span>
        <input value=${typed.value} autocomplete="off" spellcheck=${false} data-testid="kill-confirm" onInput=${(/** @type {any} */ event) => (typed.value = event.target.value)} /></label>
      <p class="note bad" role="alert">${error.value ? `✕ ${error.value}` : ""}</p>
      <button type="submit" class="danger" disabled=${!isReady.value} data-testid="kill-send">■ ${level.value.replace("_", " ")} ${node.value}</button>
    </form>
  </${Dialog}>`;
}
