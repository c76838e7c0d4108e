/** Which dialog is open: "", "kill" or "help". */

import { signal } from "@preact/signals";

export const dialog = signal("");
