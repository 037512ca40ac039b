import assert from "node:assert/strict";
import { test } from "node:test";

import {
  attemptFailed,
  spoken,
  ticks,
  waterfall,
} from "../../../../../bot_workbench/emulator/pages/assets/inspector_models/waterfall_layout.js";

const TURN = {
  at: 100,
  ms: 1000,
  spans: [
    { name: "authentication", at: 100.01, ms: 200 },
    { name: "bot", at: 100.3, ms: 600 },
  ],
  calls: [
    {
      id: "c",
      method: "POST",
      url: "https://localhost/v3",
      purpose: "reply",
      at: 100.4,
      ms: 400,
      attempts: [
        { at: 100.4, ms: 100, status: 429, error: null },
        { at: 100.6, ms: 200, status: 201, error: null },
      ],
    },
  ],
  state: [{ op: "read", key: "k", at: 100.1, ms: 10 }],
  queue: [{ step: "wake_up", detail: "", at: 100.2, ms: 0 }],
};

test("rows are in the order of their start, below the turn, with places on its axis", () => {
  const { rows, totalMs } = waterfall(TURN);
  const labels = rows.map((row) => row.label);
  assert.deepEqual(labels, ["Turn", "authentication", "read state", "wake up", "bot", "reply"]);
  assert.equal(totalMs, 1000);
  const reply = rows.at(-1);
  assert.ok(Math.abs(reply.left - 0.4) < 1e-6 && Math.abs(reply.width - 0.4) < 1e-6);
  assert.deepEqual(
    rows.map((row) => row.depth),
    [0, 0, 1, 1, 0, 1],
  );
});

test("a call shows each attempt, and has failed if its last one has", () => {
  const call = waterfall(TURN).rows.at(-1);
  assert.deepEqual(
    call.parts.map((part) => [Math.round(part.left * 100), part.failed]),
    [
      [40, true],
      [60, false],
    ],
  );
  assert.equal(call.failed, false);
  const lost = { ...TURN.calls[0], attempts: [{ at: 100.4, ms: 5, status: null, error: "reset" }] };
  assert.equal(waterfall({ ...TURN, calls: [lost] }).rows.at(-1).failed, true);
});

test("no bar leaves the axis, though an attempt may take longer than its call", () => {
  const call = { ...TURN.calls[0], ms: 10, attempts: [{ at: 100.9, ms: 5000, status: 200 }] };
  const [{ left, width }] = waterfall({ ...TURN, calls: [call] }).rows.at(-1).parts;
  assert.ok(left > 0.8 && Math.abs(left + width - 1) < 1e-9);
});

test("a span is below the one that it names, even if both start and end together", () => {
  const spans = [
    { name: "outer", at: 100.1, ms: 50, parent: null },
    { name: "inner", at: 100.1, ms: 50, parent: "outer" },
    { name: "later", at: 100.2, ms: 1, parent: "outer" },
  ];
  const { rows } = waterfall({ at: 100, ms: 500, spans });
  assert.deepEqual(
    rows.map((row) => [row.label, row.depth]),
    [
      ["Turn", 0],
      ["outer", 0],
      ["inner", 1],
      ["later", 1],
    ],
  );
});

test("storage's word for what it does not have is no failure, that of others is", () => {
  assert.equal(attemptFailed({ status: 404 }, { purpose: "storage" }), false);
  assert.equal(attemptFailed({ status: 503 }, { purpose: "storage" }), true);
  assert.equal(attemptFailed({ status: 404 }, { purpose: "connector" }), true);
  assert.equal(attemptFailed({ status: null, error: "reset" }, { purpose: "storage" }), true);
});

test("that nobody has signed in is no failure, an unknown connection is", () => {
  const url = "https://localhost:1/api/usertoken/GetToken?userId=...";
  assert.equal(attemptFailed({ status: 404 }, { purpose: "user token service", url }), false);
  assert.equal(attemptFailed({ status: 500 }, { purpose: "user token service", url }), true);
  assert.equal(attemptFailed({ status: 404 }, { url: "https://localhost:1/api/botsignin" }), true);
});

test("a step of the queue ends when it is reported", () => {
  const queued = { at: 100, ms: 1000, queue: [{ step: "drain", detail: "", at: 100.5, ms: 400 }] };
  const { startMs, ms } = waterfall(queued).rows[1];
  assert.deepEqual([Math.round(startMs), ms], [100, 400]);
});

test("what begins before the turn's row or ends after it is on the axis, too", () => {
  const queued = { at: 100, ms: 10, queue: [{ step: "drain", at: 99, ms: 3000 }] };
  const { rows, totalMs } = waterfall(queued);
  assert.equal(totalMs, 4010);
  for (const row of rows) assert.ok(row.left >= 0 && row.left + row.width <= 1 + 1e-9);
  assert.equal(rows[0].startMs, 4000);
});

test("a turn that runs, or of which nothing is known, has an axis", () => {
  assert.equal(waterfall({ at: 5, ms: null }).rows.length, 1);
  assert.deepEqual(waterfall({ at: 5, ms: null }).ticks, [0, 0.2, 0.4, 0.6, 0.8, 1]);
  const timeless = { at: 5, ms: 10, spans: [{ name: "x" }] };
  assert.equal(waterfall(timeless).rows.length, 1);
});

test("ticks are a few round values within the axis", () => {
  assert.deepEqual(ticks(1000), [0, 200, 400, 600, 800, 1000]);
  assert.deepEqual(ticks(37), [0, 10, 20, 30]);
  for (let total = 0.3; total < 1e6; total *= 1.7) {
    const all = ticks(total);
    assert.ok(all.length >= 3 && all.length <= 7, `${total}: ${all}`);
    assert.ok(all.at(-1) <= total);
  }
});

test("a row is a sentence for screen readers", () => {
  const call = waterfall(TURN).rows.at(-1);
  const ms = (value) => `${Math.round(value)} ms`;
  assert.equal(
    spoken(call, ms),
    "reply, POST https://localhost/v3, status 201, 2 attempts: starts at 400 ms, takes 400 ms",
  );
});
