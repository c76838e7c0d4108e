/** The frame of a panel: a titled region of the page. */

import { html } from "../html.js";

/**
 * @param {object} props
 * @param {string} props.id also the class, for its place in the layout
 * @param {string} props.title
 * @param {any} [props.tools] beside the title
 * @param {any} props.children
 */
export function Panel({ id, title, tools, children }) {
  return html`<section id=${id} class=${`panel panel-${id}`} aria-label=${title}>
    <header class="panel-head"><h2>${title}</h2>${tools}</header>
    <div class="panel-body">${children}</div>
  </section>`;
}

/**
 * Tabs in place of a title.
 * @param {object} props
 * @param {string} props.id
 * @param {{ id: string, label: string, badge?: string }[]} props.tabs
 * @param {string} props.active
 * @param {(id: string) => void} props.onSelect
 * @param {any} [props.tools]
 * @param {any} props.children
 */
export function TabPanel({ id, tabs, active, onSelect, tools, children }) {
  const key = (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    const at = tabs.findIndex((tab) => tab.id === active);
    const next = tabs[(at + step + tabs.length) % tabs.length].id;
    onSelect(next);
    document.getElementById(`${id}-tab-${next}`)?.focus();
  };
  const tab = (/** @type {{ id: string, label: string, badge?: string }} */ { id: name, label, badge }) => html`<button
    type="button" role="tab" class="tab" id=${`${id}-tab-${name}`} aria-selected=${name === active ? "true" : "false"}
    aria-controls=${`${id}-body`} tabindex=${name === active ? 0 : -1} onClick=${() => onSelect(name)}
    >${label}${badge ? html`<span class="badge">${badge}</span>` : null}</button>`;
  return html`<section id=${id} class=${`panel panel-${id}`} aria-label=${tabs.find((one) => one.id === active)?.label}>
    <header class="panel-head"><div class="tabs" role="tablist" onKeyDown=${key}>${tabs.map(tab)}</div>${tools}</header>
    <div class="panel-body" role="tabpanel" id=${`${id}-body`} aria-labelledby=${`${id}-tab-${active}`}>${children}</div>
  </section>`;
}
