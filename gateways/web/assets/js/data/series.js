/** Figures over time, as charts want them: a fixed number of points, the oldest go first. Doubles, for pictures only. */

/** Points that are closer than this, in seconds, say the same. */
const NEAR_S = 2;

export class Series {
  /**
   * @param {number} lines figures at each time
   * @param {number} capacity points
   */
  constructor(lines, capacity) {
    this.capacity = capacity;
    /** Seconds since 1970, then one column for each line. @type {(number | null)[][]} */
    this.columns = Array.from({ length: lines + 1 }, () => []);
    /** @type {Set<() => void>} */
    this.listeners = new Set();
  }

  /**
   * @param {number} seconds
   * @param {(number | null)[]} values
   */
  push(seconds, values) {
    const [times] = this.columns;
    if (times.length && seconds <= /** @type {number} */ (times[times.length - 1])) return;
    times.push(seconds);
    values.forEach((value, index) => this.columns[index + 1].push(value));
    if (times.length > this.capacity * 1.25) {
      this.columns = this.columns.map((column) => column.slice(-this.capacity));
    }
    for (const listener of this.listeners) listener();
  }

  /**
   * Puts points between those that are there; where there is one at about the same time already, it stays.
   * @param {{ seconds: number, values: (number | null)[] }[]} points oldest first
   */
  merge(points) {
    const times = this.columns[0];
    const merged = this.columns.map(() => /** @type {(number | null)[]} */ ([]));
    let at = 0;
    const take = () => {
      this.columns.forEach((column, index) => merged[index].push(column[at]));
      at += 1;
    };
    for (const { seconds, values } of points) {
      while (at < times.length && /** @type {number} */ (times[at]) < seconds) take();
      const near = [merged[0].at(-1), times[at]].some((time) => typeof time === "number" && Math.abs(time - seconds) < NEAR_S);
      if (!near) [seconds, ...values].forEach((value, index) => merged[index].push(value));
    }
    while (at < times.length) take();
    this.columns = merged.map((column) => column.slice(-this.capacity));
    for (const listener of this.listeners) listener();
  }

  /**
   * The points of the last so many seconds.
   * @param {number} seconds
   */
  last(seconds) {
    const [times] = this.columns;
    if (!times.length) return this.columns;
    const from = /** @type {number} */ (times[times.length - 1]) - seconds;
    let low = 0;
    let high = times.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (/** @type {number} */ (times[middle]) < from) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? this.columns : this.columns.map((column) => column.slice(low));
  }

  /** @param {() => void} listener @returns {() => void} ends it */
  onChange(listener) {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}
