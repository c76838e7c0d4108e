/** Requests to `/api/v1`: bearer token, problem+json, one renewal of a token that ran out. */

import { isReject, rejectWords } from "../words/rejects.js";
import { leave, renew, session } from "./session.js";

/**
 * @typedef {object} Answer
 * @property {boolean} ok
 * @property {number} status 0 where the server did not answer
 * @property {any} body the answer, or its problem
 */

/**
 * @param {string} method
 * @param {string} path below /api/v1
 * @param {object | undefined} body
 * @param {Record<string, string>} headers
 */
async function once(method, path, body, headers) {
  return fetch(`/api/v1${path}`, {
    method,
    headers: {
      accept: "application/json",
      authorization: `Bearer ${session.value?.access ?? ""}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
}

/**
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 * @param {Record<string, string>} [headers]
 * @returns {Promise<Answer>}
 */
async function ask(method, path, body, headers = {}) {
  try {
    let answer = await once(method, path, body, headers);
    if (answer.status === 401) {
      if ((await renew()) === null) leave("ended");
      else answer = await once(method, path, body, headers);
    }
    const text = await answer.text();
    return { ok: answer.ok, status: answer.status, body: text ? JSON.parse(text) : null };
  } catch {
    return { ok: false, status: 0, body: { title: "The server does not answer." } };
  }
}

/** @param {string} path */
export const get = (path) => ask("GET", path);

/**
 * @param {string} path
 * @param {object} body
 */
export const post = (path, body) => ask("POST", path, body);

/**
 * A change that must happen once, however often the request is repeated.
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 */
export const change = (method, path, body) => ask(method, path, body, { "idempotency-key": randomKey() });

/** 128 random bits. `crypto.randomUUID` is not there on pages without TLS. */
function randomKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * What went wrong, for a person: the words of a reject code, else what the server said.
 * @param {Answer} answer
 */
export function problem(answer) {
  const { code, detail, title } = answer.body ?? {};
  return isReject(code) ? rejectWords(code) : detail || title || `The server answered ${answer.status}.`;
}
