import assert from "node:assert/strict";
import { test } from "node:test";

import {
  counted,
  difference,
  joined,
} from "../../../../../bot_workbench/emulator/pages/assets/inspector_models/state_difference.js";

const lines = (before, after) =>
  difference(before, after).map(
    ({ path, change, before: old, after: now }) =>
      `${change} ${path}: ${JSON.stringify(old)} ${JSON.stringify(now)}`,
  );

test("each path that differs is added, removed or changed", () => {
  const before = { count: 1, user: { name: "You", old: true }, same: [1, { a: null }] };
  const after = { count: 2, user: { name: "You", color: "blue" }, same: [1, { a: null }] };
  assert.deepEqual(lines(before, after), [
    "changed count: 1 2",
    "removed user.old: true undefined",
    'added user.color: undefined "blue"',
  ]);
  assert.deepEqual(counted(difference(before, after)), { added: 1, removed: 1, changed: 1 });
});

test("a state that is new or deleted is so as a whole", () => {
  assert.deepEqual(lines(null, { a: 1 }), ['added : null {"a":1}']);
  assert.deepEqual(lines({ a: 1 }, null), ['removed : {"a":1} null']);
  assert.deepEqual(lines(null, undefined), []);
});

test("a value that becomes null has changed, not gone", () => {
  assert.deepEqual(lines({ a: 1 }, { a: null }), ["changed a: 1 null"]);
  assert.deepEqual(lines({ a: null }, {}), ["removed a: null undefined"]);
});

test("a list that becomes an object, or a value an object, has changed as a whole", () => {
  assert.deepEqual(lines({ a: [1] }, { a: { 0: 1 } }), ['changed a: [1] {"0":1}']);
  assert.deepEqual(lines({ a: 1 }, { a: {} }), ["changed a: 1 {}"]);
});

test("lists are compared index by index", () => {
  assert.deepEqual(lines([1, 2], [1, 3, 4]), ["changed [1]: 2 3", "added [2]: undefined 4"]);
});

test("names that objects inherit are names like others", () => {
  const before = JSON.parse('{"__proto__": 1, "constructor": 2}');
  assert.deepEqual(lines(before, { toString: 3 }), [
    "removed __proto__: 1 undefined",
    "removed constructor: 2 undefined",
    "added toString: undefined 3",
  ]);
});

test("a path names keys as JavaScript does", () => {
  assert.equal(joined("a", "b"), "a.b");
  assert.equal(joined("", "a.b"), '["a.b"]');
  assert.equal(joined("a", "0", true), "a[0]");
  assert.equal(joined("a", "0"), 'a["0"]');
});

test("states nested ten thousand levels deep are compared", () => {
  let before = 1;
  let after = 2;
  for (let level = 0; level < 10_000; level += 1) [before, after] = [{ a: before }, { a: after }];
  assert.equal(difference(before, after).length, 1);
});

test("of very many differences, the first 500 are shown", () => {
  const after = Object.fromEntries(Array.from({ length: 600 }, (_, index) => [`k${index}`, 1]));
  assert.equal(difference({}, after).length, 500);
});
