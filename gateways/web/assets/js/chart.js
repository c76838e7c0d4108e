/**
 * Charts of figures over time (uPlot): a component that follows a `Series`, the theme and the size of its place.
 *
 * Lines differ by dash as well as by colour. Painted at most four times a second, and not at all while nobody looks.
 */

import { useEffect, useRef } from "preact/hooks";
import { atMostEvery } from "./data/frames.js";
import { clock } from "./data/format.js";
import { html } from "./html.js";
import { theme } from "./shell/theme.js";

/** The global of the vendored script. @type {any} */
const uPlot = globalThis.uPlot;
const PAINT_MS = 250;

/**
 * @typedef {object} Line
 * @property {string} label
 * @property {string} colour a custom property of the theme
 * @property {number} column of the series
 * @property {number[]} [dash]
 * @property {boolean} [fill] the area to zero
 */

/** @param {string} name */
function themed(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** @param {Line[]} lines @param {(value: number) => string} format */
function series(lines, format) {
  const line = (/** @type {Line} */ { label, colour, dash, fill }) => ({
    label,
    stroke: themed(colour),
    width: 1.5,
    dash,
    fill: fill ? `${themed(colour)}26` : undefined,
    points: { show: false },
    value: (/** @type {any} */ _, /** @type {number | null} */ value) => (value === null ? "–" : format(value)),
  });
  const time = (/** @type {any} */ _, /** @type {number | null} */ seconds) =>
    seconds === null ? "" : clock(seconds * 1_000, false);
  return [{ label: "UTC", value: time }, ...lines.map(line)];
}

/** @param {(value: number) => string} format @param {boolean} isLog */
function axes(format, isLog) {
  const common = {
    stroke: themed("--text-muted"),
    grid: { stroke: themed("--line"), width: 1 },
    ticks: { show: false },
    font: `11px ${themed("--font")}`,
  };
  const times = (/** @type {any} */ _, /** @type {number[]} */ splits) => splits.map((at) => clock(at * 1_000, false).slice(0, 8));
  const values = (/** @type {any} */ _, /** @type {(number | null)[]} */ splits) =>
    splits.map((at) => (at === null ? "" : format(at)));
  return [
    { ...common, values: times, space: 80, size: 24 },
    { ...common, values, size: 58, side: 1, space: isLog ? 24 : 32 },
  ];
}

/**
 * @param {object} props
 * @param {import("./data/series.js").Series} props.series
 * @param {Line[]} props.lines
 * @param {(value: number) => string} props.format
 * @param {number} props.seconds how far back
 * @param {string} props.label for screen readers
 * @param {boolean} [props.isLog] logarithmic scale; figures are above zero
 */
export function Chart({ series: source, lines, format, seconds, label, isLog = false }) {
  const host = useRef(/** @type {HTMLElement | null} */ (null));
  const isDark = theme.value;
  useEffect(() => {
    const place = /** @type {HTMLElement} */ (host.current);
    const legend = () => place.querySelector(".u-legend")?.clientHeight ?? 26;
    const size = () => ({ width: Math.max(80, place.clientWidth), height: Math.max(60, place.clientHeight - legend()) });
    const data = () => {
      const columns = source.last(seconds);
      return [columns[0], ...lines.map((line) => columns[line.column])];
    };
    const options = {
      ...size(),
      series: series(lines, format),
      axes: axes(format, isLog),
      scales: { x: { time: true }, y: isLog ? { distr: 3 } : { range: padded } },
      cursor: { y: false, drag: { x: false, y: false } },
      legend: { live: true },
      padding: [8, 0, 0, 22],
    };
    const plot = new uPlot(options, data(), place);
    const paint = atMostEvery(PAINT_MS, () => {
      plot.setData(data());
      // Where nobody points at a time, the legend says what is now.
      if (!(plot.cursor.left >= 0)) plot.setLegend({ idx: plot.data[0].length - 1 });
      // Longer figures may need another line of the legend.
      if (plot.height !== size().height) plot.setSize(size());
    });
    paint();
    const unlisten = source.onChange(paint);
    const observer = new ResizeObserver(() => plot.setSize(size()));
    observer.observe(place);
    return () => {
      paint.cancel();
      unlisten();
      observer.disconnect();
      plot.destroy();
    };
  }, [source, seconds, isDark, isLog]);
  return html`<div class="chart" role="img" aria-label=${label} ref=${host}></div>`;
}

/** Some room above and below, also for a line that does not move. @param {any} _ @param {number | null} low @param {number | null} high */
function padded(_, low, high) {
  if (low === null || high === null) return [0, 1];
  const room = Math.max((high - low) * 0.1, Math.abs(high) * 0.001, 0.01);
  return [low - room, high + room];
}
