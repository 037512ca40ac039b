// Reads what a bot answers to a message extension's invokes. Source: Microsoft Learn, "Respond to
// search command", "Respond to action command", "Link unfurling", "Add authentication".

import {
  imageUrl,
  isObject,
  kindOf,
  list,
  object,
  objects,
  text,
  webUrl,
} from "../adaptive/values.js";
import { readTask } from "../dialogs/task_response.js";

/** An error for a response that Teams would not take. */
export const failed = (detail) => ({
  kind: "error",
  title: "The bot's response cannot be shown",
  detail,
});

/**
 * {kind: "results", layout, items} | {kind: "signIn", url, title, silent} |
 * {kind: "configure", url, title} | {kind: "message", text} | {kind: "preview", activity} |
 * what readTask returns | {kind: "close"}.
 */
export function readExtensionResponse({ body }) {
  if (body === null || body === undefined || body === "") return { kind: "close" };
  if (!isObject(body))
    return failed(
      `The body is ${kindOf(body)}; Teams needs {"composeExtension": {...}} or {"task": {...}}.`,
    );
  if (isObject(body.task)) return readTask(body.task);
  const { composeExtension } = body;
  if (composeExtension === undefined || composeExtension === null)
    return Object.keys(body).length &&
      !("composeExtension" in body || "task" in body || "cacheInfo" in body)
      ? failed(
          `The body has ${Object.keys(body).join(", ")}; Teams needs composeExtension or task.`,
        )
      : { kind: "close" };
  if (!isObject(composeExtension))
    return failed(`composeExtension is ${kindOf(composeExtension)}.`);
  return (
    readers[composeExtension.type]?.(composeExtension) ??
    failed(`composeExtension.type is ${kindOf(composeExtension.type)}; Teams knows ${TYPES}.`)
  );
}

const TYPES = "result, auth, silentAuth, config, message and botMessagePreview";

const readers = {
  result: readResults,
  auth: (response) => readSignIn(response, "auth"),
  silentAuth: (response) => readSignIn(response, "silentAuth"),
  config: readSettings,
  message: ({ text: words }) =>
    text(words)
      ? { kind: "message", text: text(words) }
      : failed("composeExtension.text is missing."),
  botMessagePreview: readPreview,
};

function readResults({ attachments, attachmentLayout }) {
  if (attachments !== undefined && !Array.isArray(attachments))
    return failed(`composeExtension.attachments is ${kindOf(attachments)}; Teams needs a list.`);
  const bad = list(attachments).findIndex((each) => !text(object(each).contentType));
  if (bad >= 0) return failed(`composeExtension.attachments[${bad}].contentType is missing.`);
  const items = objects(attachments).map(({ preview, ...attachment }) => ({
    attachment,
    preview: summary(isObject(preview) ? preview : attachment),
    tap: object(object(object(preview).content).tap),
  }));
  return { kind: "results", layout: attachmentLayout === "grid" ? "grid" : "list", items };
}

/** A result's row: title, text and image of its preview card. */
function summary({ content, name }) {
  const card = object(content);
  const texts = card.type === "AdaptiveCard" ? cardTexts(card) : [];
  const image = object(objects(card.images)[0]);
  return {
    title: text(card.title) || texts[0] || text(name) || "Untitled",
    text: [text(card.subtitle), text(card.text)].filter(Boolean).join(" · ") || texts[1] || "",
    image: imageUrl(image.url),
    imageText: text(image.alt),
  };
}

function cardTexts(node) {
  if (Array.isArray(node)) return node.flatMap(cardTexts);
  if (!isObject(node)) return [];
  const own = node.type === "TextBlock" ? [text(node.text)] : [];
  return [
    ...own,
    ...cardTexts(node.body),
    ...cardTexts(node.items),
    ...cardTexts(node.columns),
  ].filter(Boolean);
}

function readSignIn({ suggestedActions }, type) {
  const [action] = objects(object(suggestedActions).actions);
  const url = webUrl(object(action).value);
  if (!url)
    return failed(
      `composeExtension.suggestedActions.actions[0].value of type "${type}" is not an ` +
        "http(s) address.",
    );
  return {
    kind: "signIn",
    url,
    title: text(action.title) || "Sign in",
    silent: type === "silentAuth",
  };
}

function readSettings({ suggestedActions }) {
  const [action] = objects(object(suggestedActions).actions);
  const url = webUrl(object(action).value);
  if (!url)
    return failed(
      'composeExtension.suggestedActions.actions[0].value of type "config" is not an ' +
        "http(s) address.",
    );
  return { kind: "configure", url, title: text(action.title) || "Settings" };
}

function readPreview({ activityPreview }) {
  if (!isObject(activityPreview))
    return failed(
      `composeExtension.activityPreview is ${kindOf(activityPreview)}; Teams needs an activity.`,
    );
  if (!objects(activityPreview.attachments).length)
    return failed(
      "composeExtension.activityPreview.attachments is empty; Teams shows a card there.",
    );
  return { kind: "preview", activity: activityPreview };
}
