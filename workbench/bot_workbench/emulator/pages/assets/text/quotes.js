/**
 * Quoted messages: Teams puts them into the HTML of a message that replies to another, where bots
 * find them in an attachment of type text/html. The message's text has the reply only, which the
 * local cloud adds to that HTML.
 */

import { plainText, shortened } from "./plain_text.js";

const PREVIEW_LENGTH = 160;
const TYPE = "http://schema.skype.com/Reply";

function escaped(text) {
  const names = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return text.replace(/[&<>"]/g, (character) => names[character]);
}

function unescaped(text) {
  const characters = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"' };
  return text.replace(/&(?:amp|lt|gt|quot);/g, (entity) => characters[entity]);
}

/** The attachment of a message that replies to an item of the transcript. */
export function quoteOf({ id, activity }) {
  const { from = {}, text } = activity;
  const preview = shortened(plainText(text || "A card or a file"), PREVIEW_LENGTH);
  const person = `itemprop="mri" itemid="${escaped(from.id ?? "")}"`;
  const sender = `<strong ${person}>${escaped(from.name ?? "")}</strong>`;
  const said = `<p itemprop="preview">${escaped(preview)}</p>`;
  const message = `itemscope itemtype="${TYPE}" itemid="${escaped(id)}"`;
  const content = `<blockquote ${message}>${sender}${said}</blockquote>`;
  return { contentType: "text/html", content };
}

/** `{id, name, preview}` of what a message replies to; null if it replies to nothing. */
export function quoteIn(activity) {
  const found = (activity.attachments ?? []).find(
    (each) => each?.contentType === "text/html" && String(each.content).includes(TYPE),
  );
  if (found === undefined) return null;
  const part = (pattern) => unescaped(pattern.exec(found.content)?.[1] ?? "");
  return {
    id: part(/<blockquote[^>]*\sitemid="([^"]*)"/),
    name: part(/<strong[^>]*>(.*?)<\/strong>/s),
    preview: part(/<p itemprop="preview">(.*?)<\/p>/s),
  };
}
