import { html } from "/assets/libraries/htm.js";

/** The HTML of a message's text. */
export function CitedText({ html: written }) {
  return html`<div dangerouslySetInnerHTML=${{ __html: written }}></div>`;
}
