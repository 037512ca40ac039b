// What the app's manifest offers to the user, as GET /api/chat/app has it.

import { list, object, objects, text } from "../adaptive/values.js";

/** The extension's commands of a kind: "query" or "action". Without `type`, Teams takes "query". */
export function extensionCommands(app, type) {
  const commands = objects(object(app).composeExtensions).flatMap((each) =>
    each.commands === undefined ? [each] : objects(each.commands),
  );
  return commands.filter((each) => (text(each.type) || "query") === type && text(each.id));
}

/** The action commands that a place offers: "compose", "message" or "commandBox". Default: the first and the last. */
export function actionCommands(app, place) {
  return extensionCommands(app, "action").filter(({ context }) =>
    (list(context).length ? list(context) : ["compose", "commandBox"]).includes(place),
  );
}

/** The command of the free form, for an app without a manifest. */
export function freeCommand(type, id, parameter) {
  const parameters = parameter ? [{ name: parameter, title: parameter }] : [];
  return {
    id,
    type,
    title: id,
    parameters,
    fetchTask: type === "action",
    context: ["compose", "message"],
  };
}

/** What users may say, in a chat of this kind: [{title, description}]. */
export function promptStarters(app, kind) {
  const scope = { personal: "personal", group: "groupChat", channel: "team" }[kind] ?? kind;
  const known = object(app);
  const lists = objects(
    known.commandLists ?? known.bots?.flatMap?.((bot) => list(object(bot).commandLists)),
  );
  const scoped = lists.filter(({ scopes }) =>
    list(scopes).some((each) => text(each).toLowerCase() === scope.toLowerCase()),
  );
  const commands = lists.length
    ? scoped.flatMap((each) => objects(each.commands))
    : objects(known.commands);
  return commands.filter(({ title }) => text(title)).slice(0, 12);
}

/** The first link in the text whose domain the app handles, else null. */
export function unfurledLink(app, words) {
  const domains = objects(
    object(app).messageHandlers ??
      objects(object(app).composeExtensions).flatMap((each) => list(each.messageHandlers)),
  )
    .filter(({ type }) => type === "link")
    .flatMap((each) => list(each.domains ?? object(each.value).domains))
    .map((each) => text(each).toLowerCase());
  const links = text(words).match(/https?:\/\/[^\s<>"']+/gi) ?? [];
  return (
    links.find(
      (link) =>
        URL.canParse(link) && domains.some((domain) => matches(new URL(link).hostname, domain)),
    ) ?? null
  );
}

function matches(host, domain) {
  if (domain.startsWith("*."))
    return host.endsWith(domain.slice(1)) && host.length > domain.length - 1;
  return host === domain;
}
