import { html } from "/assets/libraries/htm.js";
import { plainText, shortened } from "../text/plain_text.js";

const LENGTH = 160;

/** The message that a message of a person's replies to. */
export function Quote({ activity, context }) {
  const quoted = quotedItem(activity, context);
  if (!quoted) return null;
  const { from, text } = quoted.activity;
  return html`<blockquote class="quote">
    <span class="quote__name">${quoted.own ? "You" : from?.name}</span>
    <span>${shortened(plainText(text || "A card or a file"), LENGTH)}</span>
  </blockquote>`;
}

/** A bot's replies name what they reply to, too; Teams shows that for people's only. */
function quotedItem(activity, { state }) {
  const id = activity.channelData?.quotedMessageId;
  return id && state.transcript.items.find((item) => item.id === id);
}
