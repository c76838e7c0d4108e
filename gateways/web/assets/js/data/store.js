/**
 * What the page knows: the channels of the feed as tables, the state of the connection, and figures over time.
 *
 * One place starts and stops the feed; panels read from here and never speak to the socket.
 */

import { computed, signal } from "@preact/signals";
import { Feed } from "../net/socket.js";
import { leave, onRenewed, renew, session } from "../net/session.js";
import { near, parse } from "./decimal.js";
import { second } from "./frames.js";
import { Series } from "./series.js";
import { Events, Table } from "./table.js";

const EVENTS_KEPT = 10_000;
const POINTS_KEPT = 4 * 3_600;
/** Frames a second of what a trader looks at: with the browser's picture a fill is seen within a tenth of a second. */
const FAST_HZ = 20;
/** A page that was hidden for less keeps its channels. */
const HIDDEN_GRACE_MS = 5_000;

export const positions = new Table();
export const pnl = new Table();
export const orders = new Table();
export const limits = new Table();
export const alerts = new Table();
export const market = new Table();
export const latency = new Table();
export const health = new Table();
export const settlement = new Table();
export const trades = new Events(EVENTS_KEPT);
export const rejects = new Events(EVENTS_KEPT);

/** "connecting", "live" or "offline"; and when the next try is, on the page's clock. */
export const status = signal({ phase: "offline", retryAt: 0 });
/** What the server said of itself. @type {import("@preact/signals").Signal<any>} */
export const welcome = signal(null);
/** Server time less the page's, in milliseconds: the largest seen lately, that of the quickest message. */
export const skewMs = signal(0);
/** Milliseconds since the server was heard; Infinity before it ever was. */
export const ageMs = signal(Infinity);
/** From here on figures are old. */
export const OLD_MS = 3_000;
/** True where what is seen may not be what is. */
export const isOld = computed(() => ageMs.value >= OLD_MS);
/** Gaps mended and connections made anew, since the page was opened. */
export const faults = signal({ gaps: 0, reconnects: 0 });

/** Total, realised, unrealised profit, drawdown from the highest total, and fees below zero, each second. */
export const pnlSeries = new Series(5, POINTS_KEPT);
/** p50, p99 and p99.9 of the pipeline in microseconds, and events a second. */
export const latencySeries = new Series(4, POINTS_KEPT);

let peak = -Infinity;
let feedSkew = -Infinity;

const feed = new Feed({
  open: () => new WebSocket(new URL("/ws", location.href.replace(/^http/, "ws"))),
  token: async (isStale) => (isStale ? renew() : (session.value?.access ?? null)),
  onStatus: (next) => (status.value = next),
  onWelcome: (result) => (welcome.value = result),
  onHeard: (ts) => {
    if (ts) feedSkew = Math.max(feedSkew, Date.parse(ts) - Date.now());
  },
  onGone: leave,
});

/** @param {string} channel @param {Table} table @param {number} hz @param {boolean} [background] */
function state(channel, table, hz, background) {
  feed.subscribe(channel, "state", { hz }, (frame) => table.apply(frame), background);
}

/** @param {string} channel @param {Events} events */
function events(channel, events) {
  feed.subscribe(channel, "event", { hz: FAST_HZ }, (frame) => events.apply(frame), true);
}

state("positions", positions, FAST_HZ);
state("pnl", pnl, 5);
state("orders", orders, FAST_HZ);
state("limits", limits, 4);
state("alerts", alerts, 5, true);
state("market", market, FAST_HZ);
state("latency", latency, 4);
state("health", health, 4);
state("settlement", settlement, 4);
events("trades", trades);
events("rejects", rejects);

onRenewed((token) => feed.authenticate(token));

/** Starts with the login, stops with its end. */
export function followSession() {
  session.subscribe((current) => {
    if (current && !feed.isWanted) feed.start();
    if (!current && feed.isWanted) feed.stop();
  });
  let timer = 0;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(timer);
    if (document.hidden) timer = setTimeout(() => feed.pause(), HIDDEN_GRACE_MS);
    else feed.resume();
  });
  addEventListener("online", () => feed.hurry());
  setInterval(measureAge, 250);
  second.subscribe(sample);
}

/** The next try now, for a person who does not want to wait. */
export const hurry = () => feed.hurry();

function measureAge() {
  if (document.hidden) return;
  ageMs.value = feed.heardAt ? performance.now() - feed.heardAt : Infinity;
}

/** The rows that stand for all that the user sees: the firm's, or his accounts'. */
export function wholeRows() {
  const { group } = pnl.at;
  const rows = [...pnl.all()].map((entry) => entry.row);
  const firm = rows.filter((row) => row[group] === "FIRM");
  return firm.length ? firm : rows.filter((row) => row[group] === "ACCOUNT");
}

function sample() {
  faults.value = { gaps: feed.gaps, reconnects: Math.max(0, feed.reconnects) };
  if (feedSkew > -Infinity) skewMs.value = feedSkew;
  // The largest of the last seconds: a clock that is set back is followed.
  feedSkew -= 1;
  if (status.value.phase !== "live") return;
  const seconds = Math.floor(Date.now() / 1_000);
  samplePnl(seconds);
  sampleLatency(seconds);
}

/** @param {number} seconds */
function samplePnl(seconds) {
  const rows = wholeRows();
  if (!rows.length) return;
  const { total_base: base, total, realised, unrealised, fees } = pnl.at;
  const value = (/** @type {any[]} */ row, /** @type {number} */ column) => near(parse(row[column]) ?? 0n);
  // For the picture, the parts of a row are put into base currency as its total was.
  const rate = (/** @type {any[]} */ row) => (row[base] === null || !value(row, total) ? 1 : value(row, base) / value(row, total));
  const add = (/** @type {number} */ column) => rows.reduce((sum, row) => sum + value(row, column) * rate(row), 0);
  const all = add(total);
  peak = Math.max(peak, all);
  pnlSeries.push(seconds, [all, add(realised), add(unrealised), all - peak, -add(fees)]);
}

/** Takes profit of the past; the drawdown is that of all that is shown. @param {{ seconds: number, values: (number | null)[] }[]} points */
export function takePast(points) {
  pnlSeries.merge(points);
  peak = -Infinity;
  const [, totals, , , drawdown] = pnlSeries.columns;
  totals.forEach((total, index) => {
    peak = Math.max(peak, total ?? -Infinity);
    drawdown[index] = total === null ? null : total - peak;
  });
}

/** @param {number} seconds */
function sampleLatency(seconds) {
  const row = latency.get("pipeline")?.row;
  if (!row) return;
  const micros = (/** @type {string} */ name) => (row[latency.at[name]] === null ? null : row[latency.at[name]] / 1_000);
  latencySeries.push(seconds, [micros("p50_ns"), micros("p99_ns"), micros("p999_ns"), row[latency.at.events_per_s]]);
}
