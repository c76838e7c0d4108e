/** Short messages that go away by themselves; screen readers read them out. */

import { signal } from "@preact/signals";
import { html } from "../html.js";

const STAYS_MS = 8_000;
/** @type {import("@preact/signals").Signal<{ id: number, tone: string, text: string }[]>} */
const toasts = signal([]);
let made = 0;

/** @param {"ok" | "warn" | "bad"} tone @param {string} text */
export function tell(tone, text) {
  const id = (made += 1);
  toasts.value = [...toasts.value.slice(-3), { id, tone, text }];
  setTimeout(() => (toasts.value = toasts.value.filter((toast) => toast.id !== id)), STAYS_MS);
}

const SIGNS = { ok: "✓", warn: "▲", bad: "✕" };

export function Toasts() {
  return html`<div class="toasts" role="status" aria-live="polite">
    ${toasts.value.map(({ id, tone, text }) => html`<p key=${id} class=${`toast ${tone}`}>${SIGNS[/** @type {keyof typeof SIGNS} */ (tone)]} ${text}</p>`)}
  </div>`;
}
