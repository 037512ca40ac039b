import { html, useMemo } from "/assets/libraries/htm.js";
import { CitedText } from "../cards/cited_text.js";
import { textHtml } from "../text/text_html.js";

/** A message's text, as its `textFormat` says. */
export function MessageText({ item }) {
  const { activity, own } = item;
  const written = useMemo(() => textHtml(activity, own), [activity, own]);
  if (!activity.text && item.streaming)
    return html`<span class="working"><span></span><span></span><span></span></span>`;
  if (!activity.text) return html`<span class="quiet">This message has no text.</span>`;
  return html`<div class="text">
    <${CitedText} html=${written} activity=${activity} />
  </div>`;
}
