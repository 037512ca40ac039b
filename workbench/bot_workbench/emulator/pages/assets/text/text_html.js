/** A message's text as HTML that is safe to show. */

import { botMarkdown, plainMarkdown } from "./markdown.js";
import { cleaned } from "./clean_html.js";

let markdown = null;
let plain = null;

/**
 * @param {object} activity with `text`, and `textFormat`: "markdown" (the default), "plain" or
 *   "xml".
 * @param {boolean} own people's texts are plain unless they say otherwise.
 */
export function textHtml(activity, own = false) {
  const text = String(activity.text ?? "");
  const textFormat = activity.textFormat ?? (own ? "plain" : "markdown");
  const mentioned = (activity.entities ?? []).filter((each) => each?.type === "mention");
  const env = { mentions: new Set(mentioned.map((each) => each.text)) };
  if (textFormat === "xml") return cleaned(text);
  plain ??= plainMarkdown(globalThis.markdownit);
  markdown ??= botMarkdown(globalThis.markdownit);
  return (textFormat === "plain" ? plain : markdown).render(text, env);
}
