import { html, render, useLayoutEffect, useRef } from "/assets/libraries/htm.js";
import { CitationMark } from "../ai/citation_mark.js";
import { citations, splitAtCitations } from "../ai/message_entity.js";

/**
 * The text of a message, with a mark for each of its citations.
 *
 * @param {string} html the text as safe HTML.
 * @param {object} activity the message with the citations.
 */
export function CitedText({ html: markup, activity }) {
  const place = useRef(null);
  const cited = citations(activity);
  useLayoutEffect(() => {
    place.current.innerHTML = markup;
    const hosts = markCitations(place.current, cited);
    for (const [host, citation] of hosts)
      render(html`<${CitationMark} citation=${citation} />`, host);
    return () => hosts.forEach(([host]) => render(null, host));
  }, [markup, JSON.stringify([...cited])]);
  return html`<div ref=${place}></div>`;
}

/** Replaces the marks in the texts by elements; returns each with its citation. */
function markCitations(root, cited) {
  if (!cited.size) return [];
  const texts = [];
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) texts.push(walker.currentNode);
  return texts.flatMap((node) => {
    const parts = splitAtCitations(node.data, cited);
    if (parts.every((part) => typeof part === "string")) return [];
    const hosts = [];
    const nodes = parts.map((part) => {
      if (typeof part === "string") return document.createTextNode(part);
      const host = document.createElement("span");
      hosts.push([host, cited.get(part)]);
      return host;
    });
    node.replaceWith(...nodes);
    return hosts;
  });
}
