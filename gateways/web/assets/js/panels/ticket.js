/**
 * The order ticket: what the engine would say is shown before anything is sent, and what became of the order after.
 *
 * Invariant: what is sent is what is written on the button. Each press makes one order, however often the request is repeated.
 */

import { computed, effect, signal } from "@preact/signals";
import { parse } from "../data/decimal.js";
import { isClosed, unitOf } from "../data/figures.js";
import { figure, NONE, plain, price } from "../data/format.js";
import { market, orders, pnl, positions, status } from "../data/store.js";
import { html } from "../html.js";
import { problem } from "../net/api.js";
import { place, validate } from "../net/commands.js";
import { may } from "../net/session.js";
import { focus } from "../shell/keys.js";
import { Panel } from "../shell/panel.js";
import { rejectWords } from "../words/rejects.js";

const ASK_AFTER_MS = 250;
const TYPES = ["LIMIT", "MARKET", "STOP", "STOP_LIMIT"];
const TIFS = ["DAY", "GTC", "IOC", "FOK"];
const SIDES = {
  BUY: { verb: "Buy", sign: "▲", key: "b" },
  SELL: { verb: "Sell", sign: "▼", key: "s" },
  SELL_SHORT: { verb: "Short", sign: "▼", key: "h" },
};
const WITH_PRICE = new Set(["LIMIT", "STOP_LIMIT"]);
const WITH_STOP = new Set(["STOP", "STOP_LIMIT"]);

const draft = signal({ account: "", symbol: "", side: "BUY", type: "LIMIT", tif: "DAY", qty: "", px: "", stop_px: "", located: false });
/** The engine's answer about the draft. @type {import("@preact/signals").Signal<any>} */
const verdict = signal(null);
/** The engine's answer to the last order. @type {import("@preact/signals").Signal<any>} */
const sent = signal(null);
const isSending = signal(false);

/** Fills the ticket from another panel. @param {Partial<typeof draft.value>} part */
export function fill(part) {
  const known = Object.fromEntries(Object.entries(part).filter(([, value]) => value));
  const px = part.symbol && part.symbol !== draft.value.symbol ? { px: "" } : {};
  draft.value = { ...draft.value, ...px, ...known };
}

/** Turns the ticket to a side and puts the focus on the quantity. @param {keyof typeof SIDES} side */
export function begin(side) {
  draft.value = { ...draft.value, side };
  focus("#ticket-qty");
}

/** The order as it would be sent, or null where something is missing. */
const order = computed(() => {
  const { account, symbol, side, type, tif, qty, px, stop_px: stop, located } = draft.value;
  const isWhole = account && symbol && isPositive(qty) && (!WITH_PRICE.has(type) || parse(px) !== null) && (!WITH_STOP.has(type) || parse(stop) !== null);
  if (!isWhole) return null;
  return { account, symbol, side, type, tif, qty, ...(WITH_PRICE.has(type) ? { px } : {}), ...(WITH_STOP.has(type) ? { stop_px: stop } : {}), ...(side === "SELL_SHORT" ? { located } : {}) };
});

/** @param {string} text */
function isPositive(text) {
  const units = parse(text);
  return units !== null && units > 0n;
}

let question = 0;
effect(() => {
  const asked = order.value;
  const mine = (question += 1);
  verdict.value = null;
  if (!asked) return;
  setTimeout(async () => {
    if (mine !== question) return;
    const answer = await validate(asked);
    if (mine === question) verdict.value = answer;
  }, ASK_AFTER_MS);
});

/** @param {SubmitEvent} event */
async function submit(event) {
  event.preventDefault();
  const asked = order.value;
  if (!asked || isSending.value) return;
  isSending.value = true;
  sent.value = { asked, answer: await place(asked) };
  isSending.value = false;
}

/** @param {string} name @param {string | boolean} value */
function set(name, value) {
  draft.value = { ...draft.value, [name]: value };
}

/** @param {{ id: string, label: string, name: string, list?: string, decimal?: boolean }} props */
function Field({ id, label, name, list, decimal }) {
  const value = draft.value[/** @type {keyof typeof draft.value} */ (name)];
  const isWrong = decimal && value !== "" && parse(value) === null;
  return html`<label class="field">${label}
    <input id=${id} list=${list} value=${value} inputmode=${decimal ? "decimal" : "text"} autocomplete="off" spellcheck=${false}
      aria-invalid=${isWrong ? "true" : "false"}
      onInput=${(/** @type {any} */ event) => set(name, event.target.value.trim())} />
  </label>`;
}

