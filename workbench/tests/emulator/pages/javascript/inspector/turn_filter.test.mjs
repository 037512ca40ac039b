import assert from "node:assert/strict";
import { test } from "node:test";

import {
  choices,
  filtered,
  hasFailed,
  isFiltering,
  NO_FILTER,
} from "../../../../../bot_workbench/emulator/pages/assets/inspector_models/turn_filter.js";

const TURNS = [
  {
    id: "1",
    type: "message",
    text: "Hello CAFÉ",
    from: { id: "29:1", name: "User 2" },
    conversation: { id: "a", name: null },
    channel: "msteams",
    status: 200,
    outcome: "done",
    errors: 0,
  },
  {
    id: "2",
    type: "invoke",
    name: "composeExtension/query",
    conversation: { id: "b", name: "Design" },
    channel: "msteams",
    status: 501,
    outcome: "done",
    errors: 0,
  },
  { id: "3", type: "message", text: "crash", channel: "webchat", status: 200, errors: 1 },
];

const found = (differences, ids) =>
  filtered(TURNS, { ...NO_FILTER, ...differences }, ids).map((each) => each.id);

test("nothing is filtered at first", () => {
  assert.deepEqual(found({}), ["1", "2", "3"]);
  assert.equal(isFiltering(NO_FILTER), false);
  assert.equal(isFiltering({ ...NO_FILTER, text: "  " }), false);
  assert.equal(isFiltering({ ...NO_FILTER, failedOnly: true }), true);
});

test("a text is found in any case, all of its words, in every part of a row", () => {
  assert.deepEqual(found({ text: "café hello" }), ["1"]);
  assert.deepEqual(found({ text: "hello crash" }), []);
  assert.deepEqual(found({ text: "compose" }), ["2"]);
  assert.deepEqual(found({ text: "design" }), ["2"]);
  assert.deepEqual(found({ text: "user 2" }), ["1"]);
  assert.deepEqual(found({ text: "501" }), ["2"]);
});

test("a turn whose details have the text is found, too, unless another filter hides it", () => {
  assert.deepEqual(found({ text: "secret" }, new Set(["3"])), ["3"]);
  assert.deepEqual(found({ text: "secret", type: "invoke" }, new Set(["3"])), []);
});

test("type, channel, conversation and failure filter together", () => {
  assert.deepEqual(found({ type: "message" }), ["1", "3"]);
  assert.deepEqual(found({ channel: "webchat" }), ["3"]);
  assert.deepEqual(found({ conversation: "b" }), ["2"]);
  assert.deepEqual(found({ failedOnly: true }), ["2", "3"]);
  assert.deepEqual(found({ failedOnly: true, type: "message" }), ["3"]);
});

test("a turn has failed by its outcome, its errors or its status", () => {
  assert.equal(hasFailed({ outcome: "failed", errors: 0, status: 200 }), true);
  assert.equal(hasFailed({ outcome: "running", errors: 0, status: null }), false);
});

test("choices are each value once, with the page's own conversation first", () => {
  const known = choices(TURNS);
  assert.deepEqual(known.types, ["invoke", "message"]);
  assert.deepEqual(known.channels, ["msteams", "webchat"]);
  assert.deepEqual(known.conversations, [
    ["a", "a"],
    ["b", "Design"],
  ]);
  assert.deepEqual(choices(TURNS, "b").conversations, [
    ["b", "This conversation"],
    ["a", "a"],
  ]);
});
