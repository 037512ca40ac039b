import { html } from "/assets/libraries/htm.js";

/** What became of a user's message on its way to the bot; or, below the last message of a turn that
 * failed, a link to that turn. */
export function DeliveryState({ delivery, id, context }) {
  if (!delivery) return null;
  const { state, status, text, turn } = delivery;
  if (state === "held") return html`<span class="delivery">Waiting for the bot…</span>`;
  if (state === "unsent") return html`<span class="delivery">${text}</span>`;
  const showTurn = html`<button
    type="button"
    class="link-button"
    onClick=${() => context.showTurn(turn)}
  >
    Show the turn
  </button>`;
  if (state === "apology") return showTurn;
  if (state !== "failed") return null;
  const retry = () => context.attempt(() => context.api.retry(id));
  const said = text || (status ? `The bot answered ${status}.` : "Not delivered.");
  return html`<span class="delivery delivery--failed" role="alert">${said}</span>
    ${turn && showTurn}
    <button type="button" class="link-button" onClick=${retry}>Retry</button>`;
}
