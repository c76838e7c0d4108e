/**
 * The live feed (docs/rttm.md): one WebSocket, its subscriptions, and how it comes back.
 *
 * Invariants:
 * - A frame reaches its handler only if it follows the one before it: `prev` is the `seq` seen last. Otherwise the channel is
 *   subscribed anew, and the gap is counted.
 * - Event channels go on behind the last `seq` that was handled, on this connection and on the next.
 * - A lost connection is tried again for ever, with growing, random pauses; a refused or revoked user is not tried again.
 *
 * Deliberately absent: what rows mean, and anything of the page.
 */

/**
 * @typedef {object} Frame
 * @property {string} channel
 * @property {"snapshot" | "update"} type
 * @property {number} seq
 * @property {number} prev
 * @property {string} ts
 * @property {string[]} [columns]
 * @property {number} [key_columns]
 * @property {any[][]} data
 * @property {any[][]} [removed]
 * @property {boolean} [gap]
 *
 * @typedef {object} Subscription
 * @property {string} channel
 * @property {"state" | "event"} sort
 * @property {object} params of `subscribe`, beside the channel
 * @property {(frame: Frame) => void} handle
 * @property {boolean} background goes on while nobody looks at the page
 * @property {number} seq of the last frame that was handled; 0 for none
 * @property {number} request number of the question that has not been answered; 0 for none
 * @property {boolean} isOn frames are expected
 */

const SILENT_MS = 10_000;
const WATCH_MS = 1_000;
const PAUSE_MIN_MS = 500;
const PAUSE_MAX_MS = 15_000;

/** Close codes of the server that mean something to us. */
const CLOSED = Object.freeze({ RESTART: 1012, BUSY: 1013, NOT_AUTHENTICATED: 4001, REVOKED: 4003 });

export class Feed {
  /**
   * @param {object} parts
   * @param {() => WebSocket} parts.open a new connection
   * @param {(isStale: boolean) => Promise<string | null>} parts.token a token, renewed where the last one was refused; null
   *   where the user must log in
   * @param {(status: { phase: string, retryAt: number }) => void} parts.onStatus
   * @param {(welcome: any) => void} parts.onWelcome
   * @param {(reason: "revoked" | "ended") => void} parts.onGone the user must log in again
   * @param {(ts: string | undefined) => void} parts.onHeard a message came; server time where it said so
   * @param {{ now: () => number, random: () => number, later: typeof setTimeout, forget: typeof clearTimeout }} [parts.world]
   */
  constructor(parts) {
    this.parts = parts;
    this.world = parts.world ?? {
      now: () => performance.now(),
      random: Math.random,
      later: (run, ms) => setTimeout(run, ms),
      forget: (timer) => clearTimeout(timer),
    };
    /** @type {Map<string, Subscription>} */
    this.subscriptions = new Map();
    /** @type {WebSocket | null} */
    this.socket = null;
    this.isLive = false;
    this.isWanted = false;
    this.isPaused = false;
    this.failures = 0;
    this.nextRequest = 1;
    this.tokenRefused = false;
    this.timer = 0;
    /** When the server was heard last, in milliseconds of the page's clock; 0 for never. */
    this.heardAt = 0;
    /** The same, or when the connection was begun: from then on silence is counted. */
    this.aliveAt = 0;
    this.gaps = 0;
    this.reconnects = 0;
  }

  /**
   * @param {string} channel
   * @param {"state" | "event"} sort
   * @param {object} params
   * @param {(frame: Frame) => void} handle
   * @param {boolean} [background]
   */
  subscribe(channel, sort, params, handle, background = false) {
    const subscription = { channel, sort, params, handle, background, seq: 0, request: 0, isOn: false };
    this.subscriptions.set(channel, subscription);
    if (this.isLive) this.#ask(subscription);
  }

  start() {
    this.isWanted = true;
    this.#connect();
  }

  stop() {
    this.isWanted = false;
    this.world.forget(this.timer);
    this.#drop(1000);
    this.#status("offline");
  }

  /** Tries at once, where a pause is being waited out. */
  hurry() {
    if (!this.isWanted || this.socket) return;
    this.world.forget(this.timer);
    this.#connect();
  }

  /** Nobody looks: state channels that only a screen needs are left. */
  pause() {
    this.isPaused = true;
    for (const subscription of this.subscriptions.values()) {
      if (!subscription.background && subscription.isOn) this.#leave(subscription);
    }
  }

  /** Somebody looks again: fresh snapshots. */
  resume() {
    if (!this.isPaused) return;
    this.isPaused = false;
    if (!this.isLive) return;
    for (const subscription of this.subscriptions.values()) {
      if (!subscription.isOn && !subscription.request) this.#ask(subscription);
    }
  }

  /** A newer token for the connection that is open. @param {string} token */
  authenticate(token) {
    if (this.isLive) this.#send("authenticate", { token });
  }

