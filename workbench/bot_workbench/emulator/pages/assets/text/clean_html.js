/** The part of HTML that Teams shows in messages of text format xml. */

const TAGS = new Set([
  ..."a at b blockquote br code div em h1 h2 h3 hr i li ol p pre s span strike".split(" "),
  ..."strong sub sup table tbody td th thead tr u ul".split(" "),
]);
const DROPPED = new Set("script style iframe object embed template svg math title head".split(" "));

/** The HTML with allowed elements only, without attributes but a link's. */
export function cleaned(text) {
  const parsed = new DOMParser().parseFromString(text, "text/html");
  const holder = document.createElement("div");
  copyChildren(parsed.body, holder);
  return holder.innerHTML;
}

function copyChildren(from, to) {
  for (const node of from.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) to.append(node.textContent);
    else if (node.nodeType === Node.ELEMENT_NODE) copyElement(node, to);
  }
}

function copyElement(element, to) {
  const name = element.localName;
  if (DROPPED.has(name)) return;
  if (!TAGS.has(name)) {
    copyChildren(element, to);
    return;
  }
  const copy = document.createElement(name === "at" ? "span" : name);
  if (name === "at") copy.className = "mention";
  const href = element.getAttribute("href") ?? "";
  if (name === "a" && /^(https?:|mailto:)/i.test(href)) {
    Object.assign(copy, { href, target: "_blank", rel: "noopener noreferrer" });
  }
  copyChildren(element, copy);
  to.append(copy);
}
