/** A modal dialog: the browser's own `<dialog>`, which keeps the focus inside and closes on Escape. */

import { useEffect, useRef } from "preact/hooks";
import { html } from "../html.js";

/**
 * @param {object} props
 * @param {string} props.title
 * @param {() => void} props.onClose
 * @param {string} [props.tone] class
 * @param {any} props.children
 */
export function Dialog({ title, onClose, tone = "", children }) {
  const node = useRef(/** @type {HTMLDialogElement | null} */ (null));
  useEffect(() => {
    const before = document.activeElement;
    node.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return html`<dialog class=${`dialog ${tone}`} ref=${node} aria-label=${title} onClose=${onClose}>
    <header class="dialog-head">
      <h2>${title}</h2>
      <button type="button" class="quiet" aria-label="Close" onClick=${() => node.current?.close()}>✕</button>
    </header>
    ${children}
  </dialog>`;
}
