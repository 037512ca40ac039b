import { html } from "/assets/libraries/htm.js";

/** An attachment of a message that is no plain image or file. */
export function Attachment({ attachment, context }) {
  return html`<p class="badge">${attachment.contentType}</p>`;
}
