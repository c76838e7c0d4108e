/** The login. Says why it is there where the server ended the last session. */

import { useState } from "preact/hooks";
import { html } from "../html.js";
import { farewell, login } from "../net/session.js";

const FAREWELLS = {
  revoked: "Your access was taken away. If that is a surprise, ask your administrator.",
  ended: "Your session has ended. Please log in again.",
};

export function Login() {
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    const form = new FormData(/** @type {HTMLFormElement} */ (event.target));
    setBusy(true);
    setProblem(await login(String(form.get("user")), String(form.get("password"))));
    setBusy(false);
  };
  const reason = FAREWELLS[/** @type {keyof typeof FAREWELLS} */ (farewell.value)];
  return html`<main class="login">
    <form class="login-card" onSubmit=${submit} data-testid="login">
      <h1><${Mark} /> Tradewind</h1>
      ${reason ? html`<p class="note warn" role="status" data-testid="farewell">▲ ${reason}</p>` : null}
      <label>User <input name="user" autocomplete="username" required autofocus spellcheck=${false} /></label>
      <label>Password <input name="password" type="password" autocomplete="current-password" required /></label>
      <p class="note bad" role="alert" data-testid="login-problem">${problem ? `✕ ${problem}` : ""}</p>
      <button type="submit" class="primary" disabled=${isBusy}>${isBusy ? "Logging in …" : "Log in"}</button>
    </form>
  </main>`;
}

/** The sign of the house. */
export function Mark() {
  return html`<svg class="mark" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true">
    <path d="M2 8h11a3 3 0 1 0-3-3M2 12h17a3 3 0 1 1-3 3M2 16h8a3 3 0 1 1-3 3" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" />
  </svg>`;
}
