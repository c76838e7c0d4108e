/**
 * The rows of a channel. `Table` for state channels (rows by key), `Events` for event channels (the newest rows).
 *
 * Invariant: snapshot and updates folded by key are the server's table. Rows are arrays in the order of `columns`; an entry keeps its
 * identity for as long as its key lives, so that a grid can tell a changed row from another row.
 */

import { signal } from "@preact/signals";
import { atMostEvery } from "./frames.js";

/**
 * @typedef {{ key: string, row: any[] }} Entry
 * @typedef {import("../net/socket.js").Frame} Frame
 */

/** How often panels that are no grids are told of changes. */
const TELL_MS = 200;
/** How often those are told that add up all rows. */
const TELL_SUMS_MS = 1_000;

class Rows {
  constructor() {
    /** @type {Record<string, number>} place of each column */
    this.at = {};
    /** @type {Set<() => void>} */
    this.listeners = new Set();
    /** Counts changes, a few times a second: panels read it to be painted again. */
    this.version = signal(0);
    /** True once there was a snapshot. */
    this.isLoaded = signal(false);
    /** The same, once a second: for sums over all rows, of which there may be thousands. */
    this.slowVersion = signal(0);
    this.tell = atMostEvery(TELL_MS, () => (this.version.value += 1));
    this.tellSums = atMostEvery(TELL_SUMS_MS, () => (this.slowVersion.value += 1));
  }

  /** @param {() => void} listener @returns {() => void} ends it */
  onChange(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** @param {string[]} columns */
  setColumns(columns) {
    this.at = Object.fromEntries(columns.map((name, index) => [name, index]));
  }

  changed() {
    this.isLoaded.value = true;
    this.tell();
    this.tellSums();
    for (const listener of this.listeners) listener();
  }
}

export class Table extends Rows {
  constructor() {
    super();
    /** @type {Map<string, Entry>} */
    this.entries = new Map();
    this.keyColumns = 1;
    /** Counts rows that came or went: a view that only shows changed cells need not sort again. */
    this.shape = 0;
  }

  /** @param {Frame} frame */
  apply(frame) {
    if (frame.type === "snapshot") this.#restart(frame);
    for (const row of frame.data) this.#put(row);
    for (const key of frame.removed ?? []) {
      if (this.entries.delete(this.#key(key))) this.shape += 1;
    }
    this.changed();
  }

  /** Rows that a new snapshot has as well keep their entries. @param {Frame} frame */
  #restart(frame) {
    this.setColumns(frame.columns ?? []);
    this.keyColumns = frame.key_columns ?? 1;
    const kept = new Set(frame.data.map((row) => this.#key(row)));
    for (const key of this.entries.keys()) {
      if (!kept.has(key)) this.entries.delete(key);
    }
    this.shape += 1;
  }

  /** @param {any[]} row */
  #put(row) {
    const key = this.#key(row);
    const entry = this.entries.get(key);
    if (entry) {
      entry.row = row;
      return;
    }
    this.entries.set(key, { key, row });
    this.shape += 1;
  }

  /** @param {any[]} row */
  #key(row) {
    return this.keyColumns === 1 ? String(row[0]) : row.slice(0, this.keyColumns).join("\u0000");
  }

  /** All rows, in no particular order. */
  all() {
    return this.entries.values();
  }

  get size() {
    return this.entries.size;
  }

  /** @param {string} key */
  get(key) {
    return this.entries.get(key);
  }
}

export class Events extends Rows {
  /** @param {number} capacity rows that are kept, the newest */
  constructor(capacity) {
    super();
    this.capacity = capacity;
    /** @type {Entry[]} oldest first */
    this.list = [];
    this.shape = 0;
    /** Rows since the page was opened, those that are not kept any more included. */
    this.seen = 0;
    /** True where the server could not give everything that came while we were away. */
    this.hasGap = signal(false);
  }

  /** @param {Frame} frame */
  apply(frame) {
    if (frame.type === "snapshot") {
      this.setColumns(frame.columns ?? []);
      this.list = [];
      this.hasGap.value = frame.gap === true;
    }
    for (const row of frame.data) this.list.push({ key: `${row[0]}.${row[1]}`, row });
    this.seen += frame.data.length;
    // Cut in large steps: taking rows off the front one by one would move the whole list each time.
    if (this.list.length > this.capacity * 1.25) this.list = this.list.slice(-this.capacity);
    this.shape += 1;
    this.changed();
  }

  all() {
    return this.list;
  }

  get size() {
    return this.list.length;
  }
}
