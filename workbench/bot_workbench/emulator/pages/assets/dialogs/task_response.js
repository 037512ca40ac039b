// Reads what a bot answers to task/fetch and task/submit, and to the invokes of message extensions
// and of feedback. Source: Microsoft Learn, "Use dialogs with bots", "Invoke and dismiss dialogs".

import { isObject, kindOf, text, webUrl } from "../adaptive/values.js";

const CARD = "application/vnd.microsoft.card.adaptive";
const WIDTHS = { small: 280, medium: 600, large: 1100 };
const HEIGHTS = { small: 240, medium: 480, large: 800 };

const failed = (detail) => ({ kind: "error", title: "The dialog cannot be shown", detail });

/** {kind: "dialog", dialog} | {kind: "message", text} | {kind: "error", title, detail}. */
export function readTask(task, where = "task") {
  if (!isObject(task)) return failed(`${where} is ${kindOf(task)}; Teams needs {type, value}.`);
  if (task.type === "message") {
    if (!text(task.value))
      return failed(`${where}.value is ${kindOf(task.value)}; a message needs its text.`);
    return { kind: "message", text: text(task.value) };
  }
  if (task.type !== "continue") {
    return failed(`${where}.type is ${kindOf(task.type)}; Teams knows "continue" and "message".`);
  }
  if (!isObject(task.value))
    return failed(`${where}.value is ${kindOf(task.value)}; it needs a title and a card or url.`);
  return dialogOf(task.value, `${where}.value`);
}

/** What readTask returns, or {kind: "close"} for an empty body or an empty task. */
export function readTaskResponse({ status, body }) {
  if (status >= 200 && status < 300 && (body === null || body === undefined || body === ""))
    return { kind: "close" };
  if (!isObject(body)) return failed(`The body is ${kindOf(body)}; Teams needs {"task": {...}}.`);
  const { task } = body;
  if (task === undefined || task === null || (isObject(task) && !Object.keys(task).length))
    return { kind: "close" };
  return readTask(task);
}

/** The size in pixels: a word or a number of each side. */
export function dialogSize({ width, height }) {
  return { width: side(width, WIDTHS), height: side(height, HEIGHTS) };
}

function dialogOf(value, where) {
  const { title, card, url, fallbackUrl, completionBotId } = value;
  const shared = {
    title: text(title),
    ...dialogSize(value),
    completionBotId: text(completionBotId),
  };
  if (card !== undefined && card !== null) {
    const content = cardContent(card);
    if (!content)
      return failed(
        `${where}.card is ${describe(card)}; it needs an attachment with contentType ${CARD} and ` +
          "the card as content.",
      );
    return { kind: "dialog", dialog: { ...shared, card: content } };
  }
  const address = text(url) || text(fallbackUrl);
  if (!address) return failed(`${where} has neither card nor url.`);
  const safe = webUrl(address);
  if (!safe) return failed(`${where}.url is not an http(s) address: ${address}`);
  return { kind: "dialog", dialog: { ...shared, url: safe } };
}

function cardContent(card) {
  if (!isObject(card)) return null;
  if (card.type === "AdaptiveCard") return card;
  return card.contentType === CARD && isObject(card.content) ? card.content : null;
}

function describe(card) {
  if (!isObject(card)) return kindOf(card);
  return `of contentType ${kindOf(card.contentType)} with content ${kindOf(card.content)}`;
}

function side(value, words) {
  if (typeof value === "number" && value > 0) return value;
  const word = text(value).toLowerCase();
  if (Object.hasOwn(words, word)) return words[word];
  return Number.parseInt(word, 10) > 0 ? Number.parseInt(word, 10) : words.medium;
}

/** The error of a dialog that ends with another bot than this one; else null. */
export function otherBot(dialog, bot) {
  const id = dialog.completionBotId;
  if (!id || `28:${id}`.toLowerCase() === text(bot?.id).toLowerCase()) return null;
  return {
    title: "Another bot gets the result",
    detail: `Teams sends it to the bot ${id} (completionBotId), which does not run here.`,
  };
}

/** The context that Teams adds to what a dialog sends. */
export function dialogContext(theme) {
  return { theme: theme === "dark" ? "dark" : "default" };
}
