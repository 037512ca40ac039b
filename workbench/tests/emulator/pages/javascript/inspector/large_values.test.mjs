import assert from "node:assert/strict";
import { test } from "node:test";

import {
  remains,
} from "../../../../../bot_workbench/emulator/pages/assets/inspector_models/large_values.js";

test("of a large value, the start of its text and its size are known", () => {
  assert.deepEqual(remains({ $cut: { bytes: 90408, start: "{" } }), { start: "{", bytes: 90408 });
});

test("of a value that is no text, the size is known", () => {
  assert.deepEqual(remains({ $bytes: 12 }), { start: "", bytes: 12 });
});

test("everything else is whole, whatever its names are", () => {
  const others = [{ $cut: "x" }, { $cut: { bytes: 1 } }, { $bytes: "x" }, { $bytes: 1, more: 2 }];
  for (const value of [null, undefined, "$cut", 3, [], ["$bytes"], {}, ...others]) {
    assert.equal(remains(value), null);
  }
});
