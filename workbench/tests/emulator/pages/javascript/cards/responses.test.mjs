import assert from "node:assert/strict";
import { test } from "node:test";
import {
  readChoices,
} from "../../../../../bot_workbench/emulator/pages/assets/adaptive/choice_search.js";
import {
  readExecuteResponse,
  readStatus,
} from "../../../../../bot_workbench/emulator/pages/assets/adaptive/execute_response.js";
import {
  dialogSize,
  otherBot,
  readTaskResponse,
} from "../../../../../bot_workbench/emulator/pages/assets/dialogs/task_response.js";
import {
  readExtensionResponse,
} from "../../../../../bot_workbench/emulator/pages/assets/extensions/extension_response.js";

const ADAPTIVE = "application/vnd.microsoft.card.adaptive";
const card = { type: "AdaptiveCard", version: "1.5" };
const executed = (body) => readExecuteResponse({ status: 200, body });
const extended = (composeExtension) => readExtensionResponse({ body: { composeExtension } });

test("Action.Execute: a card, a message, and a request to sign in are read", () => {
  assert.deepEqual(executed({ statusCode: 200, type: ADAPTIVE, value: card }), {
    kind: "card",
    card,
  });
  const message = "application/vnd.microsoft.activity.message";
  assert.equal(executed({ statusCode: 200, type: message, value: "Done" }).text, "Done");
  const login = "application/vnd.microsoft.activity.loginRequest";
  assert.equal(executed({ statusCode: 401, type: login, value: { text: "x" } }).kind, "signIn");
  const precondition = "application/vnd.microsoft.error.preconditionFailed";
  assert.equal(executed({ statusCode: 412, type: precondition, value: {} }).kind, "again");
});

test("Action.Execute: what is wrong with a response is named", () => {
  assert.match(executed({ statusCode: 200, type: "text/plain", value: "x" }).detail, /type/);
  assert.match(executed({ statusCode: 200, type: ADAPTIVE }).detail, /value is missing/);
  assert.match(executed({ type: ADAPTIVE, value: card }).detail, /statusCode is missing/);
  assert.match(executed(null).detail, /The body is null/);
  const error = "application/vnd.microsoft.error";
  const refused = executed({ statusCode: 400, type: error, value: { code: "Bad", message: "no" } });
  assert.equal(refused.title, "The bot refused the action (400)");
  assert.equal(refused.detail, "Bad: no");
});

test("an HTTP status other than 2xx is an error that names the invoke", () => {
  assert.equal(readStatus({ status: 200 }, "task/fetch"), null);
  assert.match(readStatus({ status: 501, body: null }, "task/fetch").title, /task\/fetch/);
  assert.match(readStatus({ status: 500, body: { error: { message: "x" } } }, "a").detail, /x/);
  assert.equal(readExecuteResponse({ status: 501, body: "" }).kind, "error");
});

test("dialogs: card, page, text and nothing are read", () => {
  const value = {
    title: "T",
    width: "small",
    height: 300,
    card: { contentType: ADAPTIVE, content: card },
  };
  const { dialog } = readTaskResponse({ status: 200, body: { task: { type: "continue", value } } });
  assert.deepEqual(dialog, { title: "T", width: 280, height: 300, completionBotId: "", card });
  const page = { type: "continue", value: { url: "https://example.com/" } };
  assert.equal(
    readTaskResponse({ status: 200, body: { task: page } }).dialog.url,
    "https://example.com/",
  );
  const message = { task: { type: "message", value: "Thanks" } };
  assert.equal(readTaskResponse({ status: 200, body: message }).text, "Thanks");
  for (const body of [null, "", {}, { task: null }, { task: {} }]) {
    assert.equal(readTaskResponse({ status: 200, body }).kind, "close");
  }
});

test("dialogs: the wrong field is named", () => {
  const detail = (task) => readTaskResponse({ status: 200, body: { task } }).detail;
  assert.match(detail({ type: "open" }), /task\.type is "open"/);
  assert.match(detail({ type: "continue" }), /task\.value is missing/);
  assert.match(detail({ type: "continue", value: {} }), /neither card nor url/);
  assert.match(detail({ type: "continue", value: { url: "javascript:x" } }), /task\.value\.url/);
  const hero = { contentType: "application/vnd.microsoft.card.hero", content: {} };
  assert.match(detail({ type: "continue", value: { card: hero } }), /card is of contentType/);
  assert.match(detail({ type: "message" }), /task\.value is missing/);
});

