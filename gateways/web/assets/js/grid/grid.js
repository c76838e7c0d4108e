/**
 * A grid of pooled rows: as many row elements as fit on the screen, moved and filled anew while one scrolls or rows change.
 *
 * Invariants:
 * - A change of rows costs work for the rows that are seen, whatever the number of rows.
 * - An element is written only where its text or class differs from what it has.
 * - No row moves under the pointer: while it is over the rows they keep their places, and only their cells change. Who presses a button
 *   presses that of the row which he sees.
 * - Everything can be done by keyboard: arrows, Page Up/Down, Home, End, Enter; the row above the first is the head, where Enter sorts.
 *
 * Deliberately absent: editing cells, resizing and moving columns.
 */

import { onNextFrame } from "../data/frames.js";

/**
 * @typedef {import("./view.js").View} View
 * @typedef {import("./view.js").Column} Column
 * @typedef {{ element: HTMLElement, text: string, tone: string, order?: number | string | null }} Cell
 * @typedef {{ element: HTMLElement, cells: Cell[], key: string, index: number }} Slot
 */

const ROW_PX = 24;
const SPARE_ROWS = 4;
const FLASH_MS = 300;
let grids = 0;

export class Grid {
  /**
   * @param {HTMLElement} host
   * @param {View} view
   * @param {object} options
   * @param {string} options.label name of the grid, for screen readers and tests
   * @param {string} options.empty said where there is no row
   * @param {(entry: import("../data/table.js").Entry) => void} [options.onOpen] Enter or click on a row
   * @param {() => (string | { text: string, tone: string })[][]} [options.totals] rows under the others
   */
  constructor(host, view, options) {
    this.view = view;
    this.options = options;
    this.name = `grid${(grids += 1)}`;
    /** The active cell. `key` is that of its row, which it follows when rows move; empty in the head. */
    this.active = { row: 0, column: 0, key: "" };
    /** @type {Slot[]} */
    this.slots = [];
    /** @type {Map<Cell, number>} cells that flash, and until when */
    this.flashing = new Map();
    this.sweeper = 0;
    this.isHeld = false;
    this.painter = () => this.#paint();
    this.#build(host);
    this.unlisten = view.source.onChange(() => this.repaint());
    this.observer = new ResizeObserver(() => this.repaint());
    this.observer.observe(this.root);
    this.repaint();
  }

  destroy() {
    this.unlisten();
    this.observer.disconnect();
    clearTimeout(this.later);
    clearTimeout(this.sweeper);
    this.root.remove();
  }

  repaint() {
    onNextFrame(this.painter);
  }

  /** @param {HTMLElement} host */
  #build(host) {
    this.root = element("div", "grid", { role: "grid", tabindex: "0", "aria-label": this.options.label });
    this.root.dataset.empty = this.options.empty;
    const widths = this.view.columns.map((column) => column.width);
    const tracks = widths.map(([least, share]) => (share ? `minmax(${least}px, ${share}fr)` : `${least}px`));
    this.root.style.setProperty("--columns", tracks.join(" "));
    this.root.style.setProperty("--least", `${widths.reduce((sum, [least]) => sum + least, 0)}px`);
    this.head = element("div", "grid-row grid-head", { role: "row", "aria-rowindex": "1" });
    this.heads = this.view.columns.map((column) => this.#headCell(column));
    this.head.append(...this.heads);
    this.body = element("div", "grid-body", { role: "rowgroup" });
    this.foot = element("div", "grid-foot", { role: "rowgroup" });
    this.root.append(this.head, this.body, this.foot);
    this.root.addEventListener("scroll", this.painter, { passive: true });
    this.root.addEventListener("keydown", (event) => this.#key(event));
    this.root.addEventListener("focus", () => this.repaint());
    this.body.addEventListener("pointerenter", () => this.#hold(true));
    this.body.addEventListener("pointerleave", () => this.#hold(false));
    this.body.addEventListener("click", (event) => this.#click(event));
    host.append(this.root);
  }

  /** @param {boolean} isHeld */
  #hold(isHeld) {
    this.isHeld = isHeld;
    this.root.classList.toggle("is-held", isHeld);
    this.repaint();
  }

  /** @param {Column} column */
  #headCell(column) {
    const cell = element("div", `grid-cell ${column.align ?? "text"}`, { role: "columnheader", "data-column": column.id });
    if (column.title) cell.title = column.title;
    cell.append(element("span", "grid-label", {}, column.label), element("span", "grid-sort", { "aria-hidden": "true" }));
    cell.addEventListener("click", () => this.#sort(column.id));
    return cell;
  }

  /** @param {string} id */
  #sort(id) {
    this.view.sort(id);
    this.repaint();
  }

  #paint() {
    const moved = this.view.refresh(this.isHeld);
    if (moved) this.#paintFrame();
    else if (this.view.isBehind && !this.later) {
      this.later = setTimeout(() => {
        this.later = 0;
        this.repaint();
      }, 250);
    }
    this.#paintRows();
    this.#paintTotals();
  }

  /** What depends on how many rows there are and how they are sorted. */
  #paintFrame() {
    const { entries, sortBy, down } = this.view;
    this.body.style.height = `${entries.length * ROW_PX}px`;
    this.root.setAttribute("aria-rowcount", String(entries.length + 1));
    this.root.classList.toggle("is-empty", entries.length === 0);
    this.heads.forEach((cell, index) => {
      const isBy = this.view.columns[index].id === sortBy;
      cell.setAttribute("aria-sort", isBy ? (down ? "descending" : "ascending") : "none");
      write(/** @type {HTMLElement} */ (cell.lastChild), isBy ? (down ? "▼" : "▲") : "");
    });
    const followed = this.active.key ? entries.findIndex((entry) => entry.key === this.active.key) : -1;
    this.active.row = followed >= 0 ? followed : Math.min(this.active.row, Math.max(0, entries.length - 1));
  }

