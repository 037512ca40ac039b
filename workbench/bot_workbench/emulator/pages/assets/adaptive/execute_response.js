// Reads the bot's response to adaptiveCard/action. Source: Microsoft Learn, "Universal Actions for
// Adaptive Cards", response format.

import { isObject, kindOf, object, text } from "./values.js";

const CARD = "application/vnd.microsoft.card.adaptive";
const MESSAGE = "application/vnd.microsoft.activity.message";
const LOGIN = "application/vnd.microsoft.activity.loginRequest";
const BAD_STATE = "application/vnd.microsoft.error.incorrectAuthCode";
const PRECONDITION = "application/vnd.microsoft.error.preconditionFailed";

const failed = (title, detail) => ({ kind: "error", title, detail });

/** {kind: "card", card} | {kind: "message", text} | {kind: "signIn", card} |
 * {kind: "again", detail} | {kind: "error", title, detail}. */
export function readExecuteResponse({ status, body }) {
  const unanswered = readStatus({ status, body }, "adaptiveCard/action");
  if (unanswered && !isObject(body)) return unanswered;
  if (!isObject(body))
    return failed(
      "The bot's response cannot be shown",
      `The body is ${kindOf(body)}; Teams needs {statusCode, type, value}.`,
    );
  const { statusCode, type, value } = body;
  if (typeof statusCode !== "number") {
    return (
      unanswered ??
      failed("The bot's response cannot be shown", `statusCode is ${kindOf(statusCode)}.`)
    );
  }
  if (type === LOGIN || statusCode === 401) return login(value);
  if (type === PRECONDITION || type === BAD_STATE || statusCode === 412)
    return { kind: "again", detail: errorText(value) };
  if (statusCode !== 200)
    return failed(`The bot refused the action (${statusCode})`, errorText(value));
  if (type === CARD)
    return isObject(value)
      ? { kind: "card", card: value }
      : failed("The card is missing", `value is ${kindOf(value)}.`);
  if (type === MESSAGE)
    return typeof value === "string"
      ? { kind: "message", text: value }
      : failed("The message is missing", `value is ${kindOf(value)}.`);
  return failed(
    "The bot's response cannot be shown",
    `type is ${kindOf(type)}; Teams knows ${CARD} and ${MESSAGE}.`,
  );
}

/** The error that an HTTP status is; null for 2xx. */
export function readStatus({ status, body }, name) {
  if (status >= 200 && status < 300) return null;
  if (status === 501)
    return failed(
      `The bot does not handle ${name}`,
      text(object(object(body).error).message) || "It answered 501.",
    );
  if (status === 502)
    return failed("The bot cannot be reached", "It may be starting, or its code does not load.");
  if (status === 504) return failed("The bot took too long", `Teams waits 15 seconds for ${name}.`);
  return failed(`The bot answered ${status}`, errorText(body) || `to ${name}.`);
}

function login(value) {
  if (!isObject(value))
    return failed(
      "The bot asks for a sign-in",
      `value is ${kindOf(value)}; Teams needs an OAuth card's content.`,
    );
  return { kind: "signIn", card: value };
}

function errorText(value) {
  const { code, message, error } = object(value);
  if (isObject(error)) return errorText(error);
  return (
    [code, message].map(text).filter(Boolean).join(": ") || (typeof value === "string" ? value : "")
  );
}
