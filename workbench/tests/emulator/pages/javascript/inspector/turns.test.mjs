import assert from "node:assert/strict";
import { test } from "node:test";

import {
  EMPTY,
  MAX_LINES,
  MAX_TURNS,
  moved,
  received,
  scrolledTo,
  visibleRows,
} from "../../../../../bot_workbench/emulator/pages/assets/inspector_models/turns.js";

const turn = (id, more = {}) => ({ id, type: "message", outcome: "done", ...more });
const ids = (state) => state.turns.map((each) => each.id);

test("a greeting replaces what was known: the local cloud may be another one", () => {
  const before = received(EMPTY, { type: "turns", turns: [turn("old")] });
  const status = { state: "ready" };
  const after = received(before, { type: "hello", turns: [turn("new")], status, services: [] });
  assert.deepEqual(ids(after), ["new"]);
  assert.equal(after.status, status);
  assert.equal(after.greeted, true);
  assert.equal(before.greeted, false);
});

test("turns that change keep their place, new ones come last", () => {
  let state = received(EMPTY, { type: "turns", turns: [turn("1"), turn("2")] });
  const changed = turn("1", { outcome: "failed" });
  state = received(state, { type: "turns", turns: [changed, turn("3")] });
  assert.deepEqual(ids(state), ["1", "2", "3"]);
  assert.equal(state.turns[0], changed);
});

test("the oldest of more than a thousand turns is dropped", () => {
  const many = Array.from({ length: MAX_TURNS + 5 }, (_, index) => turn(String(index)));
  assert.deepEqual(ids(received(EMPTY, { type: "turns", turns: many })).slice(0, 1), ["5"]);
  assert.equal(received(EMPTY, { type: "hello", turns: many }).turns.length, MAX_TURNS);
});

test("log lines are kept up to a number, and cleared with the turns", () => {
  let state = EMPTY;
  for (let index = 0; index < MAX_LINES + 3; index += 1) {
    state = received(state, { type: "log", log: { text: String(index) } });
  }
  assert.equal(state.log.length, MAX_LINES);
  assert.equal(state.log.at(-1).text, String(MAX_LINES + 2));
  assert.deepEqual(received(state, { type: "cleared" }).log, []);
});

test("status and services are replaced; an unknown message changes nothing", () => {
  const state = received(EMPTY, { type: "status", status: { state: "broken" } });
  assert.equal(state.status.state, "broken");
  assert.equal(received(state, { type: "services", services: [1] }).services.length, 1);
  assert.equal(received(state, { type: "of a later version" }), state);
});

test("only rows in view are drawn, with a few around them", () => {
  assert.deepEqual(visibleRows(1000, 50, 5000, 500, 2), { first: 98, last: 112 });
  assert.deepEqual(visibleRows(3, 50, 0, 500), { first: 0, last: 3 });
  assert.deepEqual(visibleRows(0, 50, 900, 500), { first: 0, last: 0 });
  // The list has become shorter than it is scrolled, until the browser notices.
  assert.deepEqual(visibleRows(3, 50, 5000, 500), { first: 3, last: 3 });
});

test("scrolling shows a row in full, and only then", () => {
  assert.equal(scrolledTo(10, 50, 0, 300), 250);
  assert.equal(scrolledTo(1, 50, 200, 300), 50);
  assert.equal(scrolledTo(5, 50, 200, 300), 200);
});

test("keys move within the list, and the first arrow up starts at its end", () => {
  assert.equal(moved("ArrowDown", -1, 5, 3), 0);
  assert.equal(moved("ArrowUp", -1, 5, 3), 4);
  assert.equal(moved("ArrowDown", 4, 5, 3), 4);
  assert.equal(moved("PageUp", 4, 5, 3), 1);
  assert.equal(moved("Home", 4, 5, 3), 0);
  assert.equal(moved("End", 0, 5, 3), 4);
  assert.equal(moved("a", 0, 5, 3), null);
  assert.equal(moved("ArrowDown", 0, 0, 3), null);
});
