import assert from "node:assert/strict";
import { test } from "node:test";
import * as outbox from "../../../../bot_workbench/emulator/pages/assets/model/outbox.js";

function storage(entries = {}) {
  const kept = new Map(Object.entries(entries));
  return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
}

function entry(clientId, conversation = "a:1") {
  return { clientId, conversation, activity: { type: "message", text: clientId }, at: 0 };
}

const TWO = outbox.queued(outbox.queued([], entry("a")), entry("b"));

test("messages are sent in order, one at a time", () => {
  assert.equal(outbox.nextToSend(TWO).clientId, "a");
  assert.equal(outbox.nextToSend(outbox.withState(TWO, "a", "sending")), null);
  assert.equal(outbox.nextToSend(outbox.without(TWO, "a")).clientId, "b");
  assert.equal(outbox.nextToSend([]), null);
});

test("one that failed does not hold up the others", () => {
  const failed = outbox.withState(TWO, "a", "failed", "No.");
  assert.equal(outbox.nextToSend(failed).clientId, "b");
  assert.equal(failed[0].reason, "No.");
});

test("what the transcript has is not pending", () => {
  const arrived = [{ type: "message", clientId: "a" }, { type: "message" }];
  assert.deepEqual(outbox.withoutArrived(TWO, arrived), [TWO[1]]);
  assert.equal(outbox.withoutArrived(TWO, [{ type: "message" }]), TWO);
});

test("a reload keeps the messages, and sends the one on its way again", () => {
  const kept = storage();
  outbox.keepOutbox(kept, outbox.withState(TWO, "a", "sending"));
  assert.deepEqual(outbox.keptOutbox(kept), TWO);
});

test("a message shows its text, or what it has in place of one", () => {
  const text = (activity, more = {}) => outbox.textOf({ activity, state: "waiting", ...more });
  const card = { attachments: [{}] };
  const submitted = { value: { choice: 1 } };
  assert.deepEqual([text({ text: "a" }), text({ text: "a" }, { shown: "b" })], ["a", "b"]);
  assert.deepEqual([text(card), text({ text: "a" }, { shown: null }), text(submitted)], [
    "A card",
    "",
    "",
  ]);
  assert.equal(text(submitted, { state: "failed" }), "The answer to a card");
});

test("what is no outbox is none", () => {
  assert.deepEqual(outbox.keptOutbox(storage()), []);
  assert.deepEqual(outbox.keptOutbox(storage({ "local-chat.outbox": "{" })), []);
  assert.deepEqual(outbox.keptOutbox(storage({ "local-chat.outbox": "7" })), []);
});

test("a storage that is full forgets, and does not fail", () => {
  const full = {
    setItem() {
      throw new Error("QuotaExceededError");
    },
  };
  outbox.keepOutbox(full, TWO);
});

test("each conversation has its own", () => {
  const mixed = [...TWO, entry("c", "19:x")];
  assert.deepEqual(
    outbox.entriesOf(mixed, "19:x").map(({ clientId }) => clientId),
    ["c"],
  );
});
