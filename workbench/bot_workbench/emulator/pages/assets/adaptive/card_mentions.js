// Prepares a card's JSON for rendering: mentions become marked names. Source: Microsoft Learn,
// "Format cards in Teams", mention support.

import { isObject, object, objects, text } from "./values.js";

const TEXT_FIELDS = new Set(["text", "value", "title"]);

/** The names of `msteams.entities` by their text, such as "<at>Ada</at>". */
function mentionNames(card) {
  const mentions = objects(object(card?.msteams).entities).filter(({ type }) => type === "mention");
  return new Map(
    mentions.map(({ text: tag, mentioned }) => [text(tag), text(object(mentioned).name)]),
  );
}

/** A copy of the card: its texts have `**name**` for a mention, and plain names for other tags. */
export function withMentions(card) {
  const names = mentionNames(card);
  const replace = (words) =>
    words.replace(/<at>(.*?)<\/at>/g, (tag, inner) =>
      names.get(tag) ? `**@${names.get(tag)}**` : inner,
    );
  const walk = (node, field) => {
    if (typeof node === "string") return TEXT_FIELDS.has(field) ? replace(node) : node;
    if (Array.isArray(node)) return node.map((each) => walk(each, field));
    if (!isObject(node)) return node;
    return Object.fromEntries(
      Object.entries(node).map(([name, value]) => [
        name,
        name === "data" ? value : walk(value, name),
      ]),
    );
  };
  return walk(card, "");
}

/** Whether the card takes the whole width of the chat. */
export function isFullWidth(card) {
  return text(object(card?.msteams).width).toLowerCase() === "full";
}

/** The refresh action if this user's view refreshes by itself, else null. Without userIds, Teams
 * refreshes for everybody in chats of up to 60 members. */
export function automaticRefresh(card, userId) {
  const { action, userIds } = object(card?.refresh);
  if (!isObject(action) || action.type !== "Action.Execute") return null;
  const everybody = userIds === undefined || userIds === null;
  return everybody || (Array.isArray(userIds) && userIds.includes(userId)) ? action : null;
}

/** The refresh action for the message's menu, else null. */
export function manualRefresh(card) {
  const { action } = object(card?.refresh);
  return isObject(action) && action.type === "Action.Execute" ? action : null;
}
