/** Preact with tagged templates: the one place where the two are put together. */

import { h } from "preact";
import htm from "htm";

export const html = htm.bind(h);
