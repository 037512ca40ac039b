import { html } from "/assets/libraries/htm.js";
import { statusShown } from "../model/status.js";
import { Avatar } from "../shared/avatar.js";

const HINTS = {
  ready: "Write something to start.",
  unknown: "What you write is sent as soon as the bot answers.",
};

/** A conversation in which nothing has been said. */
export function EmptyList({ context }) {
  const { state, label } = statusShown(context.state);
  const hint = HINTS[state] ?? `${label}. What you write is sent when it is ready.`;
  return html`<div class="empty">
    <${Avatar} id="bot" name="Bot" kind="bot" />
    <p>${hint}</p>
  </div>`;
}
