import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CEILING_MS,
  pauseBefore,
} from "../../../../bot_workbench/emulator/pages/assets/shared/backoff.js";

test("the pause doubles up to the ceiling", () => {
  const pauses = [1, 2, 3, 4, 5, 50].map((failures) => pauseBefore(failures, () => 1));
  assert.deepEqual(pauses, [250, 500, 1000, CEILING_MS, CEILING_MS, CEILING_MS]);
});

test("tabs do not all come back at once, and none at once", () => {
  assert.equal(
    pauseBefore(4, () => 0),
    1500,
  );
  assert.ok(pauseBefore(1, () => 0) > 100);
});
