import { html } from "/assets/libraries/htm.js";

/** Below a message that the bot still writes: that it goes on, and the button that stops it. */
export function Streaming({ activity, context }) {
  const stop = () => context.attempt(() => context.api.stopStream(activity.id));
  return html`<div class="streaming">
    <span class="streaming__bar" role="progressbar" aria-label="The bot is writing"></span>
    <button type="button" class="button button--small" onClick=${stop}>Stop</button>
  </div>`;
}

/** Below a streamed message that has no end: why. */
export function Unfinished({ activity }) {
  const text = activity.stopped
    ? "You stopped this message."
    : "The bot has not finished this message.";
  return html`<p class="quiet" role="status">${text}</p>`;
}
