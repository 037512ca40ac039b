import { html } from "/assets/libraries/htm.js";
import { statusShown } from "../model/status.js";

/** A dot, and words for it. */
export function StatusDot({ state }) {
  const { state: name, label } = statusShown(state);
  return html`<span class="status" data-state=${name}>
    <span class="status__dot" aria-hidden="true"></span>
    <span role="status">${label}</span>
  </span>`;
}

/** What is wrong, for as long as it is. */
export function StatusBanner({ context }) {
  const { state, label, text } = statusShown(context.state);
  if (state === "broken") {
    return html`<div class="banner banner--bad" role="alert">
      <strong>The last change does not load.</strong> <code>${text}</code>
    </div>`;
  }
  if (state === "blocked") {
    return html`<div class="banner banner--bad" role="alert">
      <strong>The bot's event loop is blocked</strong> by <code>${text}</code>. The next
      save starts a new process.
    </div>`;
  }
  if (state === "stopped") {
    return html`<div class="banner banner--warn" role="status">
      <strong>${label}.</strong> ${text}
    </div>`;
  }
  return null;
}
