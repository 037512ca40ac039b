// What pressing a card's button does, as data. Sources: Microsoft Learn, "Card actions" in Teams,
// "Adaptive Card actions" and "Use dialogs with bots".

import { isObject, object, parsed, text, webUrl } from "./values.js";

const problem = (detail) => ({
  do: "explain",
  title: "This button does nothing in Teams",
  detail,
});

/** Opens a page. */
export function openUrl(url) {
  const safe = webUrl(url);
  return safe
    ? { do: "open", url: safe }
    : problem(`The URL is not an http(s) address: ${text(url)}`);
}

/**
 * The effect of a CardAction: a button of a hero card, a suggested action, or the `msteams` object
 * of an Action.Submit. `data` is the Action.Submit's.
 */
export function cardActionEffect(action, data) {
  const { type, title, value } = action;
  const shown = text(title);
  if (type === "openUrl" || type === "downloadFile") return openUrl(value);
  if (type === "imBack") return said(text(value) || shown);
  if (type === "postBack")
    return { do: "send", activity: { type: "message", text: text(value), value } };
  if (type === "messageBack") return messageBack(action, data);
  if (type === "signin") return signIn(value);
  if (type === "invoke") return invoked(parsed(value), data);
  if (type === "task/fetch") return { do: "dialog", value: { data } };
  const kind = JSON.stringify(type) ?? "missing";
  return problem(`type is ${kind}; Teams knows openUrl, imBack, messageBack, invoke and signin`);
}

/**
 * The effect of an Action.Submit. `data` is the action's, with the inputs' values. On a card that a
 * user has sent, which is a message extension's, Teams asks the extension.
 */
export function submitEffect(data, isUsers = false) {
  if (isObject(object(data).msteams)) return cardActionEffect(data.msteams, data);
  const value = data ?? {};
  if (isUsers) return { do: "invoke", name: "composeExtension/onCardButtonClicked", value };
  return { do: "send", activity: { type: "message", value } };
}

/** The value of the invoke adaptiveCard/action. `trigger`: "manual", "automatic" for a refresh. */
export function executeValue(action, trigger) {
  const { id, title, verb, data } = action;
  const sent = { type: "Action.Execute", id, title, verb, data: data ?? {} };
  return { action: JSON.parse(JSON.stringify(sent)), trigger };
}

function said(words) {
  return words
    ? { do: "send", activity: { type: "message", text: words } }
    : problem("imBack has no value");
}

function messageBack(action, data) {
  const value = action.value === undefined ? data : parsed(action.value);
  const words = text(action.text) || undefined;
  const merged = isObject(value) && isObject(data) ? { ...data, ...value } : value;
  const activity = { type: "message", text: words, value: merged };
  // The bot's text may differ from what the chat shows; without displayText it shows nothing.
  return { do: "send", activity, shown: text(action.displayText) || null };
}

function signIn(value) {
  const safe = webUrl(value);
  return safe ? { do: "signIn", url: safe } : problem("The sign-in button has no http(s) address");
}

function invoked(value, data) {
  const type = object(value).type;
  const merged = isObject(value) && isObject(data) ? { ...data, ...value } : value;
  if (type === "task/fetch") return { do: "dialog", value: { data: merged } };
  // Teams sends the button's value as the invoke's, without a name.
  return { do: "invoke", name: undefined, value: merged };
}
