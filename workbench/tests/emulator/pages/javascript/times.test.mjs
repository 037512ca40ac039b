import assert from "node:assert/strict";
import { test } from "node:test";
import {
  dayText,
  daysBetween,
  stampText,
  timeText,
} from "../../../../bot_workbench/emulator/pages/assets/text/times.js";

const NOW = new Date(2026, 2, 4, 15, 30);

function text(...date) {
  return dayText(new Date(...date), NOW, "en-GB");
}

test("days are named as people name them", () => {
  assert.equal(text(2026, 2, 4, 0, 1), "Today");
  assert.equal(text(2026, 2, 3, 23, 59), "Yesterday");
  assert.equal(text(2026, 2, 2), "Monday");
  assert.equal(text(2026, 1, 25), "25 February");
  assert.equal(text(2025, 11, 31), "31 December 2025");
});

test("a message of today has its time only", () => {
  assert.equal(stampText(new Date(2026, 2, 4, 10, 42), NOW, "en-GB"), "10:42");
  assert.equal(stampText(new Date(2026, 2, 3, 10, 42), NOW, "en-GB"), "Yesterday 10:42");
  assert.match(timeText(new Date(2026, 2, 4, 10, 42), "en-US"), /^10:42\sAM$/);
});

test("days are counted by the calendar", () => {
  assert.equal(daysBetween(new Date(2026, 2, 3, 23, 59), new Date(2026, 2, 4, 0, 0)), 1);
  assert.equal(daysBetween(new Date(2026, 2, 4, 0, 0), new Date(2026, 2, 4, 23, 59)), 0);
});
