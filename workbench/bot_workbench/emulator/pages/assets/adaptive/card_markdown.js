// Markdown in cards: the part that Teams renders there (bold, italic, lists, links).

import { linkBesideThePage } from "../text/markdown.js";

const UNSUPPORTED = [
  "image",
  "heading",
  "lheading",
  "table",
  "code",
  "fence",
  "backticks",
  "blockquote",
  "hr",
];

let renderer = null;

/** The HTML of a card's text. */
export function cardMarkdown(words) {
  renderer ??= made();
  return renderer.render(words);
}

function made() {
  const found = globalThis
    .markdownit({ html: false, breaks: true, linkify: false })
    .disable(UNSUPPORTED);
  found.renderer.rules.link_open = linkBesideThePage;
  return found;
}
