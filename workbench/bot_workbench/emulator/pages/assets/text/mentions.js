/** Mentions: `<at>Name</at>` in a text, and an entity for each. */

import { plainText } from "./plain_text.js";

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

/** A message as the draft that it was, to edit it. */
export function draftOf({ text = "", entities = [] }) {
  const picked = entities
    .filter(({ type }) => type === "mention")
    .map(({ mentioned }) => mentioned);
  return { text: text.replace(/<at(?:\s[^>]*)?>(.*?)<\/at>/gis, (_, name) => `@${name}`), picked };
}

/**
 * The draft that an Action.Compose puts into the composer.
 *
 * @param {object} message a `chatMessage` of Microsoft Graph, whose HTML has `<at id="0">Name</at>`
 *   for the mention of that id.
 */
export function composedDraft({ body, mentions = [] }) {
  const picked = [];
  const html = String(body?.content ?? "");
  const typed = html.replace(/<at\s+id="(\d+)"[^>]*>(.*?)<\/at>/gis, (_, number, name) => {
    const mention = mentions.find(({ id }) => String(id) === number);
    const { user, application } = mention?.mentioned ?? {};
    const { id } = user ?? application ?? {};
    if (id) picked.push({ id, name });
    return `@${name}`;
  });
  return { text: plainText(typed), picked };
}
