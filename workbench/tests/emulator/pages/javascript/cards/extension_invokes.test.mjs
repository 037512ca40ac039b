import assert from "node:assert/strict";
import { test } from "node:test";
import {
  actionCommands,
  extensionCommands,
  promptStarters,
  unfurledLink,
} from "../../../../../bot_workbench/emulator/pages/assets/extensions/app_commands.js";
import {
  actionValue,
  isAsked,
  messagePayload,
  queryValue,
} from "../../../../../bot_workbench/emulator/pages/assets/extensions/extension_invokes.js";

const search = { id: "search", type: "query", parameters: [{ name: "title" }] };

test("a search starts with initialRun, then has what is typed, and pages", () => {
  assert.deepEqual(queryValue(search, {}, 0), {
    commandId: "search",
    parameters: [{ name: "initialRun", value: "true" }],
    queryOptions: { skip: 0, count: 25 },
  });
  const typed = queryValue(search, { title: "waves" }, 25, "code");
  assert.deepEqual(typed.parameters, [{ name: "title", value: "waves" }]);
  assert.equal(typed.queryOptions.skip, 25);
  assert.equal(typed.state, "code");
});

test("nothing is asked before the user types, but for an initial run", () => {
  assert.equal(isAsked(search, {}), false);
  assert.equal(isAsked(search, { title: "" }), false);
  assert.equal(isAsked(search, { title: "w" }), true);
  assert.equal(isAsked({ ...search, initialRun: true }, {}), true);
});

test("an action has its context, and nothing that is not known", () => {
  const value = actionValue({ id: "create" }, "compose", { data: { a: 1 }, theme: "dark" });
  assert.deepEqual(value, {
    data: { a: 1 },
    context: { theme: "dark" },
    commandId: "create",
    commandContext: "compose",
  });
});

test("a message's payload has the sender, the text, and cards as JSON text", () => {
  const content = { type: "AdaptiveCard" };
  const payload = messagePayload(
    {
      id: "7",
      text: "Hi <at>Bot</at>",
      from: { id: "29:x", name: "You", aadObjectId: "guid" },
      attachments: [{ contentType: "card", content }],
      entities: [{ type: "mention", text: "<at>Bot</at>", mentioned: { id: "28:b", name: "Bot" } }],
    },
    { id: "19:c" },
  );
  assert.equal(payload.body.contentType, "html");
  assert.equal(payload.from.user.displayName, "You");
  assert.equal(payload.from.application, null);
  assert.equal(payload.attachments[0].content, JSON.stringify(content));
  assert.equal(payload.mentions[0].mentionText, "Bot");
  const bot = messagePayload(
    { id: "8", text: "x", from: { id: "28:app", name: "Bot" } },
    { id: "c" },
  );
  assert.equal(bot.from.application.id, "app");
  assert.equal(bot.from.user, null);
});

test("commands are offered by type and place", () => {
  const app = {
    composeExtensions: [
      search,
      { id: "create", type: "action", context: ["message"] },
      { id: "new", type: "action", context: ["compose", "commandBox"] },
    ],
  };
  assert.deepEqual(
    extensionCommands(app, "query").map(({ id }) => id),
    ["search"],
  );
  assert.deepEqual(
    actionCommands(app, "message").map(({ id }) => id),
    ["create"],
  );
  assert.deepEqual(
    actionCommands(app, "compose").map(({ id }) => id),
    ["new"],
  );
  assert.deepEqual(extensionCommands(null, "query"), []);
});

test("prompt starters are the commands of the conversation's scope", () => {
  const help = { title: "help", scopes: ["personal", "groupchat"] };
  const report = { title: "report", scopes: ["team"] };
  const app = { commands: [help, report] };
  assert.deepEqual(promptStarters(app, "personal"), [help]);
  assert.deepEqual(promptStarters(app, "group"), [help]);
  assert.deepEqual(promptStarters(app, "channel"), [report]);
  assert.deepEqual(promptStarters({}, undefined), []);
});

test("a link is looked up only for the app's domains", () => {
  const domains = ["example.com", "*.shop.example"];
  const app = { messageHandlers: [{ type: "link", value: { domains } }] };
  assert.equal(unfurledLink(app, "see https://example.com/a now"), "https://example.com/a");
  assert.equal(unfurledLink(app, "https://www.shop.example/x"), "https://www.shop.example/x");
  assert.equal(unfurledLink(app, "https://shop.example/x"), null);
  assert.equal(unfurledLink(app, "https://notexample.com/a"), null);
  assert.equal(unfurledLink(app, "no link"), null);
});
