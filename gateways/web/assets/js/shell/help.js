/** The list of shortcuts, made from the shortcuts themselves. */

import { html } from "../html.js";
import { dialog } from "./dialogs.js";
import { Dialog } from "./dialog.js";
import { allShortcuts } from "./keys.js";

const IN_GRIDS = [
  ["↑ ↓ ← → PgUp PgDn Home End", "Move in a grid; above the first row is its head"],
  ["Enter", "In a grid: take the row into the order ticket; in its head: sort"],
  ["Esc", "Close a dialog"],
];

export function Help() {
  const line = (/** @type {[string, string]} */ [keys, what]) => html`<tr><th scope="row"><kbd>${keys}</kbd></th><td>${what}</td></tr>`;
  const made = allShortcuts().map(({ key, what }) => /** @type {[string, string]} */ ([key, what]));
  return html`<${Dialog} title="Keyboard" onClose=${() => (dialog.value = "")}>
    <table class="plain keys"><tbody>${[...made, ...IN_GRIDS].map((one) => line(/** @type {[string, string]} */ (one)))}</tbody></table>
  </${Dialog}>`;
}
