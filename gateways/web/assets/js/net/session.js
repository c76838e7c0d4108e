/**
 * Who is logged in, and the tokens that prove it.
 *
 * The tokens live in this tab only (sessionStorage), so that a reload does not ask for the password again and closing the tab ends it.
 * The access token is renewed when four fifths of its time are over.
 */

import { signal } from "@preact/signals";

const KEY = "tradewind.session";
const FAREWELL = "tradewind.farewell";
const RENEW_AT = 0.8;

/**
 * @typedef {object} Session
 * @property {string} access
 * @property {string} refresh
 * @property {number} expiresAt milliseconds since 1970
 * @property {any} user
 */

/** @type {import("@preact/signals").Signal<Session | null>} */
export const session = signal(load());
/** Why the login is shown: "", "revoked" or "ended". */
export const farewell = signal(sessionStorage.getItem(FAREWELL) ?? "");

let timer = 0;
/** @type {Set<(token: string) => void>} */
const listeners = new Set();

/** @returns {Session | null} */
function load() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "null");
  } catch {
    return null;
  }
}

/** @param {Session | null} value */
function keep(value) {
  session.value = value;
  if (value) sessionStorage.setItem(KEY, JSON.stringify(value));
  else sessionStorage.removeItem(KEY);
  plan();
}

/**
 * Whether the user may do something somewhere: TRADE, CONTROL. The server looks where; this only hides what would be refused.
 * @param {string} permission
 */
export function may(permission) {
  return session.value?.user?.permissions?.includes(permission) ?? false;
}

/**
 * Who an author of the journal is, for a person. The journal names users by number (`u7`), never by name.
 * @param {string} author
 */
export function person(author) {
  if (isMe(author)) return "you";
  return /^u\d+$/.test(author) ? `user ${author.slice(1)}` : author;
}

/** @param {string} author */
export const isMe = (author) => author === `u${session.value?.user?.id}`;

/** Hears of each renewed access token. @param {(token: string) => void} listener */
export function onRenewed(listener) {
  listeners.add(listener);
}

/** Renews the token in good time. */
export function plan() {
  clearTimeout(timer);
  const current = session.value;
  if (!current) return;
  const left = current.expiresAt - Date.now();
  timer = setTimeout(() => void renew().catch(plan), Math.max(1_000, left * RENEW_AT));
}

/**
 * @param {any} answer of login or refresh
 * @param {Session | null} before
 */
function accept(answer, before) {
  keep({
    access: answer.access_token,
    refresh: answer.refresh_token ?? before?.refresh ?? "",
    expiresAt: Date.now() + Number(answer.expires_in) * 1_000,
    user: answer.user ?? before?.user ?? {},
  });
}

/**
 * @param {string} path
 * @param {object} body
 */
async function post(path, body) {
  return fetch(`/api/v1/auth/${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
}

/**
 * @param {string} user
 * @param {string} password
 * @returns {Promise<string>} what went wrong; empty where nothing did
 */
export async function login(user, password) {
  let answer;
  try {
    answer = await post("login", { user, password });
  } catch {
    return "The server does not answer.";
  }
  if (answer.ok) {
    sessionStorage.removeItem(FAREWELL);
    farewell.value = "";
    accept(await answer.json(), null);
    return "";
  }
  const problem = await answer.json().catch(() => ({}));
  if (answer.status === 401) return problem.detail ?? "User or password is wrong.";
  return problem.detail ?? problem.title ?? `The server answered ${answer.status}.`;
}

/** The renewal that is on its way: a refresh token is good for one use. @type {Promise<string | null> | null} */
let renewal = null;

/**
 * A new access token.
 * @returns {Promise<string | null>} null where the user must log in; an exception where the server does not answer
 */
export function renew() {
  renewal ??= askForToken().finally(() => (renewal = null));
  return renewal;
}

async function askForToken() {
  const before = session.value;
  if (!before) return null;
  const answer = await post("refresh", { refresh_token: before.refresh });
  if (answer.ok) {
    accept(await answer.json(), before);
    const { access } = /** @type {Session} */ (session.value);
    for (const listener of listeners) listener(access);
    return access;
  }
  if (answer.status >= 500 || answer.status === 429) throw new Error(`the server answered ${answer.status}`);
  return null;
}

/**
 * Ends the session here. The page is loaded anew, so that nothing of what the user saw stays in it.
 * @param {"" | "revoked" | "ended"} reason
 */
export function leave(reason) {
  sessionStorage.setItem(FAREWELL, reason);
  keep(null);
  location.reload();
}

export async function logout() {
  const before = session.value;
  if (!before) return;
  await fetch("/api/v1/auth/logout", {
    method: "POST",
    headers: { authorization: `Bearer ${before.access}`, "content-type": "application/json" },
    body: JSON.stringify({ refresh_token: before.refresh }),
  }).catch(() => undefined);
  leave("");
}
