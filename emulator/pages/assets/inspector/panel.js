import { html } from "/assets/libraries/htm.js";

/** The inspector beside the chat. */
export function InspectorPanel({ turn, onClose }) {
  return html`<p>The inspector is being built.</p>`;
}
