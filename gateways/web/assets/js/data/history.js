/**
 * Profit from before the page was opened, or while nobody looked at it: the server keeps the last hours, and they are asked for whenever
 * a connection stands.
 */

import { get } from "../net/api.js";
import { near, parse } from "./decimal.js";
import { skewMs, status, takePast } from "./store.js";

/** A server that has just started reads its journal first, and says so. */
const AGAIN_MS = 5_000;
const TRIES_MAX = 12;
const NOT_YET = 503;

/** @param {number} tries */
async function ask(tries) {
  if (status.peek().phase !== "live") return;
  const answer = await get("/pnl/history");
  if (!answer.ok) {
    if (answer.status === NOT_YET && tries < TRIES_MAX) setTimeout(() => ask(tries + 1), AGAIN_MS);
    return;
  }
  const figure = (/** @type {string} */ text) => near(parse(text) ?? 0n);
  const point = (/** @type {any} */ { time, total, realised, unrealised, fees }) => ({
    seconds: (Date.parse(time) - skewMs.peek()) / 1_000,
    values: [figure(total), figure(realised), figure(unrealised), null, -figure(fees)],
  });
  takePast(answer.body.data.map(point));
}

/** To be called once. */
export function followHistory() {
  let wasLive = false;
  status.subscribe(({ phase }) => {
    const isLive = phase === "live";
    if (isLive && !wasLive) ask(0);
    wasLive = isLive;
  });
}