  #paintRows() {
    const { entries } = this.view;
    const first = Math.max(0, Math.floor(this.root.scrollTop / ROW_PX) - SPARE_ROWS);
    const fitting = Math.ceil(this.root.clientHeight / ROW_PX) + 2 * SPARE_ROWS;
    while (this.slots.length < fitting) this.slots.push(this.#newSlot());
    const count = this.slots.length;
    const last = Math.min(entries.length, first + count);
    for (let index = first; index < last; index += 1) this.#fill(this.slots[index % count], index);
    for (const slot of this.slots) {
      if (slot.index < first || slot.index >= last) this.#empty(slot);
    }
    this.#markActive();
  }

  #newSlot() {
    const row = element("div", "grid-row", { role: "row" });
    const cells = this.view.columns.map((column) => {
      const cell = element("div", `grid-cell ${column.align ?? "text"}`, { role: "gridcell", "data-column": column.id });
      row.append(cell);
      return { element: cell, text: "", tone: "" };
    });
    row.hidden = true;
    this.body.append(row);
    return { element: row, cells, key: "", index: -1 };
  }

  /** @param {Slot} slot @param {number} index */
  #fill(slot, index) {
    const { key, row } = this.view.entries[index];
    if (slot.index !== index) {
      slot.index = index;
      slot.element.style.transform = `translateY(${index * ROW_PX}px)`;
      slot.element.setAttribute("aria-rowindex", String(index + 2));
      slot.element.hidden = false;
    }
    const isSame = slot.key === key;
    if (!isSame) {
      slot.key = key;
      slot.element.dataset.key = key.replaceAll("\u0000", "/");
    }
    this.view.columns.forEach((column, at) => this.#fillCell(slot.cells[at], column, row, isSame));
  }

  /** @param {Cell} cell @param {Column} column @param {any[]} row @param {boolean} isSame the row that was there before */
  #fillCell(cell, column, row, isSame) {
    if (column.action) {
      if (!isSame || cell.text !== column.text(row)) cell.element.replaceChildren(...present(column.action(row)));
      cell.text = column.text(row);
      return;
    }
    const text = column.text(row);
    const tone = column.tone?.(row) ?? "";
    if (cell.text !== text) {
      if (isSame && column.flash) this.#flash(cell, column, row);
      else if (!isSame) this.#calm(cell);
      cell.text = text;
      cell.element.textContent = text;
    } else if (!isSame) this.#calm(cell);
    if (cell.tone !== tone) {
      if (cell.tone) cell.element.classList.remove(cell.tone);
      if (tone) cell.element.classList.add(tone);
      cell.tone = tone;
    }
    if (column.flash) cell.order = column.order?.(row);
  }

  /** @param {Cell} cell @param {Column} column @param {any[]} row */
  #flash(cell, column, row) {
    const [now, before] = [column.order?.(row), cell.order];
    if (typeof now !== "number" || typeof before !== "number" || now === before) return;
    this.#calm(cell);
    cell.element.classList.add(now > before ? "flash-up" : "flash-down");
    this.flashing.set(cell, performance.now() + FLASH_MS);
    if (!this.sweeper) this.sweeper = setTimeout(() => this.#sweep(), FLASH_MS);
  }

  /** @param {Cell} cell */
  #calm(cell) {
    if (this.flashing.delete(cell)) cell.element.classList.remove("flash-up", "flash-down");
  }

  #sweep() {
    const now = performance.now();
    for (const [cell, until] of this.flashing) if (until <= now + 8) this.#calm(cell);
    this.sweeper = this.flashing.size ? setTimeout(() => this.#sweep(), 100) : 0;
  }

  /** @param {Slot} slot */
  #empty(slot) {
    if (slot.index === -1) return;
    slot.index = -1;
    slot.key = "";
    slot.element.hidden = true;
  }

  #paintTotals() {
    const rows = this.options.totals?.() ?? [];
    while (this.foot.childElementCount < rows.length) this.foot.append(this.#footRow());
    while (this.foot.childElementCount > rows.length) this.foot.lastElementChild?.remove();
    rows.forEach((row, index) => {
      row.forEach((value, at) => {
        const cell = /** @type {HTMLElement} */ (this.foot.children[index].children[at]);
        const { text, tone } = typeof value === "string" ? { text: value, tone: "" } : value;
        write(cell, text);
        const wanted = `grid-cell ${this.view.columns[at].align ?? "text"} ${tone}`;
        if (cell.className !== wanted) cell.className = wanted;
      });
    });
  }

  #footRow() {
    const row = element("div", "grid-row", { role: "row" });
    row.append(...this.view.columns.map(() => element("div", "grid-cell", { role: "gridcell" })));
    return row;
  }

  #markActive() {
    const isFocused = document.activeElement === this.root;
    let id = "";
    const mark = (/** @type {HTMLElement} */ cell, /** @type {boolean} */ isActive) => {
      cell.classList.toggle("is-active", isActive);
      if (isActive) id = cell.id ||= `${this.name}-${Math.random().toString(36).slice(2)}`;
    };
    this.heads.forEach((cell, at) => mark(cell, isFocused && this.active.row === -1 && at === this.active.column));
    for (const slot of this.slots) {
      const isRow = slot.index === this.active.row && slot.index >= 0;
      slot.element.classList.toggle("is-active-row", isFocused && isRow);
      slot.cells.forEach((cell, at) => mark(cell.element, isFocused && isRow && at === this.active.column));
    }
    if (id) this.root.setAttribute("aria-activedescendant", id);
    else this.root.removeAttribute("aria-activedescendant");
  }

  /** @param {MouseEvent} event */
  #click(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (target.closest("button")) return;
    const slot = this.slots.find((candidate) => candidate.element.contains(target));
    if (!slot || slot.index < 0) return;
    const column = slot.cells.findIndex((cell) => cell.element.contains(target));
    this.active = { row: slot.index, column: Math.max(0, column), key: slot.key };
    this.repaint();
    this.options.onOpen?.(this.view.entries[slot.index]);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.target !== this.root || event.ctrlKey || event.altKey || event.metaKey) return;
    const page = Math.max(1, Math.floor(this.root.clientHeight / ROW_PX) - 2);
    const last = this.view.entries.length - 1;
    const { row, column } = this.active;
    const to = {
      ArrowUp: [row - 1, column],
      ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1],
      ArrowRight: [row, column + 1],
      PageUp: [Math.max(0, row - page), column],
      PageDown: [row + page, column],
      Home: [0, column],
      End: [last, column],
    }[event.key];
    if (to) {
      const at = Math.max(-1, Math.min(last, to[0]));
      const column = Math.max(0, Math.min(this.view.columns.length - 1, to[1]));
      this.active = { row: at, column, key: this.view.entries[at]?.key ?? "" };
      this.#reveal();
    } else if (event.key === "Enter") this.#enter();
    else return;
    event.preventDefault();
    event.stopPropagation();
    this.repaint();
  }

  #enter() {
    const { row, column } = this.active;
    if (row === -1) return this.#sort(this.view.columns[column].id);
    const slot = this.slots.find((candidate) => candidate.index === row);
    const button = slot?.cells[column].element.querySelector("button");
    if (button) button.click();
    else if (this.view.entries[row]) this.options.onOpen?.(this.view.entries[row]);
  }

  #reveal() {
    const top = this.active.row * ROW_PX;
    const room = this.root.clientHeight - ROW_PX - this.foot.clientHeight;
    if (top < this.root.scrollTop) this.root.scrollTop = Math.max(0, top);
    else if (top + ROW_PX > this.root.scrollTop + room) this.root.scrollTop = top + ROW_PX - room;
  }
}

/** @param {Node | null} node */
function present(node) {
  return node ? [node] : [];
}

/** @param {HTMLElement} node @param {string} text */
function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/**
 * @param {string} tag
 * @param {string} className
 * @param {Record<string, string>} [attributes]
 * @param {string} [text]
 */
function element(tag, className, attributes = {}, text = "") {
  const node = document.createElement(tag);
  node.className = className;
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text) node.textContent = text;
  return node;
}
