import { html, useState } from "/assets/libraries/htm.js";

/** Below a message that the bot still writes: that it goes on, and the button that stops it. */
export function Streaming({ activity, context }) {
  const [stopped, setStopped] = useState(false);
  const stop = async () => {
    setStopped(true);
    await context.attempt(() => context.api.stopStream(activity.id));
  };
  if (stopped) return html`<p class="quiet" role="status">You stopped this message.</p>`;
  return html`<div class="streaming">
    <span class="streaming__bar" role="progressbar" aria-label="The bot is writing"></span>
    <button type="button" class="button button--small" onClick=${stop}>Stop</button>
  </div>`;
}
