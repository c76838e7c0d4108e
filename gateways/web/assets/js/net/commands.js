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
 * @property {boolean} [located] the stock of a short sale was located
 */

/** Would it pass? Nothing is reserved. @param {Order} order */
export const validate = ({ located: _, ...order }) => post("/limits/validate", order);

/** @param {Order} order */
export const place = (order) => change("POST", "/orders", order);

/** @param {string} id */
export const cancel = (id) => change("DELETE", `/orders/${encodeURIComponent(id)}`);

/** The life of an order, from the journal. @param {string} id */
export const explain = (id) => get(`/orders/${encodeURIComponent(id)}/explain`);

/** @param {number} id @param {string} comment */
export const acknowledge = (id, comment) => post(`/alerts/${id}/acknowledge`, { comment });

/** @param {string} node @param {string} level @param {string} reason */
export const stopTrading = (node, level, reason) => post("/kill", { node, level, reason });

/** Nodes that do not trade freely. */
export const restrictions = () => get("/restrictions");

/** Re-arms that wait for a second person. */
export const waitingRearms = () => get("/rearm");

/** @param {string} node @param {string} reason */
export const rearm = (node, reason) => post("/rearm", { node, reason });

/** @param {number} id @param {string} reason */
export const confirmRearm = (id, reason) => post(`/rearm/${id}/confirm`, { reason });
