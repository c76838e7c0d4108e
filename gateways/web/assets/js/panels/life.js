/** The life of one order: every event that the journal has of it, what was decided, and what it cost in time. */

import { signal } from "@preact/signals";
import { clock, figure, money, plain, price, span } from "../data/format.js";
import { html } from "../html.js";
import { problem } from "../net/api.js";
import { explain } from "../net/commands.js";
import { Dialog } from "../shell/dialog.js";
import { rejectWords } from "../words/rejects.js";

const NANOS_PER_MS = 1_000_000;

/** The order whose life is shown, and what the server said. @type {import("@preact/signals").Signal<{ id: string, answer: any } | null>} */
const shown = signal(null);

/** @param {string} id */
export async function showLife(id) {
  shown.value = { id, answer: null };
  const answer = await explain(id);
  if (shown.value?.id === id) shown.value = { id, answer };
}

/** A button in a grid that shows the life of the order. @param {string} id */
export function lifeButton(id) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "link";
  button.textContent = id;
  button.tabIndex = -1;
  button.title = "What became of it, event by event";
  button.addEventListener("click", () => void showLife(id));
  return button;
}

/** What an event says, in one line. @param {any} event */
function words({ verdict, execution, qty, px }) {
  if (!verdict.accepted) return `✕ ${verdict.rule?.text ?? rejectWords(verdict.code)}`;
  if (execution) return `${plain(execution.qty)} at ${price(execution.px)}, fee ${money(execution.fee)}${execution.alerts.length ? ` ▲ ${execution.alerts.join(" ")}` : ""}`;
  const asked = qty ? `${plain(qty)}${px ? ` at ${price(px)}` : ""}` : "";
  const warned = verdict.hits.map((/** @type {any} */ hit) => `▲ ${hit.limit}: ${figure(hit.used)} of ${figure(hit.hard)}`);
  return [asked, ...warned].filter(Boolean).join(" ");
}

/** @param {any} event */
function line(event) {
  const { seq, kind, recv_ns: received, since_previous_ns: since, receipt_to_journal_ns: took, state_after: state, cum, reservation, verdict } = event;
  return html`<tr class=${verdict.accepted ? "" : "bad"}>
    <td class="number">${seq}</td><td>${clock(received / NANOS_PER_MS)}</td><td class="number">${since === null ? "" : `+${span(since)}`}</td>
    <th scope="row">${kind.replaceAll("_", " ")}</th><td class="wrap">${words(event)}</td><td>${state.replace("_", " ")}</td>
    <td class="number">${plain(cum)}</td><td class="number">${money(reservation.cash_after)}</td><td class="number">${span(took)}</td>
  </tr>`;
}

export function Life() {
  if (!shown.value) return null;
  const { id, answer } = shown.value;
  const close = () => (shown.value = null);
  if (!answer?.ok) return html`<${Dialog} title=${`Order ${id}`} onClose=${close}><p class="empty">${answer ? `✕ ${problem(answer)}` : "Reading the journal …"}</p></${Dialog}>`;
  const { side, symbol, account, ord_type: type, tif, cl_ord_id: key, events } = answer.body;
  return html`<${Dialog} title=${`Order ${id}: ${side} ${symbol} for ${account}`} tone="wide" onClose=${close}>
    <p class="note">${type} ${tif} · client's id ${key}</p>
    <div class="scroll"><table class="plain" data-testid="life"><thead><tr><th scope="col" class="number">Seq</th><th scope="col">Time</th><th scope="col" class="number">After</th><th scope="col">Event</th>
      <th scope="col">What</th><th scope="col">State</th><th scope="col" class="number">Filled</th><th scope="col" class="number">Cash held</th><th scope="col" class="number" title="From receipt to the journal">Took</th></tr></thead>
      <tbody>${events.map(line)}</tbody></table></div>
  </${Dialog}>`;
}
