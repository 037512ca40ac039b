import assert from "node:assert/strict";
import { test } from "node:test";

import {
  allBranches,
  jsonText,
  kindOf,
  MAX_CHILDREN,
  openAtFirst,
  preview,
  search,
  treeRows,
} from "../../../../../bot_workbench/emulator/pages/assets/inspector_models/json_tree.js";

const VALUE = { text: "hi", from: { id: "29:1", roles: ["a", "b"] }, n: null };

const nested = (levels) => {
  let value = "deep";
  for (let level = 0; level < levels; level += 1) value = { a: value };
  return value;
};

test("a folded tree is one row, an unfolded one has its children with their paths", () => {
  assert.deepEqual(treeRows(VALUE, new Set()).length, 1);
  const rows = treeRows(VALUE, new Set(["", "from"]));
  assert.deepEqual(
    rows.map(({ path, depth, kind, open }) => [path, depth, kind, open]),
    [
      ["", 0, "object", true],
      ["text", 1, "string", false],
      ["from", 1, "object", true],
      ["from.id", 2, "string", false],
      ["from.roles", 2, "list", false],
      ["n", 1, "null", false],
    ],
  );
});

test("the outer levels are open at first, long lists are not", () => {
  assert.deepEqual([...openAtFirst(VALUE)].sort(), ["", "from"]);
  assert.deepEqual([...openAtFirst({ many: Array(31).fill(0) })], [""]);
  assert.deepEqual([...openAtFirst("text")], []);
});

test("of many children, some are shown, and a row stands for the others", () => {
  const list = Array.from({ length: MAX_CHILDREN + 20 }, (_, index) => index);
  const rows = treeRows(list, new Set([""]));
  assert.equal(rows.length, MAX_CHILDREN + 2);
  assert.equal(rows.at(-1).more, 20);
  const all = treeRows(list, new Set([""]), new Map([["", 1000]]));
  assert.equal(all.length, list.length + 1);
});

test("a search finds keys and values in any case, and what must be open to see them", () => {
  const { matches, parents } = search(VALUE, "ROLES");
  assert.deepEqual(matches, ["from.roles"]);
  assert.deepEqual(parents.get("from.roles").sort(), ["", "from"]);
  assert.deepEqual(search(VALUE, "29:").matches, ["from.id"]);
  assert.deepEqual(search({ Key: "Value" }, "kEY").matches, ["Key"]);
  assert.deepEqual(search(VALUE, "null").matches, ["n"]);
  assert.deepEqual(search(VALUE, "").matches, []);
});

test("of very many matches, the first thousand are found", () => {
  const { matches, parents } = search(Array.from({ length: 5000 }, () => "same"), "same");
  assert.deepEqual([matches.length, parents.size], [1000, 1000]);
  assert.equal(matches.at(-1), "[999]");
});

test("JSON of 10,000 levels is unfolded, searched and listed", () => {
  const value = nested(10_000);
  assert.equal(treeRows(value, allBranches(value, 600)).length, 601);
  const { matches, parents } = search(value, "deep");
  assert.equal(matches.length, 1);
  assert.equal(parents.get(matches[0]).length, 10_000);
});

test("a folded value is shown in a few characters", () => {
  assert.equal(preview({}), "{}");
  assert.equal(preview([]), "[]");
  assert.equal(preview([1, 2]), "[ 2 ]");
  assert.equal(preview({ a: 1, b: 2, c: 3, d: 4, e: 5 }), "{ a, b, c, d, … }");
});

test("kinds are JSON's", () => {
  const kinds = [null, [], {}, "", 0, true].map(kindOf);
  assert.deepEqual(kinds, ["null", "list", "object", "string", "number", "boolean"]);
});

test("the text of JSON is indented; nothing has none", () => {
  assert.equal(jsonText({ a: [1] }), '{\n  "a": [\n    1\n  ]\n}');
  assert.equal(jsonText(undefined), "");
});
