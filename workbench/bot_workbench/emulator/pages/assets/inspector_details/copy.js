// A button that copies a text.

import { html, useState } from "/assets/libraries/htm.js";

import { Icon } from "../inspector/icons.js";

const SHOWN_MS = 2_000;

/** The button; `text` is what is copied, or a function that returns it. */
export function CopyButton({ text, label, title = label, quiet = false }) {
  const [state, setState] = useState("");
  const copy = async (event) => {
    event.stopPropagation();
    try {
      await navigator.clipboard.writeText(typeof text === "function" ? text() : text);
      setState("Copied");
    } catch {
      setState("The browser does not allow copying");
    }
    setTimeout(() => setState(""), SHOWN_MS);
  };
  const shown = state || label;
  if (quiet) {
    const hint = state || title;
    return html`<button class="icon-button" aria-label=${shown} title=${hint} onClick=${copy}>
      <${Icon} name=${state === "Copied" ? "check" : "copy"} />
      <span class="visually-hidden" role="status">${state}</span>
    </button>`;
  }
  return html`<button class="button button--small" title=${title} onClick=${copy}>
    <${Icon} name=${state === "Copied" ? "check" : "copy"} /><span role="status">${shown}</span>
  </button>`;
}
