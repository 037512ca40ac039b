import { html } from "/assets/libraries/htm.js";
import { IconButton } from "../shared/icons.js";

/** Something that went wrong, above the composer, until it is closed. */
export function Notice({ context }) {
  const { notice } = context.state;
  if (notice === null) return null;
  const close = () => context.dispatch({ type: "notice", notice: null });
  const { kind, text, turn } = notice;
  return html`<div class=${`notice notice--${kind}`} role=${kind === "error" ? "alert" : "status"}>
    <span class="notice__text">${text}</span>
    ${
      turn &&
      html`<button
        type="button"
        class="button button--small"
        onClick=${() => context.showTurn(turn)}
      >
        Show the turn
      </button>`
    }
    <${IconButton} icon="close" label="Close this message" onClick=${close} />
  </div>`;
}
