/** What the page asks the engine to do: one function for each request, and nothing about how it looks. */

import { change, get, post } from "./api.js";

/**
 * @typedef {object} Order
 * @property {string} account
 * @property {string} symbol
 * @property {string} side BUY, SELL or SELL_SHORT
 * @property {string} type
 * @property {string} tif
 * @property {string} qty
 * @property {string} [px]
 * @property {string} [stop_px]
 */

/** Would it pass? Nothing is reserved. @param {Order} order */
export const validate = (order) => post("/limits/validate", order);

/** @param {Order} order */
export const place = (order) => change("POST", "/orders", order);

/** @param {string} id */
export const cancel = (id) => change("DELETE", `/orders/${encodeURIComponent(id)}`);

/** @param {number} id @param {string} comment */
export const acknowledge = (id, comment) => change("POST", `/alerts/${id}/acknowledge`, { comment });

/** @param {string} node @param {string} level @param {string} reason */
export const stopTrading = (node, level, reason) => change("POST", "/kill", { node, level, reason });

/** @param {string} node @param {string} reason */
export const rearm = (node, reason) => change("POST", "/rearm", { node, reason });

/** Nodes that do not trade freely. */
export const restrictions = () => get("/restrictions");
