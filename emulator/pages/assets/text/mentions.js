/** Mentions: `<at>Name</at>` in a text, and an entity for each. */

/** The word that is being typed after an `@` before the caret; null without one. */
export function mentionQuery(text, caret) {
  const before = text.slice(0, caret);
  const match = /(?:^|[\s(])@([^\s@]{0,30})$/u.exec(before);
  return match && { query: match[1], start: caret - match[1].length - 1 };
}

/** Members whose name fits, those that start with the query first. */
export function matchingMembers(members, query) {
  const wanted = query.toLocaleLowerCase();
  const ranked = members
    .map((member) => ({ member, at: member.name.toLocaleLowerCase().indexOf(wanted) }))
    .filter(({ at }) => at >= 0);
  ranked.sort((one, other) => Math.min(one.at, 1) - Math.min(other.at, 1));
  return ranked.map(({ member }) => member);
}

/** The text and the caret after the query was replaced by a name. */
export function withMention(text, caret, { start }, name) {
  const inserted = `@${name} `;
  const after = text.slice(caret).replace(/^ /, "");
  return { text: text.slice(0, start) + inserted + after, caret: start + inserted.length };
}

function escaped(name) {
  return name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

/**
 * A typed text as Teams sends it: `@Name` of those who were picked becomes `<at>Name</at>`.
 *
 * @param {string} typed what stands in the composer.
 * @param {Array<{id: string, name: string}>} picked from the list of members.
 * @returns {{text: string, entities: Array}}
 */
export function mentionsIn(typed, picked) {
  const byName = new Map(picked.map((member) => [member.name, member]));
  if (byName.size === 0) return { text: typed, entities: [] };
  const longestFirst = [...byName.keys()].sort((one, other) => other.length - one.length);
  const pattern = new RegExp(`@(${longestFirst.map(escaped).join("|")})(?![\\p{L}\\p{N}])`, "gu");
  const entities = [];
  const text = typed.replace(pattern, (_, name) => {
    const { id } = byName.get(name);
    const written = `<at>${name}</at>`;
    entities.push({ type: "mention", mentioned: { id, name }, text: written });
    return written;
  });
  return { text, entities };
}

/** The typed form of a text with mentions, to edit it again. */
export function typedForm({ text = "", entities = [] }) {
  const picked = entities
    .filter(({ type }) => type === "mention")
    .map(({ mentioned }) => mentioned);
  const typed = text.replace(/<at(?:\s[^>]*)?>(.*?)<\/at>/gis, (_, name) => `@${name}`);
  return { typed, picked };
}
