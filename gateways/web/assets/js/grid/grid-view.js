/** A grid as a component: made once, painted by itself, gone with its place in the page. */

import { useEffect, useRef } from "preact/hooks";
import { html } from "../html.js";
import { Grid } from "./grid.js";

/**
 * @param {object} props
 * @param {import("./view.js").View} props.view kept by the caller, so that sort and filter outlive a change of the panel
 * @param {string} props.label
 * @param {string} props.empty said where there is no row
 * @param {string} [props.stamp] changes where filter or sort were changed from outside
 * @param {(entry: import("../data/table.js").Entry) => void} [props.onOpen]
 * @param {() => (string | { text: string, tone: string })[][]} [props.totals]
 */
export function GridView({ view, label, empty, stamp, onOpen, totals }) {
  const host = useRef(/** @type {HTMLElement | null} */ (null));
  const grid = useRef(/** @type {Grid | null} */ (null));
  useEffect(() => {
    grid.current = new Grid(/** @type {HTMLElement} */ (host.current), view, { label, empty, onOpen, totals });
    return () => grid.current?.destroy();
  }, [view]);
  useEffect(() => grid.current?.repaint(), [stamp]);
  return html`<div class="grid-host" ref=${host}></div>`;
}
