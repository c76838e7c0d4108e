/** What is always seen: where one is, whether the figures are fresh, how many alerts wait, and the kill switch. */

import { waitingCount } from "../data/attention.js";
import { clock } from "../data/format.js";
import { second } from "../data/frames.js";
import { ageMs, hurry, OLD_MS, skewMs, status, welcome } from "../data/store.js";
import { html } from "../html.js";
import { logout, may, session } from "../net/session.js";
import { dialog } from "./dialogs.js";
import { Mark } from "./login.js";
import { theme, toggleTheme } from "./theme.js";
import { view, VIEWS } from "./views.js";

const TOO_OLD_MS = 10_000;

function Environment() {
  const name = (welcome.value?.environment ?? "…").toUpperCase();
  return html`<span class=${`environment env-${name.toLowerCase()}`} data-testid="environment" title=${welcome.value?.server ?? ""}>${name}</span>`;
}

/** Connection and age of what is seen in one place: both answer "can I trust this?". */
function Connection() {
  const { phase, retryAt } = status.value;
  const age = ageMs.value;
  if (phase !== "live") {
    second.value;
    const wait = retryAt ? `, again in ${Math.max(0, Math.ceil((retryAt - performance.now()) / 1_000))} s` : "";
    return html`<span class="connection bad" role="status" data-testid="connection" data-phase=${phase}>
      ✕ ${phase === "connecting" ? "Connecting" : html`No connection<span aria-hidden="true">${wait}</span>`}
      ${retryAt ? html` <button type="button" class="quiet" onClick=${hurry}>Now</button>` : null}</span>`;
  }
  const tone = age < OLD_MS ? "ok" : age < TOO_OLD_MS ? "warn" : "bad";
  // The seconds are for eyes: a screen reader says once that it is stale.
  const stale = html`${tone === "warn" ? "▲" : "■"} Stale <span aria-hidden="true">${(age / 1_000).toFixed(1)} s</span>`;
  return html`<span class=${`connection ${tone}`} role="status" data-testid="connection" data-phase="live">${tone === "ok" ? "● Live" : stale}</span>`;
}

function Age() {
  const age = ageMs.value;
  const tone = age < OLD_MS ? "" : age < TOO_OLD_MS ? "warn" : "bad";
  const text = age === Infinity ? "–" : `${(age / 1_000).toFixed(1)} s`;
  return html`<span class=${`stat ${tone}`} title="Since the server was heard"><small>age</small> <span data-testid="age">${text}</span></span>`;
}

function ServerTime() {
  const now = second.value + skewMs.value;
  return html`<span class="stat time" title="The server's clock"><small>UTC</small> <span data-testid="server-time">${clock(now, false)}</span></span>`;
}

function AlertCount() {
  const open = waitingCount.value;
  return html`<button type="button" class=${`alert-count ${open ? "bad" : ""}`} data-testid="unacked" onClick=${() => (view.value = "desk")}
    aria-label=${`${open} alerts that nobody has taken`}>${open ? "▲" : "✓"} ${open} <span class="wide-only">${open === 1 ? "alert" : "alerts"}</span></button>`;
}

function Views() {
  return html`<nav class="views" aria-label="Views">
    ${VIEWS.map(({ id, label, key }) => html`<button type="button" class="view-button" aria-current=${view.value === id ? "page" : "false"} title=${`${label}, key ${key}`}
      onClick=${() => (view.value = id)}>${label}</button>`)}
  </nav>`;
}

function Leave() {
  return html`<svg viewBox="0 0 16 16" width="13" height="13" role="img" aria-label="Log out"><path d="M6 2H3v12h3M7 8h7m-3-3 3 3-3 3" fill="none" stroke="currentColor" stroke-width="1.6" /></svg>`;
}

export function TopBar() {
  const user = session.value?.user;
  return html`<header class="topbar">
    <span class="brand"><${Mark} /> <span class="wide-only">Tradewind</span></span>
    <${Environment} />
    <${Views} />
    <span class="spring"></span>
    <${Connection} /><${Age} /><${ServerTime} /><${AlertCount} />
    ${may("CONTROL") ? html`<button type="button" class="kill" data-testid="kill" title="Stop trading, key K" onClick=${() => (dialog.value = "kill")}>■ Kill<span class="wide-only"> switch</span></button>` : null}
    <button type="button" class="quiet" aria-label=${`Theme: ${theme.value}`} title="Dark or light, key T" onClick=${toggleTheme}>${theme.value === "dark" ? "☾" : "☀"}</button>
    <button type="button" class="quiet" aria-label="Keyboard shortcuts" title="Shortcuts, key ?" onClick=${() => (dialog.value = "help")}>?</button>
    <button type="button" class="quiet user" title="Log out" data-testid="logout" onClick=${logout}><span class="wide-only">${user?.name ?? ""} </span><${Leave} /></button>
  </header>`;
}
