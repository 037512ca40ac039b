// What the app's manifest offers to the user, as GET /api/chat/app has it.

import { list, object, objects, text } from "../adaptive/values.js";

const SCOPES = { personal: "personal", group: "groupChat", channel: "team" };

/** The extension's commands of a kind: "query" or "action". */
export function extensionCommands(app, type) {
  const commands = objects(object(app).composeExtensions);
  return commands.filter((each) => each.type === type && text(each.id));
}

/** The action commands that a place offers: "compose" or "message". */
export function actionCommands(app, place) {
  return extensionCommands(app, "action").filter(({ context }) => list(context).includes(place));
}

/** The command of the free form, for an app without a manifest. */
export function freeCommand(type, id, parameter) {
  const parameters = parameter ? [{ name: parameter, title: parameter }] : [];
  return { id, type, title: id, parameters, initialRun: true, fetchTask: type === "action" };
}

/** What users may say, in a chat of this kind: [{title, description}]. */
export function promptStarters(app, kind) {
  const scope = SCOPES[kind]?.toLowerCase();
  return objects(object(app).commands)
    .filter(({ scopes }) => list(scopes).some((each) => text(each).toLowerCase() === scope))
    .filter(({ title }) => text(title))
    .slice(0, 12);
}

/** The first link in the text whose domain the app handles, else null. */
export function unfurledLink(app, words) {
  const domains = objects(object(app).messageHandlers)
    .filter(({ type }) => type === "link")
    .flatMap(({ value }) => list(object(value).domains))
    .map((each) => text(each).toLowerCase());
  const links = text(words).match(/https?:\/\/[^\s<>"']+/gi) ?? [];
  const isHandled = (link) =>
    URL.canParse(link) && domains.some((domain) => matches(new URL(link).hostname, domain));
  return links.find(isHandled) ?? null;
}

function matches(host, domain) {
  if (domain.startsWith("*."))
    return host.endsWith(domain.slice(1)) && host.length > domain.length - 1;
  return host === domain;
}
