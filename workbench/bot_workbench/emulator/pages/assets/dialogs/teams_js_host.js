// What a page in a dialog or a popup says to Teams through TeamsJS, and what Teams answers, as far
// as these need it. Source: OfficeDev/microsoft-teams-library-js, internal/communication.ts,
// dialogHelpers.ts and public/authentication.ts. The page must name this page's origin:
// `app.initialize(["http://localhost:3979"])`, which TeamsJS takes from version 2.50 on.

import { isObject, list } from "../adaptive/values.js";

const RUNTIME = {
  apiVersion: 4,
  hostVersionsInfo: {},
  isLegacyTeams: false,
  supports: { dialog: { url: { bot: {} }, update: {} } },
};
const SILENT = new Set([
  "appInitialization.appLoaded",
  "appInitialization.success",
  "registerHandler",
  "registerOnThemeChangeHandler",
]);

const ENDS = new Set([
  "tasks.submitTask",
  "tasks.completeTask",
  "authentication.authenticate.success",
]);

/**
 * The host's part of the protocol.
 *
 * @param message what the page has posted.
 * @param facts {frameContext, theme, locale, userObjectId, userPrincipalName, tenantId, chatId,
 *   sessionId}; `frameContext` is "task" or "authentication".
 * @returns {reply, submitted, failed, resized}: `reply` the arguments to answer with (null: no
 *   answer), `submitted` {result} when the page has ended, `failed` its reason, `resized`
 *   {width, height}. null: the message is none of TeamsJS.
 */
export function answerPage(message, facts) {
  if (!isObject(message) || typeof message.func !== "string") return null;
  const [first, second] = list(message.args);
  const answer = { reply: null, submitted: null, failed: null, resized: null };
  if (SILENT.has(message.func)) return answer;
  if (message.func === "initialize")
    return { ...answer, reply: [facts.frameContext, "web", JSON.stringify(RUNTIME), "2.0.1"] };
  if (message.func === "getContext") return { ...answer, reply: [context(facts)] };
  if (ENDS.has(message.func)) return { ...answer, submitted: { result: first } };
  if (message.func === "tasks.updateTask")
    return { ...answer, resized: isObject(first) ? first : {} };
  if (message.func === "authentication.authenticate.failure")
    return { ...answer, failed: String(first ?? "no reason given") };
  if (message.func.startsWith("appInitialization."))
    return { ...answer, failed: String(second ?? first ?? message.func) };
  return { ...answer, reply: [false, `${message.func} is not available in the local chat page.`] };
}

function context(facts) {
  return {
    theme: facts.theme === "dark" ? "dark" : "default",
    locale: facts.locale,
    frameContext: facts.frameContext,
    hostClientType: "web",
    hostName: "Teams",
    userObjectId: facts.userObjectId,
    userPrincipalName: facts.userPrincipalName,
    loginHint: facts.userPrincipalName,
    tid: facts.tenantId,
    chatId: facts.chatId,
    sessionId: facts.sessionId,
  };
}
