import { html } from "/assets/libraries/htm.js";
import { quoteIn } from "../text/quotes.js";

/** The message that a message of a person's replies to. */
export function Quote({ activity }) {
  const quote = quoteIn(activity);
  if (quote === null) return null;
  return html`<blockquote class="quote">
    <span class="quote__name">${quote.name}</span>
    <span>${quote.preview}</span>
  </blockquote>`;
}
