/**
 * When the page paints: at most once a display frame, only what asked for it, and not at all while nobody looks.
 *
 * The browser calls no animation frame for a hidden page, so what is asked for meanwhile waits as one entry and is painted when
 * somebody looks again.
 */

import { signal } from "@preact/signals";

/** @type {Set<() => void>} */
const waiting = new Set();
let isAsked = false;

function paint() {
  isAsked = false;
  const now = [...waiting];
  waiting.clear();
  for (const painter of now) painter();
}

/**
 * Runs the painter once, before the next picture.
 * @param {() => void} painter
 */
export function onNextFrame(painter) {
  waiting.add(painter);
  if (isAsked) return;
  isAsked = true;
  requestAnimationFrame(paint);
}

/**
 * A painter that runs at most so often, and always after the last call; `cancel` forgets what was asked for.
 * @param {number} everyMs
 * @param {() => void} painter
 */
export function atMostEvery(everyMs, painter) {
  let last = -Infinity;
  let timer = 0;
  const run = () => {
    timer = 0;
    last = performance.now();
    onNextFrame(painter);
  };
  const ask = () => {
    if (timer) return;
    const left = last + everyMs - performance.now();
    if (left > 0) timer = setTimeout(run, left);
    else run();
  };
  ask.cancel = () => {
    clearTimeout(timer);
    waiting.delete(painter);
  };
  return ask;
}

/** The page's clock in milliseconds since 1970, once a second: for ages and count-downs. */
export const second = signal(Date.now());
setInterval(() => {
  if (!document.hidden) second.value = Date.now();
}, 1_000);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) second.value = Date.now();
});
