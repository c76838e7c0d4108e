/** The page: login or desk, what is where, shortcuts, and the title with the count of alerts that nobody has taken. */

import { effect } from "@preact/signals";
import { render } from "preact";
import { waitingCount, watchAlerts } from "./data/attention.js";
import { followHistory } from "./data/history.js";
import { followSession, isOld, welcome } from "./data/store.js";
import { html } from "./html.js";
import { may, plan, session } from "./net/session.js";
import { Alerts, takeFirst } from "./panels/alerts.js";
import { Blotter, blotterTab } from "./panels/blotter.js";
import { Health } from "./panels/health.js";
import { LatencyChart, LatencyTable } from "./panels/latency.js";
import { Life } from "./panels/life.js";
import { Limits } from "./panels/limits.js";
import { Positions } from "./panels/positions.js";
import { Drawdown, Profit } from "./panels/profit.js";
import { Sectors } from "./panels/sectors.js";
import { Settlement } from "./panels/settlement.js";
import { begin, Ticket } from "./panels/ticket.js";
import { Tiles } from "./panels/tiles.js";
import { dialog } from "./shell/dialogs.js";
import { Help } from "./shell/help.js";
import { focus, listen, shortcut } from "./shell/keys.js";
import { Kill } from "./shell/kill.js";
import { Login } from "./shell/login.js";
import { Restrictions, watchRestrictions } from "./shell/restrictions.js";
import { toggleTheme } from "./shell/theme.js";
import { Toasts } from "./shell/toast.js";
import { TopBar } from "./shell/topbar.js";
import { view, VIEWS } from "./shell/views.js";

const LAYOUTS = {
  desk: () => html`<${Positions} /><${Blotter} />
    <div class="column column-side"><${Ticket} /><${Alerts} /></div>
    <div class="column column-watch"><${Profit} /><${Limits} /></div>`,
  risk: () => html`<${Limits} /><${Profit} /><${Drawdown} /><${Sectors} /><${Alerts} />`,
  operations: () => html`<${LatencyChart} /><${LatencyTable} /><${Settlement} /><${Health} />`,
};

function Page() {
  if (!session.value) return html`<${Login} />`;
  const id = /** @type {keyof typeof LAYOUTS} */ (view.value);
  return html`<${TopBar} /><${Restrictions} /><${Tiles} />
    <main class=${`layout layout-${id} ${isOld.value ? "is-old" : ""}`} key=${id}><${LAYOUTS[id]} /></main>
    ${dialog.value === "kill" && may("CONTROL") ? html`<${Kill} />` : null}
    ${dialog.value === "help" ? html`<${Help} />` : null}
    <${Life} />
    <${Toasts} />`;
}

/** @param {() => void} run on the desk */
function onDesk(run) {
  view.value = "desk";
  requestAnimationFrame(() => requestAnimationFrame(run));
}

function bindKeys() {
  for (const { id, label, key } of VIEWS) shortcut(key, `View: ${label}`, () => (view.value = id));
  shortcut("b", "Buy: order ticket", () => onDesk(() => begin("BUY")));
  shortcut("s", "Sell: order ticket", () => onDesk(() => begin("SELL")));
  shortcut("h", "Sell short: order ticket", () => onDesk(() => begin("SELL_SHORT")));
  shortcut("p", "Positions", () => onDesk(() => focus("#positions .grid")));
  shortcut("o", "Orders", () => onDesk(() => showBlotter("orders")));
  shortcut("x", "Executions", () => onDesk(() => showBlotter("trades")));
  shortcut("r", "Rejects, with reasons", () => onDesk(() => showBlotter("rejects")));
  shortcut("/", "Filter positions", () => onDesk(() => focus("#filter")));
  shortcut("a", "Take the worst alert that nobody has taken", () => onDesk(takeFirst));
  shortcut("k", "Kill switch (asks for confirmation)", () => (dialog.value = "kill"));
  shortcut("t", "Dark or light", toggleTheme);
  shortcut("?", "This list", () => (dialog.value = "help"));
}

/** @param {string} tab */
function showBlotter(tab) {
  blotterTab.value = tab;
  requestAnimationFrame(() => requestAnimationFrame(() => focus("#blotter .grid")));
}

effect(() => {
  const open = waitingCount.value;
  const environment = welcome.value?.environment?.toUpperCase() ?? "";
  document.title = `${open ? `(${open}) ` : ""}Tradewind${environment ? ` ${environment}` : ""}`;
});

bindKeys();
listen();
plan();
followSession();
followHistory();
watchAlerts();
watchRestrictions();
render(html`<${Page} />`, /** @type {HTMLElement} */ (document.getElementById("page")));