/** @param {{ label: string, name: string, id: string, of: string[] }} props */
function Choice({ label, name, id, of }) {
  const value = draft.value[/** @type {keyof typeof draft.value} */ (name)];
  return html`<label class="field">${label}
    <select id=${id} value=${value} onChange=${(/** @type {any} */ event) => set(name, event.target.value)}>
      ${of.map((one) => html`<option value=${one}>${one.replace("_", " ")}</option>`)}
    </select>
  </label>`;
}

/** Short sales of stock need a locate. */
function Located() {
  return html`<label class="check"><input type="checkbox" checked=${draft.value.located} onChange=${(/** @type {any} */ event) => set("located", event.target.checked)} /> The stock was located</label>`;
}

/** Bid and ask of the instrument; a press takes the price. */
function Quote() {
  market.version.value;
  positions.version.value;
  const { symbol, account } = draft.value;
  const row = market.get(symbol)?.row;
  const held = positions.get(`${account}\u0000${symbol}`)?.row;
  const at = (/** @type {string} */ name) => row?.[market.at[name]] ?? null;
  const take = (/** @type {string} */ name) => html`<button type="button" class=${`quote ${name}`} disabled=${at(name) === null}
    title=${`Take the ${name} as the price`} onClick=${() => set("px", at(name))}>
    <span>${name === "bid" ? "Bid" : "Ask"}</span><b>${price(at(name))}</b><small>${at(`${name}_qty`) === null ? "" : plain(at(`${name}_qty`))}</small></button>`;
  const isKnown = row && accounts().includes(account);
  return html`<div class="quotes">${take("bid")}${take("ask")}</div>
    <p class="note">Held: ${held ? plain(held[positions.at.qty]) : isKnown ? "0" : NONE}${row ? html` · last ${price(at("last"))}` : null}</p>`;
}

/** What the engine would say. */
function Verdict() {
  const asked = order.value;
  const answer = verdict.value;
  if (!asked) return html`<p class="verdict" data-testid="verdict">Fill in the order to see whether it would pass.</p>`;
  if (!answer) return html`<p class="verdict" data-testid="verdict">Asking the engine …</p>`;
  if (!answer.ok) return html`<p class="verdict warn" data-testid="verdict">▲ ${problem(answer)}</p>`;
  const { passes, outcome } = answer.body;
  const warned = passes && hasHits(outcome) ? " It comes near its limits:" : "";
  return html`<div class=${`verdict ${passes ? (warned ? "warn" : "ok") : "bad"}`} data-testid="verdict">
    <p>${passes ? `${warned ? "▲" : "✓"} It would pass.${warned}` : `✕ It would be refused: ${words(outcome)}`}</p>
    <${Hits} outcome=${outcome} />
  </div>`;
}

/** @param {any} outcome of the journal */
const hasHits = (outcome) => (outcome?.hits ?? []).some((/** @type {any} */ hit) => hit.limit);

/** Why the engine refuses: a rule of the firm has words of its own. @param {any} outcome of the journal */
function words(outcome) {
  return outcome?.code === "BUSINESS_RULE" && outcome.text ? outcome.text : rejectWords(outcome?.code);
}

/** The limits that spoke. @param {{ outcome: any }} props */
function Hits({ outcome }) {
  if (!hasHits(outcome)) return null;
  const line = (/** @type {any} */ { limit, scope, used, hard, unit }) => html`<li>${limit}${scope ? ` (${scope})` : ""}: ${figure(used)} of ${figure(hard)} ${unitOf(unit)}</li>`;
  return html`<ul>${outcome.hits.filter((/** @type {any} */ hit) => hit.limit).slice(0, 3).map(line)}</ul>`;
}

