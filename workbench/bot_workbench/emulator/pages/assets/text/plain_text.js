/** A text without its Markdown and its tags, for quotes, titles and screen readers. */

export function plainText(text) {
  return String(text)
    .replace(/<at(?:\s[^>]*)?>(.*?)<\/at>/gis, "@$1")
    .replace(/<[a-z/][^>]*>/gi, " ")
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/(\*\*|__|~~|`+)/g, "")
    .replace(/^\s{0,3}(#{1,6}\s+|[-*+]\s+|>\s?)/gm, "")
    .replace(/\s+/g, " ")
    .trim();
}

/** The start of a text, and an ellipsis if there is more; no character is split. */
export function shortened(text, length) {
  if (text.length <= length) return text;
  const end = /[\uD800-\uDBFF]/.test(text[length - 1]) ? length - 1 : length;
  return `${text.slice(0, end).trimEnd()}…`;
}
