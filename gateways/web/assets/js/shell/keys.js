/**
 * Keyboard shortcuts: one table, which the list behind `?` shows as well. A key does nothing while one types, and with Ctrl, Alt or
 * Meta it belongs to the browser.
 */

/** @typedef {{ key: string, what: string, run: () => void }} Shortcut */

/** @type {Map<string, Shortcut>} */
const shortcuts = new Map();

/** @param {string} key as in `KeyboardEvent.key` @param {string} what @param {() => void} run */
export function shortcut(key, what, run) {
  shortcuts.set(key, { key, what, run });
}

/** All of them, in the order in which they were made. */
export function allShortcuts() {
  return [...shortcuts.values()];
}

/** @param {EventTarget | null} target */
function isTyping(target) {
  return target instanceof Element && target.closest("input, select, textarea, dialog[open]") !== null;
}

export function listen() {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target)) return;
    if (document.querySelector("dialog[open]")) return;
    const found = shortcuts.get(event.key);
    if (!found) return;
    event.preventDefault();
    found.run();
  });
}

/** Puts the focus on the first element that the selector finds. @param {string} selector */
export function focus(selector) {
  const found = document.querySelector(selector);
  if (found instanceof HTMLElement) found.focus();
}
