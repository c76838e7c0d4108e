/**
 * Which incidents ask for a person at this screen: those that are open and not snoozed here, and a sound where a new one comes.
 *
 * Snoozing is this browser's alone: the incident stays open for everybody else and escalates as before. It ends after a quarter of an
 * hour, and at once when the incident gets worse. What is CRITICAL cannot be snoozed.
 */

import { computed, effect, signal } from "@preact/signals";
import { second } from "./frames.js";
import { alerts } from "./store.js";

const SNOOZE_MS = 15 * 60_000;
const SNOOZED_KEY = "tradewind.snoozed";
const SOUND_KEY = "tradewind.sound";
/** Between two sounds at least: many incidents at once are one sound. */
const QUIET_MS = 5_000;
export const SEVERITIES = ["INFO", "WARNING", "ERROR", "CRITICAL"];
/** From this severity on it is heard. */
const HEARD = SEVERITIES.indexOf("ERROR");

/** @typedef {{ until: number, level: number, severity: string }} Snooze */

/** @returns {Map<number, Snooze>} */
function remembered() {
  try {
    return new Map(JSON.parse(localStorage.getItem(SNOOZED_KEY) ?? "[]"));
  } catch {
    return new Map();
  }
}

const snoozes = signal(remembered());

/** @param {Map<number, Snooze>} next */
function keep(next) {
  snoozes.value = next;
  localStorage.setItem(SNOOZED_KEY, JSON.stringify([...next]));
}

/** @param {any[]} row of an incident */
export const maySnooze = (row) => row[alerts.at.severity] !== "CRITICAL";

/** @param {any[]} row of an incident */
export function snooze(row) {
  const { id, level, severity } = alerts.at;
  const now = Date.now();
  const next = new Map([...snoozes.value].filter(([, held]) => held.until > now));
  keep(next.set(row[id], { until: now + SNOOZE_MS, level: row[level], severity: row[severity] }));
}

/** @param {number} id */
export function wake(id) {
  const next = new Map(snoozes.value);
  next.delete(id);
  keep(next);
}

/** @param {any[]} row of an incident @param {number} now the page's clock */
function isSnoozed(row, now) {
  const { id, level, severity } = alerts.at;
  const held = snoozes.value.get(row[id]);
  return held !== undefined && held.until > now && row[level] <= held.level && row[severity] === held.severity;
}

/** Open incidents: those that wait for a person, and those that are snoozed here. */
export const open = computed(() => {
  alerts.version.value;
  const now = second.value;
  const { state } = alerts.at;
  const found = { waiting: /** @type {any[][]} */ ([]), snoozed: /** @type {any[][]} */ ([]) };
  for (const { row } of alerts.all()) {
    if (row[state] === "OPEN") (isSnoozed(row, now) ? found.snoozed : found.waiting).push(row);
  }
  return found;
});

export const waitingCount = computed(() => open.value.waiting.length);

/** Whether incidents are heard. */
export const hasSound = signal(localStorage.getItem(SOUND_KEY) === "on");
/** @type {AudioContext | undefined} */
let audio;

export function toggleSound() {
  hasSound.value = !hasSound.value;
  localStorage.setItem(SOUND_KEY, hasSound.value ? "on" : "off");
  if (hasSound.value) play(false);
}

/** Two short tones; for what is critical three that rise. Browsers let a page be heard once somebody has pressed something on it. */
function play(isCritical) {
  audio ??= new AudioContext();
  if (audio.state === "suspended") audio.resume();
  const tones = isCritical ? [660, 880, 1_100] : [660, 520];
  tones.forEach((hertz, index) => {
    const context = /** @type {AudioContext} */ (audio);
    const [tone, volume] = [context.createOscillator(), context.createGain()];
    const at = context.currentTime + index * 0.16;
    tone.frequency.value = hertz;
    volume.gain.setValueAtTime(0.0001, at);
    volume.gain.exponentialRampToValueAtTime(0.2, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + 0.15);
    tone.connect(volume).connect(context.destination);
    tone.start(at);
    tone.stop(at + 0.16);
  });
}

/** Incidents that this page has seen, with their level: a new one and one that escalates are heard. @type {Map<number, number> | null} */
let heard = null;
let heardAt = -Infinity;
/** How often there was something to hear, for tests. */
export const heardCount = signal(0);

/** Watches for new incidents. To be called once. */
export function watchAlerts() {
  effect(() => {
    const { waiting } = open.value;
    if (!alerts.isLoaded.value) {
      heard = null;
      return;
    }
    const { id, level, severity } = alerts.at;
    const before = heard;
    heard = new Map(waiting.map((row) => [row[id], row[level]]));
    // What was there when the page was opened is seen, and not heard.
    if (!before) return;
    const news = waiting.filter((row) => SEVERITIES.indexOf(row[severity]) >= HEARD && row[level] > (before.get(row[id]) ?? 0));
    if (!news.length || performance.now() - heardAt < QUIET_MS) return;
    heardAt = performance.now();
    heardCount.value = heardCount.peek() + 1;
    if (hasSound.peek()) play(news.some((row) => row[severity] === "CRITICAL"));
  });
}