  async #connect() {
    this.#status("connecting");
    const token = await this.parts.token(this.tokenRefused).catch(() => undefined);
    if (!this.isWanted) return;
    if (token === null) return this.#gone("ended");
    if (token === undefined) return this.#retry(this.#pause());
    const socket = this.parts.open();
    this.socket = socket;
    this.aliveAt = this.world.now();
    socket.onopen = () => this.#send("authenticate", { token });
    socket.onmessage = (event) => this.#hear(socket, event.data);
    socket.onclose = (event) => this.#closed(socket, event.code);
    this.#watch(socket);
  }

  /** @param {WebSocket} socket */
  #watch(socket) {
    this.world.later(() => {
      if (this.socket !== socket) return;
      if (this.world.now() - this.aliveAt < SILENT_MS) return this.#watch(socket);
      this.#drop(4000);
      this.#retry(this.#pause());
    }, WATCH_MS);
  }

  /** @param {WebSocket} socket @param {string} data */
  #hear(socket, data) {
    if (socket !== this.socket) return;
    this.heardAt = this.aliveAt = this.world.now();
    const message = JSON.parse(data);
    if (message.method) this.#answer(message);
    else if (message.channel && message.data) this.#frame(message);
    this.parts.onHeard(message.ts ?? message.time_out);
  }

  /** @param {any} message */
  #answer(message) {
    if (message.method === "authenticate") return this.#welcome(message);
    if (message.method !== "subscribe") return;
    for (const subscription of this.subscriptions.values()) {
      if (subscription.request !== message.req_id) continue;
      subscription.request = 0;
      subscription.isOn = message.success;
      if (this.isPaused && !subscription.background && subscription.isOn) this.#leave(subscription);
    }
  }

  /** @param {any} message */
  #welcome(message) {
    if (!message.success) {
      this.tokenRefused = true;
      return;
    }
    if (this.isLive) return;
    this.isLive = true;
    this.tokenRefused = false;
    this.failures = 0;
    this.parts.onWelcome(message.result);
    this.#status("live");
    for (const subscription of this.subscriptions.values()) {
      if (subscription.background || !this.isPaused) this.#ask(subscription);
    }
  }

  /** @param {Frame} frame */
  #frame(frame) {
    const subscription = this.subscriptions.get(frame.channel);
    if (!subscription?.isOn) return;
    if (frame.type === "update" && frame.prev !== subscription.seq) {
      this.gaps += 1;
      this.#leave(subscription);
      this.#ask(subscription);
      return;
    }
    subscription.seq = frame.seq;
    subscription.handle(frame);
  }

  /** @param {Subscription} subscription */
  #ask(subscription) {
    const isResumed = subscription.sort === "event" && subscription.seq > 0;
    const from = isResumed ? { from_seq: subscription.seq } : {};
    subscription.request = this.#send("subscribe", { channel: subscription.channel, ...subscription.params, ...from });
  }

  /** @param {Subscription} subscription */
  #leave(subscription) {
    subscription.isOn = false;
    subscription.request = 0;
    this.#send("unsubscribe", { channel: subscription.channel });
  }

  /** @param {string} method @param {object} params */
  #send(method, params) {
    const request = this.nextRequest++;
    this.socket?.send(JSON.stringify({ method, req_id: request, params }));
    return request;
  }

  /** @param {WebSocket} socket @param {number} code */
  #closed(socket, code) {
    if (socket !== this.socket) return;
    this.#drop(null);
    if (!this.isWanted) return;
    if (code === CLOSED.REVOKED) return this.#gone("revoked");
    if (code === CLOSED.NOT_AUTHENTICATED) this.tokenRefused = true;
    const restart = code === CLOSED.RESTART ? 1_000 + this.world.random() * 2_000 : 0;
    this.#retry(Math.max(restart, this.#pause()));
  }

  /** Lets go of the connection; with a code it is closed as well. @param {number | null} code */
  #drop(code) {
    const socket = this.socket;
    this.socket = null;
    this.isLive = false;
    for (const subscription of this.subscriptions.values()) {
      subscription.isOn = false;
      subscription.request = 0;
    }
    if (socket && code !== null) socket.close(code);
  }

  #pause() {
    const grown = Math.min(PAUSE_MAX_MS, PAUSE_MIN_MS * 2 ** this.failures);
    return grown * (0.5 + this.world.random() / 2);
  }

  /** @param {number} ms */
  #retry(ms) {
    this.failures += 1;
    this.reconnects += 1;
    this.parts.onStatus({ phase: "offline", retryAt: this.world.now() + ms });
    this.timer = this.world.later(() => this.#connect(), ms);
  }

  /** @param {"revoked" | "ended"} reason */
  #gone(reason) {
    this.isWanted = false;
    this.#status("offline");
    this.parts.onGone(reason);
  }

  /** @param {string} phase */
  #status(phase) {
    this.parts.onStatus({ phase, retryAt: 0 });
  }
}
