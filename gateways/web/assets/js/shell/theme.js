/** Dark or light: what the user chose, else what the system says. */

import { computed, signal } from "@preact/signals";

const KEY = "tradewind.theme";
const system = matchMedia("(prefers-color-scheme: light)");
const systemTheme = signal(system.matches ? "light" : "dark");
const chosen = signal(localStorage.getItem(KEY) ?? "");

system.addEventListener("change", () => (systemTheme.value = system.matches ? "light" : "dark"));

/** "dark" or "light". */
export const theme = computed(() => chosen.value || systemTheme.value);

theme.subscribe((name) => document.documentElement.setAttribute("data-theme", name));

export function toggleTheme() {
  chosen.value = theme.value === "dark" ? "light" : "dark";
  localStorage.setItem(KEY, chosen.value);
}