/** What became of the last order. */
function Sent() {
  orders.version.value;
  if (!sent.value) return null;
  const { asked, answer } = sent.value;
  const what = `${SIDES[/** @type {keyof typeof SIDES} */ (asked.side)].verb} ${plain(asked.qty)} ${asked.symbol}`;
  if (!answer.ok) {
    const { outcome } = answer.body ?? {};
    return html`<div class="sent bad" role="status" data-testid="sent">✕ ${what} was refused: ${outcome?.code ? words(outcome) : problem(answer)}<${Hits} outcome=${outcome} /></div>`;
  }
  const id = answer.body.order_id;
  // Closed orders leave the table after a while; what became of this one stays.
  const row = (sent.value.row = orders.get(id)?.row ?? sent.value.row);
  const state = row?.[orders.at.state] ?? answer.body.state ?? "ACCEPTED";
  const filled = row ? `, filled ${plain(row[orders.at.cum])} of ${plain(row[orders.at.qty])}` : "";
  const isDone = row && isClosed(state);
  return html`<div class="sent ok" role="status" data-testid="sent">✓ ${what}: order ${id} ${isDone ? "is" : "taken,"} ${state.replace("_", " ")}${filled}</div>`;
}

/** Accounts that the user sees: those with a profit row, in order. */
function accounts() {
  const { group, name } = pnl.at;
  const found = new Set();
  for (const { row } of pnl.all()) if (row[group] === "ACCOUNT") found.add(row[name]);
  return [...found].sort();
}

function Lists() {
  pnl.version.value;
  market.version.value;
  const symbols = [...market.all()].map((entry) => entry.key).sort();
  return html`<datalist id="accounts">${accounts().map((name) => html`<option value=${name} />`)}</datalist>
    <datalist id="symbols">${symbols.map((name) => html`<option value=${name} />`)}</datalist>`;
}

function Sides() {
  const { side } = draft.value;
  const button = (/** @type {keyof typeof SIDES} */ name) => html`<button type="button" class=${`side ${name === "BUY" ? "buy" : "sell"}`}
    aria-pressed=${side === name ? "true" : "false"} onClick=${() => set("side", name)}>${SIDES[name].sign} ${SIDES[name].verb} <kbd>${SIDES[name].key}</kbd></button>`;
  return html`<div class="sides" role="group" aria-label="Side">${button("BUY")}${button("SELL")}${button("SELL_SHORT")}</div>`;
}

function Send() {
  const asked = order.value;
  const isLive = status.value.phase === "live";
  const { side, type, qty, symbol, px } = draft.value;
  const at = WITH_PRICE.has(type) ? ` @ ${px ? plain(px) : NONE}` : "";
  const label = asked ? `${SIDES[/** @type {keyof typeof SIDES} */ (side)].verb} ${plain(qty)} ${symbol}${at}` : "Incomplete";
  const wouldFail = verdict.value?.ok && verdict.value.body.passes === false;
  return html`<button type="submit" class=${`send ${side === "BUY" ? "buy" : "sell"}${wouldFail ? " doubtful" : ""}`} disabled=${!asked || isSending.value || !isLive} data-testid="send">
    ${isSending.value ? "Sending …" : `${label}${wouldFail ? " (would be refused)" : ""}`}</button>`;
}

export function Ticket() {
  const { side, type } = draft.value;
  if (!may("TRADE")) return html`<${Panel} id="ticket" title="Order ticket"><p class="empty">Your role may look, but not trade.</p></${Panel}>`;
  return html`<${Panel} id="ticket" title="Order ticket">
    <form class="ticket" onSubmit=${submit} autocomplete="off">
      <${Lists} />
      <${Sides} />
      <div class="fields">
        <${Field} id="ticket-account" label="Account" name="account" list="accounts" />
        <${Field} id="ticket-symbol" label="Symbol" name="symbol" list="symbols" />
        <${Field} id="ticket-qty" label="Quantity" name="qty" decimal />
        ${WITH_PRICE.has(type) ? html`<${Field} id="ticket-px" label="Price" name="px" decimal />` : null}
        ${WITH_STOP.has(type) ? html`<${Field} id="ticket-stop" label="Stop price" name="stop_px" decimal />` : null}
        <${Choice} id="ticket-type" label="Type" name="type" of=${TYPES} />
        <${Choice} id="ticket-tif" label="In force" name="tif" of=${TIFS} />
      </div>
      ${side === "SELL_SHORT" ? html`<${Located} />` : null}
      <${Quote} />
      <${Verdict} />
      <${Send} />
      <${Sent} />
    </form>
  </${Panel}>`;
}
