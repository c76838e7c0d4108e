/** Which part of the page is seen: kept in the address, so that a reload and a bookmark lead back. */

import { signal } from "@preact/signals";

export const VIEWS = Object.freeze([
  { id: "desk", label: "Desk", key: "1" },
  { id: "risk", label: "Risk", key: "2" },
  { id: "operations", label: "Operations", key: "3" },
]);

/** @returns {string} */
function fromAddress() {
  const id = location.hash.slice(1);
  return VIEWS.some((one) => one.id === id) ? id : "desk";
}

export const view = signal(fromAddress());

addEventListener("hashchange", () => (view.value = fromAddress()));
view.subscribe((id) => {
  if (fromAddress() !== id) location.hash = id;
});
