import { html } from "/assets/libraries/htm.js";

const LOST = {
  connecting: { state: "starting", label: "Connecting" },
  lost: {
    state: "stopped",
    label: "Local cloud stopped",
    text: "make run is not running. The page connects again by itself.",
  },
};
const LABELS = {
  starting: "Bot is starting",
  loading: "Bot is reloading",
  reloading: "Bot is reloading",
  ready: "Bot is ready",
  broken: "Bot does not load",
  stopped: "Bot is stopped",
};

/** What a person sees of connection and bot: `{state, label, text}`. */
export function statusShown({ connection, status }) {
  if (connection !== "connected") return LOST[connection];
  return { state: status.state, label: LABELS[status.state] ?? status.state, text: status.text };
}

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
  if (state === "stopped") {
    return html`<div class="banner banner--warn" role="status">
      <strong>${label}.</strong> ${text}
    </div>`;
  }
  return null;
}
