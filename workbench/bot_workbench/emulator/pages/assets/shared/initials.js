/** What stands in a round avatar: initials, and a hue that is always the same for an id. */

/** One or two letters for a name. */
export function initials(name) {
  const words = String(name ?? "")
    .replace(/\(.*?\)|[^\p{L}\p{N}\s]/gu, " ")
    .split(/\s+/)
    .filter(Boolean);
  if (words.length === 0) return "?";
  const first = [...words[0]][0];
  const last = words.length > 1 ? [...words.at(-1)][0] : "";
  return (first + last).toLocaleUpperCase();
}

/** A number below `count` for an id. */
export function tint(id, count = 8) {
  let hash = 0;
  for (const character of String(id ?? "")) hash = (hash * 31 + character.codePointAt(0)) >>> 0;
  return hash % count;
}
