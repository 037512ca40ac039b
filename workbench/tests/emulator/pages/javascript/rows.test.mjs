import assert from "node:assert/strict";
import { test } from "node:test";
import {
  GROUP_MS,
  rowsOf,
  threadRowsOf,
} from "../../../../bot_workbench/emulator/pages/assets/model/rows.js";

const START = new Date(2026, 2, 4, 10, 0).getTime();

function item(key, from, minutes, more = {}) {
  const { activity, ...others } = more;
  const said = { from: { id: from }, text: key, ...activity };
  return { key, id: key, kind: "message", activity: said, at: START + minutes * 60_000, ...others };
}

function kinds(rows) {
  return rows.map(({ kind, items }) => (items ? items.map(({ key }) => key).join("") : kind));
}

test("consecutive messages of one sender are one group", () => {
  const rows = rowsOf([
    item("a", "me", 0),
    item("b", "me", 1),
    item("c", "bot", 1),
    item("d", "me", 2),
  ]);
  assert.deepEqual(kinds(rows), ["day", "ab", "c", "d"]);
});

test("a pause starts a group", () => {
  const pause = GROUP_MS / 60_000;
  const rows = rowsOf([item("a", "me", 0), item("b", "me", pause - 1), item("c", "me", 2 * pause)]);
  assert.deepEqual(kinds(rows), ["day", "ab", "c"]);
});

test("a day starts with its name, and groups do not go over midnight", () => {
  const rows = rowsOf([item("a", "me", 14 * 60 - 1), item("b", "me", 14 * 60)]);
  assert.deepEqual(kinds(rows), ["day", "a", "day", "b"]);
});

test("an event stands between groups", () => {
  const event = item("x", "me", 1, { kind: "event", text: "Joined" });
  assert.deepEqual(kinds(rowsOf([item("a", "me", 0), event, item("b", "me", 2)])), [
    "day",
    "a",
    "event",
    "b",
  ]);
});

test("what came after the last read message is marked", () => {
  const items = [item("a", "me", 0), item("b", "bot", 1), item("c", "bot", 1)];
  assert.deepEqual(kinds(rowsOf(items, "b")), ["day", "a", "b", "unread", "c"]);
  assert.deepEqual(kinds(rowsOf(items, "c")), ["day", "a", "bc"]);
});

test("what is not shown makes no row, not even a day's", () => {
  const answer = item("a", "me", 0, { activity: { text: "", value: {} } });
  assert.deepEqual(rowsOf([answer]), []);
});

test("a channel's threads stand where they start, with their replies", () => {
  const inThread = (key, thread, minutes) => item(key, "me", minutes, { activity: { thread } });
  const items = [inThread("1", "1", 0), inThread("2", "2", 1), inThread("3", "1", 2)];
  const rows = threadRowsOf(items);
  assert.deepEqual(
    rows.map(({ kind, thread, rows: inside }) => [kind, thread, inside && kinds(inside)]),
    [
      ["day", undefined, undefined],
      ["thread", "1", ["13"]],
      ["thread", "2", ["2"]],
    ],
  );
});
