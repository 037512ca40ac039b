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

/** At most so many characters. */
export function shortened(text, length) {
  const characters = [...text];
  return characters.length <= length
    ? text
    : `${characters
        .slice(0, length - 1)
        .join("")
        .trimEnd()}…`;
}
