import { html } from "/assets/libraries/htm.js";
import { MessageText } from "../bubbles/message_text.js";
import { textOf } from "../model/outbox.js";

const REASONS = {
  waiting: "Waiting for the local cloud",
  sending: "Sending",
};

/** A message that the local cloud does not have yet. */
export function Pending({ entry, context }) {
  const { clientId, activity, state, reason } = entry;
  const said = { ...activity, text: textOf(entry) };
  if (!said.text) return null;
  const discard = () => context.dispatch({ type: "sent", clientId });
  return html`<div role="group" class="group group--own" aria-label="You">
    <div class="group__content">
      <article class=${`message message--own message--${state}`}>
        <div class="bubble">
          <${MessageText} item=${{ activity: said, own: true }} />
        </div>
        <div class="message__foot">
          ${
            state === "failed"
              ? html`<span class="delivery delivery--failed" role="alert">${reason}</span>
                  <button
                    type="button"
                    class="link-button"
                    onClick=${() => context.client.again(clientId)}
                  >
                    Retry
                  </button>
                  <button type="button" class="link-button" onClick=${discard}>Discard</button>`
              : html`<span class="delivery">${REASONS[state]}…</span>`
          }
        </div>
      </article>
    </div>
  </div>`;
}
