/**
 * Which rows a grid shows, and in what order: filter and sort over a `Table` or `Events`.
 *
 * A view is made anew at most twice a second while cells change, and at once when the user asks. Between, rows keep their places and
 * only their cells change: a row does not jump away under the pointer.
 */

/**
 * @typedef {import("../data/table.js").Entry} Entry
 * @typedef {import("../data/table.js").Table} Table
 * @typedef {import("../data/table.js").Events} Events
 *
 * @typedef {object} Column
 * @property {string} id
 * @property {string} label
 * @property {string} [title] says more than the label
 * @property {number[]} width the least, in pixels, and its share of what is left over
 * @property {"text" | "number"} [align]
 * @property {(row: any[]) => string} text
 * @property {(row: any[]) => number | string | null} [order] what is sorted by; without it the text
 * @property {(row: any[]) => string} [tone] class of the cell
 * @property {boolean} [flash] shows that it moved
 * @property {(row: any[]) => Node | null} [action] a button in place of text
 */

const REORDER_MS = 500;

export class View {
  /**
   * @param {Table | Events} source
   * @param {Column[]} columns
   * @param {{ sortBy?: string, down?: boolean }} [options] without `sortBy`: newest first
   */
  constructor(source, columns, options = {}) {
    this.source = source;
    this.columns = columns;
    this.sortBy = options.sortBy ?? "";
    this.down = options.down ?? false;
    /** @type {string[]} */
    this.terms = [];
    /** @type {(row: any[]) => boolean} */
    this.accepts = () => true;
    /** @type {Entry[]} */
    this.entries = [];
    this.shape = -1;
    this.orderedAt = -Infinity;
    this.isForced = true;
  }

  /** Words that must all stand in a row. @param {string} text */
  filter(text) {
    this.terms = text.toLowerCase().split(/\s+/).filter(Boolean);
    this.isForced = true;
  }

  /** @param {(row: any[]) => boolean} accepts */
  only(accepts) {
    this.accepts = accepts;
    this.isForced = true;
  }

  /** By this column; again: the other way; a third time: as it came. @param {string} id */
  sort(id) {
    if (this.sortBy !== id) [this.sortBy, this.down] = [id, this.#isNumber(id)];
    else if (this.down === this.#isNumber(id)) this.down = !this.down;
    else [this.sortBy, this.down] = ["", false];
    this.isForced = true;
  }

  /** @param {string} id */
  #isNumber(id) {
    return this.columns.find((column) => column.id === id)?.align === "number";
  }

  /**
   * Brings the entries up to date where it is time. Returns whether rows moved.
   * @param {boolean} isHeld rows keep their places, unless the user asks for others
   */
  refresh(isHeld) {
    if (isHeld && !this.isForced) return false;
    const isNew = this.shape !== this.source.shape;
    const isDue = performance.now() - this.orderedAt >= REORDER_MS;
    const mayMove = isNew || this.sortBy !== "";
    if (!this.isForced && !(mayMove && isDue)) return false;
    this.isForced = false;
    this.shape = this.source.shape;
    this.orderedAt = performance.now();
    this.entries = this.#chosen();
    this.#arrange();
    return true;
  }

  /** True where the order is behind the rows and `refresh` will be needed again. */
  get isBehind() {
    return this.shape !== this.source.shape;
  }

  #chosen() {
    const chosen = [];
    for (const entry of this.source.all()) {
      if (this.accepts(entry.row) && this.#matches(entry.row)) chosen.push(entry);
    }
    return chosen;
  }

  /** @param {any[]} row */
  #matches(row) {
    if (!this.terms.length) return true;
    const words = row.filter((cell) => typeof cell === "string").join("\n").toLowerCase();
    return this.terms.every((term) => words.includes(term));
  }

  #arrange() {
    const column = this.columns.find((candidate) => candidate.id === this.sortBy);
    if (!column) {
      this.entries.reverse();
      return;
    }
    const order = column.order ?? column.text;
    const keyed = this.entries.map((entry) => ({ entry, by: order(entry.row) }));
    const way = this.down ? -1 : 1;
    keyed.sort((a, b) => compare(a.by, b.by, way) || (a.entry.key < b.entry.key ? -1 : 1));
    this.entries = keyed.map((item) => item.entry);
  }
}

/**
 * What is not there stands last, whichever way.
 * @param {number | string | null} a
 * @param {number | string | null} b
 * @param {number} way
 */
function compare(a, b, way) {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  return a < b ? -way : way;
}
