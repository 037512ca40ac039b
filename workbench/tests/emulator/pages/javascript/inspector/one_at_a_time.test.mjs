import assert from "node:assert/strict";
import { test } from "node:test";

import {
  oneAtATime,
} from "../../../../../bot_workbench/emulator/pages/assets/inspector_models/one_at_a_time.js";

test("what is asked for often runs at once, and once more after it has ended", async () => {
  let runs = 0;
  const ask = oneAtATime(async () => {
    runs += 1;
  }, 1);
  const all = Promise.all([ask(), ask(), ask()]);
  assert.equal(runs, 1);
  await all;
  await ask();
  assert.equal(runs, 3);
});

test("a steady stream of changes does not keep it from running", async () => {
  let shown = 0;
  let newest = 0;
  const ask = oneAtATime(async () => {
    shown = newest;
  }, 1);
  const seen = new Set();
  while (seen.size < 4) {
    newest += 1;
    ask();
    await new Promise((resolve) => setTimeout(resolve, 0));
    seen.add(shown);
  }
});

test("two runs never overlap", async () => {
  let running = 0;
  let most = 0;
  const ask = oneAtATime(async () => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setTimeout(resolve, 2));
    running -= 1;
  }, 0);
  const first = ask();
  ask();
  await first;
  assert.equal(most, 1);
});
