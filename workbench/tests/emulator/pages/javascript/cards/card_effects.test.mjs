import assert from "node:assert/strict";
import { test } from "node:test";
import {
  cardActionEffect,
  executeValue,
  openUrl,
  submitEffect,
} from "../../../../../bot_workbench/emulator/pages/assets/adaptive/card_effects.js";

test("Action.Submit sends a message with the inputs as its value and no text", () => {
  const effect = submitEffect({ order: 7, note: "typed" });
  assert.deepEqual(effect, {
    do: "send",
    activity: { type: "message", value: { order: 7, note: "typed" } },
  });
  assert.deepEqual(submitEffect(undefined).activity.value, {});
  assert.equal(submitEffect("yes").activity.value, "yes");
});

test("messageBack sends its text and value, merged with the inputs, and shows another text", () => {
  const msteams = { type: "messageBack", text: "sent", displayText: "shown", value: { a: 1 } };
  const effect = submitEffect({ msteams, note: "typed" });
  assert.equal(effect.activity.text, "sent");
  assert.equal(effect.activity.value.a, 1);
  assert.equal(effect.activity.value.note, "typed");
  assert.equal(effect.shown, "shown");
  assert.equal(cardActionEffect({ type: "messageBack", text: "x" }).shown, null);
});

test("messageBack sends only what it has", () => {
  const { activity, shown } = cardActionEffect({ type: "messageBack", displayText: "shown" });
  assert.equal(JSON.stringify(activity), '{"type":"message"}');
  assert.equal(shown, "shown");
});

test("imBack says its value", () => {
  const effect = submitEffect({ msteams: { type: "imBack", value: "menu" } });
  assert.deepEqual(effect.activity, { type: "message", text: "menu" });
  assert.equal(cardActionEffect({ type: "imBack" }).do, "explain");
});

test("task/fetch opens a dialog with the whole data, in each of its spellings", () => {
  const submitted = submitEffect({ msteams: { type: "task/fetch" }, room: "Blue" });
  assert.equal(submitted.do, "dialog");
  assert.equal(submitted.value.data.room, "Blue");
  const invoke = cardActionEffect({ type: "invoke", value: { type: "task/fetch", id: 3 } });
  assert.deepEqual(invoke.value, { data: { type: "task/fetch", id: 3 } });
  const asText = cardActionEffect({ type: "invoke", value: '{"type":"task/fetch"}' });
  assert.equal(asText.do, "dialog");
});

test("an invoke without task/fetch sends its value without a name", () => {
  const effect = cardActionEffect({ type: "invoke", value: { vote: "yes" } });
  assert.deepEqual(effect, { do: "invoke", name: undefined, value: { vote: "yes" } });
});

test("only http and https open", () => {
  assert.equal(openUrl("https://example.com/a").url, "https://example.com/a");
  for (const url of ["javascript:alert(1)", "data:text/html,x", "about:blank", "", undefined]) {
    assert.equal(openUrl(url).do, "explain");
    assert.equal(cardActionEffect({ type: "signin", value: url }).do, "explain");
  }
});

test("a type that Teams does not know is named", () => {
  assert.match(cardActionEffect({ type: "playAudio" }).detail, /"playAudio"/);
  assert.match(cardActionEffect({}).detail, /missing/);
});

test("on a card that a user has sent, the message extension gets Action.Submit", () => {
  assert.deepEqual(submitEffect({ vote: "yes" }, true), {
    do: "invoke",
    name: "composeExtension/onCardButtonClicked",
    value: { vote: "yes" },
  });
  assert.equal(submitEffect({ msteams: { type: "task/fetch" } }, true).do, "dialog");
});

test("Action.Execute sends its verb, and its data with the inputs", () => {
  const action = { id: "a", title: "Vote", verb: "vote", data: { choice: "yes", note: "x" } };
  const value = executeValue(action, "manual");
  assert.equal(value.trigger, "manual");
  assert.deepEqual(value.action, { type: "Action.Execute", ...action });
  const refresh = { type: "Action.Execute", verb: "v", data: {} };
  assert.deepEqual(executeValue({ verb: "v" }, "automatic").action, refresh);
});