test("a dialog may end with another bot", () => {
  const bot = { id: "28:1a" };
  assert.equal(otherBot({ completionBotId: "" }, bot), null);
  assert.equal(otherBot({ completionBotId: "1A" }, bot), null);
  assert.match(otherBot({ completionBotId: "2b" }, bot).detail, /the bot 2b/);
});

test("sizes of dialogs are words or pixels", () => {
  assert.deepEqual(dialogSize({ width: "large", height: "medium" }), { width: 1100, height: 480 });
  assert.deepEqual(dialogSize({ width: 400, height: "250" }), { width: 400, height: 250 });
  assert.deepEqual(dialogSize({}), { width: 600, height: 480 });
});

test("message extensions: results have a preview, and what tapping them sends", () => {
  const tap = { type: "invoke", value: { id: 7 } };
  const hero = { contentType: "hero", content: { title: "T", subtitle: "S", text: "X", tap } };
  const { layout, items } = extended({
    type: "result",
    attachmentLayout: "grid",
    attachments: [{ contentType: "a", content: {}, preview: hero }],
  });
  assert.equal(layout, "grid");
  assert.deepEqual(items[0].attachment, { contentType: "a", content: {} });
  assert.equal(items[0].preview.title, "T");
  assert.equal(items[0].preview.text, "S · X");
  assert.deepEqual(items[0].tap, tap);
});

test("message extensions: an Adaptive Card without a preview shows its first texts", () => {
  const body = [
    {
      type: "Container",
      items: [
        { type: "TextBlock", text: "One" },
        { type: "TextBlock", text: "Two" },
      ],
    },
  ];
  const attachments = [{ contentType: ADAPTIVE, content: { type: "AdaptiveCard", body } }];
  const [{ preview }] = extended({ type: "result", attachments }).items;
  assert.deepEqual([preview.title, preview.text], ["One", "Two"]);
});

test("message extensions: auth, config, message and preview are read", () => {
  const suggestedActions = {
    actions: [{ type: "openUrl", value: "https://a.example/", title: "Go" }],
  };
  assert.equal(extended({ type: "auth", suggestedActions }).kind, "signIn");
  assert.equal(extended({ type: "config", suggestedActions }).url, "https://a.example/");
  assert.equal(extended({ type: "message", text: "Hm" }).text, "Hm");
  const activityPreview = {
    type: "message",
    attachments: [{ contentType: ADAPTIVE, content: card }],
  };
  assert.equal(extended({ type: "botMessagePreview", activityPreview }).kind, "preview");
  const task = { type: "message", value: "Hi" };
  assert.equal(readExtensionResponse({ body: { task } }).kind, "message");
  assert.equal(readExtensionResponse({ body: null }).kind, "close");
});

test("message extensions: the wrong field is named", () => {
  assert.match(extended({ type: "list" }).detail, /composeExtension\.type is "list"/);
  assert.match(extended({ type: "result", attachments: {} }).detail, /attachments is an object/);
  assert.match(
    extended({ type: "result", attachments: [{}] }).detail,
    /attachments\[0\]\.contentType/,
  );
  assert.match(extended({ type: "auth" }).detail, /suggestedActions\.actions\[0\]\.value/);
  assert.match(extended({ type: "botMessagePreview" }).detail, /activityPreview is missing/);
  assert.match(extended("x").detail, /composeExtension is "x"/);
  assert.match(readExtensionResponse({ body: { results: [] } }).detail, /results/);
});

test("choices that the bot finds are read; Teams shows fifteen", () => {
  const type = "application/vnd.microsoft.search.searchResponse";
  const results = Array.from({ length: 20 }, (_, index) => ({
    title: `T${index}`,
    value: `${index}`,
  }));
  const read = (body) => readChoices({ status: 200, body });
  assert.equal(read({ type, value: { results } }).length, 15);
  assert.throws(() => read({ type: "x", value: { results } }), /type is "x"/);
  assert.throws(() => read({ type, value: {} }), /value\.results is missing/);
  assert.throws(() => readChoices({ status: 501, body: null }), /application\/search/);
});
